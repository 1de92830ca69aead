/** Processes of one host that send, receive and reply, and nothing else: no network, no grants, no costs. */
import { type Scope, type Task, WaitQueue } from '@backplane/engine';
import {
  type EntityId,
  entityId,
  type Ipc,
  type IpcProcess,
  type Message,
  type MessageProcedure,
  message,
  type Probed,
  type ProcessDescription,
  type Received,
  ReplyCode,
  type Response,
  type Undo,
} from '@backplane/slots';

/** What there is of the two contracts. */
type Ipcs = Pick<Ipc, 'create' | 'find' | 'mintGroup' | 'wellKnownGroup' | 'probe'>;
type Primitives = Pick<
  IpcProcess,
  'id' | 'send' | 'receive' | 'reply' | 'discard' | 'serve' | 'join' | 'destroy'
>;

interface Sent extends Received {
  readonly answered: WaitQueue<Response>;
}

export class LocalIpc implements Ipcs {
  readonly processes: Map<EntityId, LocalProcess> = new Map();
  readonly groups: Map<EntityId, Set<EntityId>> = new Map();
  /** Who does not answer a question after them. */
  readonly silent: Set<EntityId> = new Set();
  #minted = 0;

  create({ scope }: ProcessDescription): IpcProcess {
    const p = new LocalProcess(this, entityId((++this.#minted).toString(16).padStart(16, '0')), scope);
    this.processes.set(p.id, p);
    return whole(p);
  }

  find(id: EntityId): IpcProcess | undefined {
    const p = this.processes.get(id);
    return p && whole(p);
  }

  mintGroup(): EntityId {
    return entityId(`4${(++this.#minted).toString(16).padStart(15, '0')}`);
  }

  wellKnownGroup(number: number): EntityId {
    return entityId(`48${number.toString(16).padStart(14, '0')}`);
  }

  *probe(id: EntityId): Task<Probed> {
    if (this.silent.has(id)) return 'noAnswer';
    return this.processes.has(id) ? 'here' : 'nonexistent';
  }

  /** Of a group, its first member. */
  at(to: EntityId): LocalProcess | undefined {
    const [member] = this.groups.get(to) ?? [];
    return this.processes.get(member ?? to);
  }
}

class LocalProcess implements Primitives {
  readonly id: EntityId;
  readonly #ipc: LocalIpc;
  readonly #scope: Scope;
  readonly #line: Sent[] = [];
  readonly #open: Set<Sent> = new Set();
  readonly #arrivals: WaitQueue = new WaitQueue();
  #procedure: MessageProcedure | null = null;

  constructor(ipc: LocalIpc, id: EntityId, scope: Scope) {
    this.#ipc = ipc;
    this.id = id;
    this.#scope = scope;
  }

  *send(to: EntityId, m: Message): Task<Response> {
    const receiver = this.#ipc.at(to);
    if (receiver === undefined) return failed(to);
    const sent: Sent = { from: this.id, to, message: m, grant: null, answered: new WaitQueue() };
    receiver.#take(sent);
    return (yield* sent.answered.wait()) ?? failed(to);
  }

  *receive(): Task<Received> {
    for (;;) {
      const sent = this.#line.shift();
      if (sent !== undefined) {
        this.#open.add(sent);
        return sent;
      }
      yield* this.#arrivals.wait();
    }
  }

  *reply(request: Received, m: Message): Task<number> {
    const sent = request as Sent; // boundary: only this class makes requests
    if (!this.#open.delete(sent)) return ReplyCode.nonexistentEntity;
    return sent.answered.wakeOne({ from: this.id, message: m }) ? ReplyCode.ok : ReplyCode.nonexistentEntity;
  }

  discard(request: Received): number {
    const sent = request as Sent; // boundary: only this class makes requests
    this.#open.delete(sent);
    sent.answered.wakeOne(failed(this.id, ReplyCode.responseDiscarded));
    return ReplyCode.ok;
  }

  serve(procedure: MessageProcedure): void {
    this.#procedure = procedure;
  }

  join(group: EntityId): Undo {
    const members = this.#ipc.groups.get(group) ?? new Set();
    this.#ipc.groups.set(group, members.add(this.id));
    return () => void members.delete(this.id);
  }

  destroy(): void {
    this.#ipc.processes.delete(this.id);
    for (const sent of [...this.#line, ...this.#open]) sent.answered.wakeOne(failed(this.id));
  }

  #take(sent: Sent): void {
    if (this.#procedure === null) {
      this.#line.push(sent);
      this.#arrivals.wakeOne();
      return;
    }
    this.#open.add(sent);
    this.#scope.spawn('procedure', this.#run(sent, this.#procedure));
  }

  *#run(sent: Sent, procedure: MessageProcedure): Task<void> {
    const answer = yield* procedure(sent);
    if (answer === 'discard') this.discard(sent);
    else yield* this.reply(sent, answer);
  }
}

/** boundary: who serves open objects, or asks for them, uses no other primitive */
const whole = (p: LocalProcess): IpcProcess => p as unknown as IpcProcess;

const failed = (from: EntityId, code: number = ReplyCode.nonexistentEntity): Response => ({
  from,
  message: message({ code }),
});
