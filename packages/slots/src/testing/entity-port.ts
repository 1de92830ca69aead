/** The transport of one host, in one of its lives, in the model of transactions between entities. */
import { ms, type Scope, sleep, type Task, us } from '@backplane/engine';
import {
  type EntityId,
  type EntityMoves,
  type EntityService,
  type EntityTransport,
  entityId,
  type Message,
  MessageFlag,
  type Probed,
  ReplyCode,
  type Response,
  type SendOptions,
} from '../entities.ts';
import { entityIn, flagsOf, message } from '../message.ts';
import type { Undo } from '../vocabulary.ts';
import { CarriedRequest } from './carried-request.ts';
import { type EntityNet, retryNs } from './entity-net.ts';
import { Transaction } from './entity-transaction.ts';

/** So often in a row nobody is left who could answer, before a client is told so. */
const silentLooks = 4;
const lookNs = /* @__PURE__ */ ms(125);
const silenceNs = silentLooks * lookNs;
const probeNs = /* @__PURE__ */ us(300);

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');

export class EntityPort implements EntityTransport {
  readonly host: number;
  readonly services: Map<EntityId, EntityService> = new Map();
  readonly #net: EntityNet;
  readonly #scope: Scope;
  readonly #life: number;
  /** Members, each with the join that made it one. */
  readonly #groups = new Map<EntityId, Map<EntityId, object>>();
  #minted = 0;

  constructor(net: EntityNet, scope: Scope, host: number) {
    this.#net = net;
    this.#scope = scope;
    this.host = host;
    this.#life = net.ports.filter((p) => p.host === host).length;
    net.ports.push(this);
  }

  get up(): boolean {
    return this.#scope.alive;
  }

  // ---- who is here ----

  mint(): EntityId {
    return this.#mint(1);
  }

  mintGroup(): EntityId {
    return this.#mint(4);
  }

  #mint(kind: number): EntityId {
    return entityId(`${kind}${hex(this.host, 3)}${hex(this.#life, 4)}${hex(++this.#minted, 8)}`);
  }

  wellKnownGroup(number: number): EntityId {
    return entityId(`4fff0000${hex(number, 8)}`);
  }

  attach(entity: EntityId, service: EntityService): Undo {
    this.#net.isRight(!this.services.has(entity), 'attached twice');
    this.services.set(entity, service);
    return () => {
      if (this.services.get(entity) !== service) return;
      this.#leave(entity);
      this.#net.transactions.get(entity)?.end();
      this.#net.transactions.delete(entity);
    };
  }

  #leave(entity: EntityId): void {
    this.services.delete(entity);
    for (const members of this.#groups.values()) members.delete(entity);
  }

  readonly moves: EntityMoves = {
    take: (entity) => {
      this.#leave(entity);
      const requests = [...this.#net.taken].filter((r) => r.entity === entity);
      this.#net.away.set(
        entity,
        requests.map((r) => r.moved()),
      );
      // Its thread finds that it is not here any more.
      this.#net.transactions.get(entity)?.changed.wakeAll();
      return { state: Uint8Array.of(requests.length), requests };
    },
    // Who loses the state on the way loses the requests.
    attach: (entity, service, [count = 0]) => {
      const requests = this.#net.away.get(entity) ?? [];
      this.#net.away.delete(entity);
      return { undo: this.attach(entity, service), requests: requests.slice(0, count) };
    },
  };

  isHere(entity: EntityId): boolean {
    return this.services.has(entity);
  }

  join(group: EntityId, member: EntityId): Undo {
    this.#net.isRight(this.isHere(member), 'a member that is not here');
    const members = this.#groups.get(group) ?? new Map<EntityId, object>();
    const join = {};
    this.#groups.set(group, members.set(member, join));
    return () => {
      if (members.get(member) === join) members.delete(member);
    };
  }

  members(group: EntityId): readonly EntityId[] {
    return [...(this.#groups.get(group)?.keys() ?? [])];
  }

  // ---- transactions ----

  *send(from: EntityId, to: EntityId, m: Message, options: SendOptions = {}): Task<Response> {
    this.#net.isRight(this.isHere(from), 'a client that is not here');
    const untilNs = this.#net.engine.nowNs + (options.timeoutNs ?? Number.POSITIVE_INFINITY);
    const t = this.#transaction(from, to, m, options);
    if (t.isDatagram) return outcome(to, ReplyCode.ok);
    const watch = this.#scope.spawn('silence', watchSilence(t));
    try {
      for (;;) {
        const response = t.responses.shift();
        if (response !== undefined) return response;
        if (!this.isHere(from)) return outcome(from, ReplyCode.entityMigrated);
        if (t.over) return outcome(to, ReplyCode.badTransactionId);
        const leftNs = untilNs - this.#net.engine.nowNs;
        if (leftNs <= 0) return outcome(to, ReplyCode.userTimeout);
        yield* t.changed.wait(leftNs);
      }
    } finally {
      watch.cancel();
      if (this.isHere(from) && !(t.toGroup && t.answered)) t.end();
    }
  }

  /** A new one, or the one that is under way. */
  #transaction(from: EntityId, to: EntityId, m: Message, options: SendOptions): Transaction {
    const before = this.#net.transactions.get(from);
    if (options.again === true && before !== undefined) return before;
    before?.end();
    before?.changed.wakeAll();
    const t = new Transaction(this.#net, from, to, m, options);
    this.#net.transactions.set(from, t);
    if (t.toGroup) this.#net.later(() => this.#distribute(t, m));
    else new CarriedRequest(this.#net, t, to, to, m).send();
    return t;
  }

  /** To the members of a group: to all, or to those beside one entity, wherever that is. */
  #distribute(t: Transaction, m: Message): void {
    const beside = (flagsOf(m) & MessageFlag.coResident) === 0 ? null : entityIn(m, 1);
    if (beside !== null && this.#net.away.has(beside)) {
      this.#net.later(() => this.#distribute(t, m), retryNs);
      return;
    }
    for (const port of this.#net.ports) {
      if (!port.up || (beside !== null && !port.isHere(beside) && port.members(beside).length === 0))
        continue;
      for (const member of port.members(t.to)) {
        if (member === t.client) continue;
        const request = new CarriedRequest(this.#net, t, member, t.to, m);
        // Who is beside whom may be otherwise in a moment.
        if (beside === null) request.send();
        else request.arrive();
      }
    }
  }

  *nextResponse(from: EntityId, waitNs: number): Task<Response | undefined> {
    const t = this.#net.transactions.get(from);
    if (t === undefined || t.over || !t.toGroup) return undefined;
    if (t.responses.length === 0) yield* t.changed.wait(waitNs);
    return t.responses.shift();
  }

  *probe(entity: EntityId): Task<Probed> {
    yield* sleep(probeNs);
    if (this.#net.holding(entity) !== undefined) return 'here';
    if (!this.#net.isSilent(entity)) return 'nonexistent';
    yield* sleep(silenceNs);
    return 'noAnswer';
  }
}

/** Ends it when for a while nobody was left who could answer. */
function* watchSilence(t: Transaction): Task<void> {
  for (let silent = 0; silent < silentLooks; silent = t.hopeful ? 0 : silent + 1) yield* sleep(lookNs);
  t.answer(outcome(t.to, ReplyCode.retransmissionTimeout));
}

const outcome = (from: EntityId, code: number): Response => ({ from, message: message({ code }) });
