/**
 * One replica of the directory: which prefixes there are, and who managed them last. Managers register with all replicas,
 * programs ask them all. A replica that comes up gets what the others know:
 *
 *   state     event                                   action                          next
 *   young     hello answered by other replicas        copy what each knows            settled if one of them is; else young
 *   young     nobody settled has been found           announce itself to managers     young
 *   young     the patience of clients is over         -                               settled
 *   either    register                                note it                         -
 *   either    hello                                   note who says it                -
 *
 * What a young replica does not know may exist all the same: its manager may be down, and only replicas that are lost knew of
 * it. Clients would by now have given up waiting for such a manager; then the replica is settled.
 *
 * Lost in a crash: everything.
 */
import { seconds, sleep, type Task, tasks } from '@backplane/engine';
import {
  type About,
  codeOf,
  type EntityId,
  type Ipc,
  type IpcProcess,
  type Machine,
  type Message,
  pathBytesMax,
  type Received,
  wellKnown,
  wordOf,
} from '@backplane/slots';
import { decodeUtf8 } from '@backplane/wire';
import { Directory } from './directory.ts';
import {
  announce,
  code,
  found,
  hello,
  helloIn,
  page,
  registered,
  replicasMax,
  roll,
} from './directory-messages.ts';
import type { Questions } from './questions.ts';

/** An announcement is a datagram: it is said so often, since each host may lose one. */
const announcements = 3;
const betweenNs = /* @__PURE__ */ seconds(1);

export class DirectoryServer {
  static {
    tasks(DirectoryServer);
  }

  /** Claims for prefixes that are another's. */
  refused = 0;
  readonly #directory = new Directory();
  readonly #ipc: Ipc;
  readonly #machine: Machine;
  readonly #questions: Questions;
  readonly #process: IpcProcess;
  /** The others, by machine: a machine has one replica at a time. */
  readonly #peers = new Map<string, EntityId>();
  #settledNs: number;

  constructor(ipc: Ipc, machine: Machine, questions: Questions, patienceNs: number) {
    this.#ipc = ipc;
    this.#machine = machine;
    this.#questions = questions;
    this.#settledNs = machine.engine.nowNs + patienceNs;
    this.#process = ipc.create({ name: 'directory', scope: machine.scope, space: null });
    this.#process.serve((request) => this.#perform(request));
    // First: what is registered while it copies reaches it, too.
    this.#process.join(ipc.wellKnownGroup(wellKnown.nameDirectories));
  }

  get #settled(): boolean {
    return this.#machine.engine.nowNs >= this.#settledNs;
  }

  *start(): Task<void> {
    const me = { replica: this.#process.id, machine: this.#machine.name };
    for (const { by, what } of yield* this.#questions.tell(hello(me), this.#process))
      if ((yield* this.#copy(by)) && what.settled) this.#settledNs = 0;
    if (this.#settled) return;
    const asker = this.#ipc.create({ name: 'announce', scope: this.#machine.scope, space: null });
    for (let said = 0; said < announcements; said++) {
      if (said > 0) yield* sleep(betweenNs);
      yield* asker.send(this.#ipc.wellKnownGroup(wellKnown.nameHandlers), announce());
    }
    asker.destroy();
  }

  /** False: it fell silent before the end. */
  *#copy(from: EntityId): Task<boolean> {
    for (let number = 0; ; ) {
      const copied = yield* this.#questions.page(from, number);
      if (copied === undefined) return false;
      for (const r of copied.registrations) this.#directory.merge(r);
      // A page that leads nowhere would be asked for without end.
      if (copied.next <= number) return copied.next === 0;
      number = copied.next;
    }
  }

  *#perform({ message }: Received): Task<Message | 'discard'> {
    switch (codeOf(message)) {
      case code.register:
        return this.#register(message);
      case code.find:
        return this.#find(message);
      case code.hello:
        return this.#hello(message);
      case code.copy:
        return page(this.#directory, wordOf(message, 1));
      default:
        return 'discard';
    }
  }

  #register(m: Message): Message | 'discard' {
    const claims = registered(m);
    if (claims === undefined) return 'discard';
    for (const [claim, capability] of claims) if (!this.#directory.claim(claim, capability)) this.refused++;
    return this.#roll();
  }

  #find(m: Message): Message | 'discard' {
    if (m.segment.length > pathBytesMax) return 'discard';
    const about: About = wordOf(m, 1) === 1 ? 'entry' : 'object';
    return found({
      settled: this.#settled,
      registrations: this.#directory.find(decodeUtf8(m.segment), about),
    });
  }

  #hello(m: Message): Message | 'discard' {
    const said = helloIn(m);
    if (said === undefined) return 'discard';
    const known = this.#peers.has(said.machine) || this.#peers.size + 1 < replicasMax;
    if (known) this.#peers.set(said.machine, said.replica);
    return this.#roll();
  }

  #roll(): Message {
    return roll({ settled: this.#settled, replicas: [this.#process.id, ...this.#peers.values()] });
  }
}
