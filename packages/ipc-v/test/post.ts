/**
 * A transport for tests: transactions between entities of several hosts in one engine, with delays drawn from a seed and
 * no packets. Where things are is looked up in one place (`Post`), at the instant at which a letter arrives. Strict: who
 * ends a request twice, or sends for an entity that is not there, stops the test.
 */
import { type RandomStream, type Scope, sleep, type Task, Timer, us, WaitQueue } from '@backplane/engine';
import {
  type ArrivedRequest,
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
  type Undo,
} from '@backplane/slots';

/** Who hands a letter over goes on before it can have arrived. */
const handOverNs = us(10);
const delayMaxNs = us(900);
const retryNs = us(2000);
const silenceNs = us(500_000);
const forwardsMax = 15;
const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');

/** The network, and what is on it. */
export class Post {
  readonly offices: Office[] = [];
  /** What entities left with, by the number in their state. */
  readonly leaving: Leaving[] = [];
  readonly copies: Set<Copy> = new Set();
  readonly #scope: Scope;
  readonly #random: RandomStream;
  /** Letters that found an entity. */
  delivered = 0;

  constructor(scope: Scope) {
    this.#scope = scope;
    this.#random = scope.engine.random('post');
  }

  later(f: () => void, ns: number = handOverNs + 1 + this.#random.below(delayMaxNs)): void {
    new Timer(this.#scope, 'letter', f).set(ns);
  }

  chance(p: number): boolean {
    return this.#random.chance(p);
  }

  holding(entity: EntityId): Office | undefined {
    return this.offices.find((o) => o.up && o.services.has(entity));
  }

  /** Somebody who speaks for this entity: the host that made it is up, in whatever life. */
  speaksFor(entity: EntityId): boolean {
    return this.offices.some((o) => o.up && o.host === Number.parseInt(entity.slice(1, 4), 16));
  }
}

interface Leaving {
  readonly transaction: Transaction | undefined;
  readonly copies: readonly Copy[];
}

/** One transaction, at its client. */
class Transaction {
  readonly #post: Post;
  office: Office;
  /** What came while its client was between two hosts. */
  kept: Response | undefined;
  readonly client: EntityId;
  readonly request: Message;
  readonly priority: MessagePriority;
  readonly toGroup: boolean;
  readonly copies: Copy[] = [];
  readonly waiting: WaitQueue<Response> = new WaitQueue();
  /** Of a group: those nobody has fetched. */
  readonly further: Response[] = [];
  answered = false;
  over = false;
  /** A letter of it is on its way: silence has not begun. */
  lettersUnderWay = 0;

  constructor(post: Post, office: Office, client: EntityId, to: EntityId, request: Message, o: SendOptions) {
    this.#post = post;
    this.office = office;
    this.client = client;
    this.request = request;
    this.priority = o.priority ?? normalPriority;
    this.toGroup = isGroup(to);
  }

  get wanted(): boolean {
    return !this.over && this.office.up;
  }

  answer(response: Response): void {
    if (!this.wanted || (this.answered && !this.toGroup)) return;
    const first = !this.answered;
    this.answered = true;
    if (this.waiting.wakeOne(response)) return;
    if (first) this.kept = response;
    else this.further.push(response);
  }

  /** Nobody wants what is still to come. */
  end(): void {
    if (this.over) return;
    this.over = true;
    for (const copy of this.copies) this.#post.later(() => copy.abandon());
  }
}

/** A request at one entity. */
class Copy implements ArrivedRequest {
  readonly client: EntityId;
  readonly to: EntityId;
  readonly priority: MessagePriority;
  readonly message: Message;
  readonly forwards: number;
  readonly #transaction: Transaction;
  readonly #entity: EntityId;
  #office: Office;
  readonly #post: Post;
  abandoned = false;
  taken = false;
  ended = false;

  constructor(
    post: Post,
    t: Transaction,
    office: Office,
    entity: EntityId,
    to: EntityId,
    m: Message,
    forwards: number,
  ) {
    this.#post = post;
    this.#transaction = t;
    this.#office = office;
    this.#entity = entity;
    this.client = t.client;
    this.to = to;
    this.priority = t.priority;
    this.message = m;
    this.forwards = forwards;
  }

  isAt(office: Office, entity: EntityId): boolean {
    return this.#office === office && this.#entity === entity && this.taken && !this.ended;
  }

  moveTo(office: Office): void {
    this.#office = office;
  }

  /** Somebody may still answer it. */
  get promising(): boolean {
    return this.#office.up && !this.ended;
  }

