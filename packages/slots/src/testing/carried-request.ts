/**
 * A request on its way to one entity, and there.
 *
 *   state      event                                  action                         next
 *   underWay   letter, the service takes it                                          taken
 *   underWay   letter, busy, frozen or moving         the letter again, later        underWay
 *   underWay   letter, not awaiting                   tell a single client           ended
 *   underWay   letter, nobody has the entity          a living host tells a client   ended
 *   underWay   letter, nobody waits for the answer                                   ended
 *   taken      respond, discard                       tell the client                ended
 *   taken      forward                                a request to the next          ended
 *   taken      its entity goes to another host        another one to answer there    ended
 */
import { sleep, type Task } from '@backplane/engine';
import {
  type ArrivedRequest,
  type EntityId,
  isGroup,
  type Message,
  MessageFlag,
  type MessagePriority,
  ReplyCode,
  type Response,
} from '../entities.ts';
import { flagsOf, message } from '../message.ts';
import { type EntityNet, handOverNs, retryNs } from './entity-net.ts';
import type { Transaction } from './entity-transaction.ts';

const forwardsMax = 15;
/** Of the responses that may be asked for again, so many are. */
const repeatedShare = 0.3;

export class CarriedRequest implements ArrivedRequest {
  readonly entity: EntityId;
  readonly to: EntityId;
  readonly message: Message;
  abandoned = false;
  readonly #net: EntityNet;
  readonly #transaction: Transaction;
  readonly #forwards: number;
  #state: 'underWay' | 'taken' | 'ended' = 'underWay';

  /** @param to the entity, or the group through which it comes */
  constructor(net: EntityNet, t: Transaction, entity: EntityId, to: EntityId, m: Message, forwards = 0) {
    this.#net = net;
    this.#transaction = t;
    this.entity = entity;
    this.to = to;
    this.message = m;
    this.#forwards = forwards;
    t.requests.push(this);
  }

  get client(): EntityId {
    return this.#transaction.client;
  }

  get priority(): MessagePriority {
    return this.#transaction.priority;
  }

  get hopeful(): boolean {
    return this.#state === 'underWay' || (this.#state === 'taken' && this.#net.lives(this.entity));
  }

  /** `send` or `arrive` is called once, by whoever made it. */
  send(): void {
    this.#net.later(() => this.arrive());
  }

  arrive(): void {
    if (!this.#transaction.wanted) {
      this.#state = 'ended';
      return;
    }
    const service = this.#net.serviceOf(this.entity);
    if (service === undefined && !this.#net.away.has(this.entity)) {
      this.#state = 'ended';
      if (!this.#net.isSilent(this.entity)) this.#fail(ReplyCode.nonexistentEntity);
      return;
    }
    // The service may end it at once.
    this.#take();
    const delivery = service?.arrived(this) ?? 'frozen';
    if (delivery === 'taken') {
      this.#net.delivered++;
      return;
    }
    this.#net.taken.delete(this);
    this.#state = delivery === 'notAwaiting' ? 'ended' : 'underWay';
    if (delivery === 'notAwaiting') this.#fail(ReplyCode.notAwaitingMessage);
    else this.#net.later(() => this.arrive(), retryNs);
  }

  #take(): void {
    this.#state = 'taken';
    this.#net.taken.add(this);
  }

  abandon(): void {
    if (this.abandoned) return;
    this.abandoned = true;
    if (this.#state === 'taken') this.#net.serviceOf(this.entity)?.abandoned?.(this);
  }

  /** The same request, to be answered from another host. */
  moved(): CarriedRequest {
    this.#end();
    const moved = this.#again();
    moved.abandoned = this.abandoned;
    moved.#take();
    return moved;
  }

  *respond(response: Message): Task<void> {
    if (!this.#end()) return;
    const t = this.#transaction;
    this.#net.later(() => t.answer({ from: this.entity, message: response }));
    const repeatable = (flagsOf(response) & MessageFlag.datagram) !== 0;
    if (repeatable && t.toGroup && this.#net.chance(repeatedShare)) this.#again().send();
    yield* sleep(handOverNs);
  }

  *forward(to: EntityId, m: Message): Task<boolean> {
    if (isGroup(this.to) || isGroup(to) || this.#forwards >= forwardsMax) return false;
    if (!this.#end()) return true;
    new CarriedRequest(this.#net, this.#transaction, to, to, m, this.#forwards + 1).send();
    yield* sleep(handOverNs);
    return true;
  }

  discard(): void {
    if (this.#end()) this.#fail(ReplyCode.responseDiscarded);
  }

  #again(): CarriedRequest {
    return new CarriedRequest(
      this.#net,
      this.#transaction,
      this.entity,
      this.to,
      this.message,
      this.#forwards,
    );
  }

  /** False if it was ended before. */
  #end(): boolean {
    if (!this.#net.isRight(this.#state === 'taken', 'a request is ended twice')) return false;
    this.#state = 'ended';
    this.#net.taken.delete(this);
    return true;
  }

  /** Tells a client who asked one entity. Members of a group fail in silence. */
  #fail(code: number): void {
    if (isGroup(this.to)) return;
    const response: Response = { from: this.to, message: message({ code }) };
    this.#net.later(() => this.#transaction.answer(response));
  }
}
