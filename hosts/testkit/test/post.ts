/**
 * The model of a transport whose entities move: transactions in one place for all hosts of an engine, letters that take a
 * while, and no frames. What the kits ask of `moves` can be kept, and what they see when it is not is planted here.
 */
import {
  type Engine,
  ms,
  type Scope,
  seconds,
  sleep,
  type Task,
  Timer,
  us,
  WaitQueue,
} from '@backplane/engine';
import {
  type ArrivedRequest,
  type Board,
  defineComponent,
  type EntityId,
  type EntityMoves,
  type EntityService,
  type EntityTransport,
  entityId,
  entityIn,
  flagsOf,
  isGroup,
  type Message,
  MessageFlag,
  type MessagePriority,
  message,
  normalPriority,
  type Probed,
  ReplyCode,
  type Response,
  type SendOptions,
  type Transport,
  type Undo,
} from '@backplane/slots';

const letterNs = /* @__PURE__ */ us(300);
const retryNs = /* @__PURE__ */ ms(2);
const silenceNs = /* @__PURE__ */ seconds(2);
const forwardsMax = 15;
const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');

/** One transaction, wherever its client is. */
class Transaction {
  readonly client: EntityId;
  readonly toGroup: boolean;
  readonly priority: MessagePriority;
  readonly changed: WaitQueue = new WaitQueue();
  readonly responses: Response[] = [];
  readonly copies: Copy[] = [];
  answered = false;
  /** Its client waits no more. */
  over = false;

  constructor(client: EntityId, to: EntityId, { priority = normalPriority }: SendOptions) {
    this.client = client;
    this.toGroup = isGroup(to);
    this.priority = priority;
  }

  answer(response: Response): void {
    if (this.over || (this.answered && !this.toGroup)) return;
    this.answered = true;
    this.responses.push(response);
    this.changed.wakeAll();
  }

  end(): void {
    if (this.over) return;
    this.over = true;
    for (const copy of this.copies) copy.abandon();
  }
}

/** A request at one entity. */
class Copy implements ArrivedRequest {
  readonly entity: EntityId;
  readonly to: EntityId;
  readonly message: Message;
  readonly transaction: Transaction;
  readonly forwards: number;
  state: 'underWay' | 'taken' | 'ended' = 'underWay';
  readonly #post: Post;

  constructor(post: Post, t: Transaction, entity: EntityId, to: EntityId, m: Message, forwards: number) {
    this.#post = post;
    this.transaction = t;
    this.entity = entity;
    this.to = to;
    this.message = m;
    this.forwards = forwards;
    t.copies.push(this);
  }

  get client(): EntityId {
    return this.transaction.client;
  }

  get priority(): MessagePriority {
    return this.transaction.priority;
  }

  get abandoned(): boolean {
    return this.transaction.over;
  }

  /** The same request, for another host. */
  replace(): void {
    const { transaction, entity, to, message: m, forwards } = this;
    new Copy(this.#post, transaction, entity, to, m, forwards).state = 'taken';
    this.state = 'ended';
  }

  abandon(): void {
    if (this.state === 'taken') this.#post.serviceOf(this.entity)?.abandoned?.(this);
  }

  /** Hands it over, as soon as its receiver is somewhere and takes it. */
  arrive(): void {
    if (this.abandoned) return;
    const service = this.#post.serviceOf(this.entity);
    if (service === undefined && !this.#post.away.has(this.entity)) {
      this.state = 'ended';
      if (!isGroup(this.to)) this.#post.missing(this.transaction, this.to);
      return;
    }
    const delivery = service === undefined ? 'frozen' : service.arrived(this);
    if (delivery === 'taken') this.state = 'taken';
    else if (delivery !== 'notAwaiting') this.#post.later(() => this.arrive(), retryNs);
    else {
      this.state = 'ended';
      if (!isGroup(this.to)) this.#fail(ReplyCode.notAwaitingMessage);
    }
  }

  *respond(response: Message): Task<void> {
    if (this.state !== 'taken') return;
    this.state = 'ended';
    const { transaction, entity } = this;
    this.#post.later(() => transaction.answer({ from: entity, message: response }));
  }

  *forward(to: EntityId, m: Message): Task<boolean> {
    if (isGroup(this.to) || isGroup(to) || this.forwards >= forwardsMax) return false;
    if (this.state !== 'taken') return true;
    this.state = 'ended';
    const onward = new Copy(this.#post, this.transaction, to, to, m, this.forwards + 1);
    this.#post.later(() => onward.arrive());
    return true;
  }

  discard(): void {
    if (this.state !== 'taken') return;
    this.state = 'ended';
    if (!isGroup(this.to)) this.#fail(ReplyCode.responseDiscarded);
  }

  #fail(code: number): void {
    const { transaction, to } = this;
    this.#post.later(() => transaction.answer({ from: to, message: message({ code }) }));
  }
}

/** The network, and all that is on it. */
class Post {
  readonly engine: Engine;
  readonly offices: Office[] = [];
  readonly away: Set<EntityId> = new Set();
  readonly transactions: Map<EntityId, Transaction> = new Map();
  minted = 0;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  later(f: () => void, ns: number = letterNs): void {
    new Timer(this.engine.root, 'letter', f).set(ns);
  }