  abandon(): void {
    if (this.abandoned) return;
    this.abandoned = true;
    if (this.taken && this.promising) this.#office.services.get(this.#entity)?.abandoned?.(this);
  }

  deliver(): void {
    const service = this.#office.up ? this.#office.services.get(this.#entity) : undefined;
    if (service === undefined || !this.#transaction.wanted) {
      this.ended = true;
      return;
    }
    this.taken = true;
    const delivery = service.arrived(this);
    this.taken = delivery === 'taken';
    if (delivery === 'taken') this.#post.delivered++;
    else if (delivery === 'notAwaiting') {
      this.ended = true;
      if (!isGroup(this.to)) this.#fail(ReplyCode.notAwaitingMessage);
    } else {
      this.#post.later(() => this.#again(), retryNs);
    }
  }

  /** One entity may be elsewhere by now, or nowhere. */
  #again(): void {
    if (isGroup(this.to)) {
      this.deliver();
      return;
    }
    this.ended = true;
    this.#office.carry(this.#transaction, this.to, this.message, this.forwards);
  }

  *respond(response: Message): Task<void> {
    this.#finish();
    const t = this.#transaction;
    this.#post.later(() => t.answer({ from: this.#entity, message: response }));
    const again = (flagsOf(response) & MessageFlag.datagram) !== 0;
    if (again && t.toGroup && this.#post.chance(0.3)) this.#repeat();
    yield* sleep(handOverNs);
  }

  /** The request comes again, as it may when its response is said to be repeatable. */
  #repeat(): void {
    const t = this.#transaction;
    const copy = new Copy(this.#post, t, this.#office, this.#entity, this.to, this.message, this.forwards);
    this.#post.later(() => copy.deliver());
  }

  *forward(to: EntityId, m: Message): Task<boolean> {
    if (isGroup(this.to) || this.forwards >= forwardsMax) return false;
    this.#finish();
    this.#office.carry(this.#transaction, to, m, this.forwards + 1);
    yield* sleep(handOverNs);
    return true;
  }

  discard(): void {
    this.#finish();
    if (!isGroup(this.to)) this.#fail(ReplyCode.responseDiscarded);
  }

  #finish(): void {
    if (this.ended || !this.taken) throw new Error('a request is ended twice');
    this.ended = true;
    this.#post.copies.delete(this);
  }

  #fail(code: number): void {
    const t = this.#transaction;
    this.#post.later(() => t.answer({ from: this.to, message: message({ code }) }));
  }
}

/** The transport of one host, in one of its lives. */
export class Office implements EntityTransport {
  readonly host: number;
  readonly services: Map<EntityId, EntityService> = new Map();
  readonly #post: Post;
  readonly #scope: Scope;
  readonly #life: number;
  readonly #groups = new Map<EntityId, Set<EntityId>>();
  readonly #transactions = new Map<EntityId, Transaction>();
  #minted = 0;

  constructor(post: Post, scope: Scope, host: number) {
    this.#post = post;
    this.#scope = scope;
    this.host = host;
    this.#life = post.offices.filter((o) => o.host === host).length;
    post.offices.push(this);
  }

  get up(): boolean {
    return this.#scope.alive;
  }

  mint(): EntityId {
    return entityId(`1${hex(this.host, 3)}${hex(this.#life, 4)}${hex(++this.#minted, 8)}`);
  }

  mintGroup(): EntityId {
    return entityId(`4${hex(this.host, 3)}${hex(this.#life, 4)}${hex(++this.#minted, 8)}`);
  }

  wellKnownGroup(number: number): EntityId {
    return entityId(`4fff0000${hex(number, 8)}`);
  }

  attach(entity: EntityId, service: EntityService): Undo {
    if (this.services.has(entity)) throw new Error('attached twice');
    this.services.set(entity, service);
    return () => {
      this.services.delete(entity);
      for (const members of this.#groups.values()) members.delete(entity);
      this.#transactions.get(entity)?.end();
      this.#transactions.delete(entity);
    };
  }

  readonly moves: EntityMoves = {
    take: (entity) => {
      const transaction = this.#transactions.get(entity);
      const copies = [...this.#post.copies].filter((c) => c.isAt(this, entity));
      this.services.delete(entity);
      for (const members of this.#groups.values()) members.delete(entity);
      this.#transactions.delete(entity);
      // Its client asks again from where it arrives.
      transaction?.waiting.wakeOne({ from: entity, message: message({ code: ReplyCode.entityMigrated }) });
      const state = Uint8Array.of(this.#post.leaving.push({ transaction, copies }) - 1);
      return { state, requests: copies };
    },
    attach: (entity, service, [number = 0]) => {
      const undo = this.attach(entity, service);
      const { transaction, copies } = this.#post.leaving[number] ?? { transaction: undefined, copies: [] };
      if (transaction !== undefined) {
        transaction.office = this;
        this.#transactions.set(entity, transaction);
      }
      for (const copy of copies) copy.moveTo(this);
      return { undo, requests: copies };
    },
  };

  isHere(entity: EntityId): boolean {
    return this.services.has(entity);
  }

  join(group: EntityId, member: EntityId): Undo {
    if (!this.services.has(member)) throw new Error('a member that is not here');
    const members = this.members(group);
    members.add(member);
    this.#groups.set(group, members);
    return () => void members.delete(member);
  }

  members(group: EntityId): Set<EntityId> {
    return this.#groups.get(group) ?? new Set();
  }

  *send(from: EntityId, to: EntityId, request: Message, o: SendOptions = {}): Task<Response> {
    if (!this.services.has(from)) throw new Error('a client that is not here');
    const before = this.#transactions.get(from);
    if (o.again === true && before !== undefined) return yield* this.#await(before, to, o);
    before?.end();
    const t = new Transaction(this.#post, this, from, to, request, o);
    this.#transactions.set(from, t);
    this.carry(t, to, request, 0);
    if ((flagsOf(request) & MessageFlag.datagram) !== 0)
      return { from: to, message: message({ code: ReplyCode.ok }) };
    return yield* this.#await(t, to, o);
  }

  *#await(t: Transaction, to: EntityId, o: SendOptions): Task<Response> {
    const watch = this.#scope.spawn('silence', this.#watch(t, to));
    let response = t.kept;
    t.kept = undefined;
    try {
      response ??= yield* t.waiting.wait(o.timeoutNs);
    } finally {
      watch.cancel();
      const moving = this.#transactions.get(t.client) !== t;
      if (!moving && (response === undefined || !t.toGroup)) t.end();
    }
    return response ?? { from: to, message: message({ code: ReplyCode.userTimeout }) };
  }

  *nextResponse(from: EntityId, waitNs: number): Task<Response | undefined> {
    const t = this.#transactions.get(from);
    if (t === undefined || t.over || !t.toGroup) return undefined;
    return t.further.shift() ?? (yield* t.waiting.wait(waitNs));
  }

  *probe(entity: EntityId): Task<Probed> {
    yield* sleep(us(300));
    if (this.#post.holding(entity) !== undefined) return 'here';
    if (this.#post.speaksFor(entity)) return 'nonexistent';
    yield* sleep(silenceNs);
    return 'noAnswer';
  }

  /** A letter to an entity or a group, from this office. */
  carry(t: Transaction, to: EntityId, m: Message, forwards: number): void {
    t.lettersUnderWay++;
    this.#post.later(() => {
      t.lettersUnderWay--;
      if (!t.wanted) return;
      if (isGroup(to)) this.#distribute(t, to, m, forwards);
      else this.#find(t, to, m, forwards);
    });
  }

  #find(t: Transaction, to: EntityId, m: Message, forwards: number): void {
    const office = this.#post.holding(to);
    if (office !== undefined) this.#copy(t, office, to, to, m, forwards).deliver();
    else if (this.#post.speaksFor(to))
      this.#post.later(() => t.answer({ from: to, message: message({ code: ReplyCode.nonexistentEntity }) }));
  }

  #distribute(t: Transaction, group: EntityId, m: Message, forwards: number): void {
    const beside = (flagsOf(m) & MessageFlag.coResident) === 0 ? null : entityIn(m, 1);
    for (const office of this.#post.offices) {
      if (!office.up) continue;
      if (beside !== null && !office.services.has(beside) && office.members(beside).size === 0) continue;
      for (const member of office.members(group)) {
        if (member === t.client) continue;
        const copy = this.#copy(t, office, member, group, m, forwards);
        this.#post.later(() => copy.deliver());
      }
    }
  }

  #copy(t: Transaction, at: Office, entity: EntityId, to: EntityId, m: Message, forwards: number): Copy {
    const copy = new Copy(this.#post, t, at, entity, to, m, forwards);
    t.copies.push(copy);
    this.#post.copies.add(copy);
    return copy;
  }

  /** Gives up when there is nobody left who could answer, for so long. */
  *#watch(t: Transaction, to: EntityId): Task<void> {
    for (let silentNs = 0; silentNs < silenceNs; silentNs += retryNs) {
      yield* sleep(retryNs);
      if (t.lettersUnderWay > 0 || t.copies.some((c) => c.promising)) silentNs = 0;
    }
    t.answer({ from: to, message: message({ code: ReplyCode.retransmissionTimeout }) });
  }
}