  holding(entity: EntityId): Office | undefined {
    return this.offices.find((o) => o.up && o.services.has(entity));
  }

  serviceOf(entity: EntityId): EntityService | undefined {
    return this.holding(entity)?.services.get(entity);
  }

  /** Nobody has it: some living host says so, or its own is silent. */
  missing(t: Transaction, to: EntityId): void {
    const silent = this.isSilent(to);
    const code = silent ? ReplyCode.retransmissionTimeout : ReplyCode.nonexistentEntity;
    this.later(() => t.answer({ from: to, message: message({ code }) }), silent ? silenceNs : letterNs);
  }

  isSilent(entity: EntityId): boolean {
    return this.offices.some((o) => !o.up && o.services.has(entity));
  }
}

const posts = new WeakMap<Engine, Post>();

/** The transport of one host, in one of its lives. */
class Office implements EntityTransport {
  readonly services: Map<EntityId, EntityService> = new Map();
  readonly #post: Post;
  readonly #scope: Scope;
  readonly #groups = new Map<EntityId, Set<EntityId>>();

  constructor(post: Post, scope: Scope) {
    this.#post = post;
    this.#scope = scope;
    post.offices.push(this);
  }

  get up(): boolean {
    return this.#scope.alive;
  }

  mint(): EntityId {
    return entityId(`1${hex(++this.#post.minted, 15)}`);
  }

  mintGroup(): EntityId {
    return entityId(`4${hex(++this.#post.minted, 15)}`);
  }

  wellKnownGroup(number: number): EntityId {
    return entityId(`4f${hex(number, 14)}`);
  }

  attach(entity: EntityId, service: EntityService): Undo {
    this.services.set(entity, service);
    return () => {
      if (this.services.get(entity) !== service) return;
      this.#leave(entity);
      this.#post.transactions.get(entity)?.end();
      this.#post.transactions.delete(entity);
    };
  }

  #leave(entity: EntityId): void {
    this.services.delete(entity);
    for (const members of this.#groups.values()) members.delete(entity);
  }

  readonly moves: EntityMoves = {
    take: (entity) => {
      this.#leave(entity);
      this.#post.away.add(entity);
      // Its thread finds that it is not here any more.
      this.#post.transactions.get(entity)?.changed.wakeAll();
      const requests = this.#taken(entity);
      // What is to be answered from there is not what was here.
      for (const request of requests) request.replace();
      return { state: Uint8Array.of(requests.length), requests };
    },
    attach: (entity, service, state) => {
      this.#post.away.delete(entity);
      const undo = this.attach(entity, service);
      return { undo, requests: this.#taken(entity).slice(0, state[0] ?? 0) };
    },
  };

  #taken(entity: EntityId): Copy[] {
    const all = [...this.#post.transactions.values()].flatMap(({ copies }) => copies);
    return all.filter((copy) => copy.entity === entity && copy.state === 'taken');
  }

  isHere(entity: EntityId): boolean {
    return this.services.has(entity);
  }

  join(group: EntityId, member: EntityId): Undo {
    const members = this.members(group);
    members.add(member);
    this.#groups.set(group, members);
    return () => void members.delete(member);
  }

  members(group: EntityId): Set<EntityId> {
    return this.#groups.get(group) ?? new Set();
  }

  *send(from: EntityId, to: EntityId, m: Message, options: SendOptions = {}): Task<Response> {
    const untilNs = this.#post.engine.nowNs + (options.timeoutNs ?? Number.POSITIVE_INFINITY);
    const t = this.#transaction(from, to, m, options);
    if ((flagsOf(m) & MessageFlag.datagram) !== 0) t.responses.push(outcome(to, ReplyCode.ok));
    const watch = this.#scope.spawn('silence', this.#watch(t, to));
    try {
      for (;;) {
        const response = t.responses.shift();
        if (response !== undefined) return response;
        if (!this.isHere(from)) return outcome(from, ReplyCode.entityMigrated);
        if (t.over) return outcome(to, ReplyCode.badTransactionId);
        const leftNs = untilNs - this.#post.engine.nowNs;
        if (leftNs <= 0) return outcome(to, ReplyCode.userTimeout);
        yield* t.changed.wait(leftNs);
      }
    } finally {
      watch.cancel();
      const isDatagram = (flagsOf(m) & MessageFlag.datagram) !== 0;
      if (this.isHere(from) && !isDatagram && !(t.toGroup && t.answered)) t.end();
    }
  }

  /** A new one, or the one that is under way. */
  #transaction(from: EntityId, to: EntityId, m: Message, options: SendOptions): Transaction {
    const { transactions } = this.#post;
    const before = transactions.get(from);
    if (options.again === true && before !== undefined) return before;
    before?.end();
    before?.changed.wakeAll();
    const t = new Transaction(from, to, options);
    transactions.set(from, t);
    this.#post.later(() => this.#distribute(t, to, m));
    return t;
  }

  #distribute(t: Transaction, to: EntityId, m: Message): void {
    const beside = besideWhom(m);
    if (beside !== null && this.#post.away.has(beside)) {
      this.#post.later(() => this.#distribute(t, to, m), retryNs);
      return;
    }
    for (const entity of t.toGroup ? this.#meant(to, m) : [to])
      if (entity !== t.client) new Copy(this.#post, t, entity, to, m, 0).arrive();
  }

  /** The members of a group, beside whom they are wanted. */
  #meant(group: EntityId, m: Message): EntityId[] {
    const beside = besideWhom(m);
    const near = (o: Office): boolean =>
      o.up && (beside === null || o.services.has(beside) || o.members(beside).size > 0);
    return this.#post.offices.filter(near).flatMap((o) => [...o.members(group)]);
  }

  *nextResponse(from: EntityId, waitNs: number): Task<Response | undefined> {
    const t = this.#post.transactions.get(from);
    if (t === undefined || !t.toGroup) return undefined;
    if (t.responses.length === 0) yield* t.changed.wait(waitNs);
    return t.responses.shift();
  }

  *probe(entity: EntityId): Task<Probed> {
    yield* sleep(letterNs);
    if (this.#post.holding(entity) !== undefined) return 'here';
    if (!this.#post.isSilent(entity)) return 'nonexistent';
    yield* sleep(silenceNs);
    return 'noAnswer';
  }

  /** Ends it when for a while nobody is left who could answer. */
  *#watch(t: Transaction, to: EntityId): Task<void> {
    const hopeful = ({ state, entity }: Copy): boolean =>
      state === 'underWay' ||
      (state === 'taken' && (this.#post.away.has(entity) || this.#post.holding(entity) !== undefined));
    for (let silences = 0; silences < 4; silences++) {
      yield* sleep(silenceNs / 4);
      if (t.copies.some(hopeful)) silences = 0;
    }
    t.answer(outcome(to, ReplyCode.retransmissionTimeout));
  }
}

/** Of a request to a group: whose neighbours are meant. */
const besideWhom = (m: Message): EntityId | null =>
  (flagsOf(m) & MessageFlag.coResident) === 0 ? null : entityIn(m, 1);

const outcome = (from: EntityId, code: number): Response => ({ from, message: message({ code }) });

/** The board: of a transport it has its entities only. */
export const post: () => Board<'transport'> = defineComponent({
  name: 'transport-post',
  version: '0.1.0',
  slot: 'transport',
  contract: 1,
  requires: [],
  capabilities: ['entities'],
  create: (_granted, _options, { engine, scope }) => {
    const here = posts.get(engine) ?? new Post(engine);
    posts.set(engine, here);
    return { entities: new Office(here, scope) } as Partial<Transport> as Transport; // boundary: see above
  },
});
