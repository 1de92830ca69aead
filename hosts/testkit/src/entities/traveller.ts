/**
 * An entity that goes from host to host with what it is in the middle of, by the capability `moves`: what a kernel does for a
 * process. Its threads are its own, and go along.
 *
 *   event                    action
 *   a request arrives        frozen: say so; else take it, work on it and answer it from wherever we are by then
 *   move                     wait until nothing is being answered; take, be nowhere for a while, attach; join the groups again
 *   a send is `migrated`     wait until we have arrived; send it again there
 */
import { type Scope, sleep, type Task, type Thread, WaitQueue } from '@backplane/engine';
import {
  type ArrivedRequest,
  type Delivery,
  type EntityId,
  type EntityMoves,
  type EntityService,
  type Message,
  ReplyCode,
  type Response,
  type SendOptions,
  type Undo,
} from '@backplane/slots';
import { notConforming, same } from '../check.ts';
import type { Host } from '../transport/world.ts';
import { entitiesOf } from './desk.ts';
import { answerTo, codeIn, numberOf } from './messages.ts';

function movesOf(host: Host): EntityMoves {
  const { moves } = entitiesOf(host);
  if (moves === undefined) throw notConforming('the capability moves', true, false);
  return moves;
}

/** How it serves. */
export interface TravellersWork {
  /** How long it works on a request; infinitely: until it is told to answer. */
  readonly worksNs?: number | ((number: number) => number);
  /** Flags of its answers. */
  readonly flags?: number;
  /** Whom it passes requests on to, instead of answering them. */
  readonly forwardTo?: EntityId;
}

/** A request that it has taken and not yet ended, whatever host it is on. */
interface Open {
  request: ArrivedRequest;
}

export class Traveller implements EntityService {
  readonly entity: EntityId;
  host: Host;
  work: TravellersWork;
  /** Numbers of the requests that it took, in their order. */
  readonly seen: number[] = [];
  /** Numbers of those of which it was told that they are abandoned. */
  readonly told: number[] = [];
  /** Not yet ended, in the order in which they came. */
  readonly open: Open[] = [];
  frozen = false;
  #moves = 0;
  readonly #groups: EntityId[] = [];
  readonly #changed: WaitQueue = new WaitQueue();
  /** Answers on their way out. */
  #ending = 0;
  #scope: Scope;
  #undo: Undo;

  constructor(host: Host, work: TravellersWork = {}) {
    this.host = host;
    this.work = work;
    this.entity = entitiesOf(host).mint();
    this.#scope = host.machine.scope.child('traveller');
    this.#undo = entitiesOf(host).attach(this.entity, this);
  }

  arrived(request: ArrivedRequest): Delivery {
    if (this.frozen) return 'frozen';
    this.seen.push(numberOf(request.message));
    const open = { request };
    this.open.push(open);
    const { worksNs = 0 } = this.work;
    const forNs = typeof worksNs === 'number' ? worksNs : worksNs(numberOf(request.message));
    if (forNs < Infinity) this.spawn(this.#serve(open, forNs));
    return 'taken';
  }

  abandoned(request: ArrivedRequest): void {
    this.told.push(numberOf(request.message));
  }

  /** Ends what it has, from where it is. */
  answerAll(): void {
    for (const open of [...this.open]) this.spawn(this.#serve(open, 0));
  }

  join(group: EntityId): void {
    this.#groups.push(group);
    entitiesOf(this.host).join(group, this.entity);
  }

  leave(): void {
    this.#undo();
  }

  /** A thread that goes along. */
  spawn<T>(body: Task<T>): Thread<T> {
    return this.#scope.spawn('traveller', body);
  }

  *#serve(open: Open, worksNs: number): Task<void> {
    if (worksNs > 0) yield* sleep(worksNs);
    while (this.frozen) yield* this.#changed.wait();
    const at = this.open.indexOf(open);
    if (at < 0) return;
    this.open.splice(at, 1);
    const { request } = open;
    const { forwardTo, flags = 0 } = this.work;
    this.#ending++;
    if (forwardTo === undefined || !(yield* request.forward(forwardTo, request.message)))
      yield* request.respond(answerTo(request.message, flags));
    this.#ending--;
    this.#changed.wakeAll();
  }

  // ---- as a client ----

  /** One transaction, on however many hosts. */
  *send(to: EntityId, m: Message, options: SendOptions = {}): Task<Response> {
    for (let again = false; ; again = true) {
      while (this.frozen) yield* this.#changed.wait();
      const moves = this.#moves;
      const response = yield* entitiesOf(this.host).send(this.entity, to, m, { ...options, again });
      if (codeIn(response) !== ReplyCode.entityMigrated || moves === this.#moves) return response;
    }
  }

  // ---- on its way ----

  /** @param transitNs how long it is on no host at all */
  *move(to: Host, transitNs = 0): Task<void> {
    this.frozen = true;
    while (this.#ending > 0) yield* this.#changed.wait();
    const { state, requests } = movesOf(this.host).take(this.entity);
    this.#moves++;
    same('it is here when it has left', entitiesOf(this.host).isHere(this.entity), false);
    // By message: the other host sees bytes.
    const bytes = state.slice();
    if (transitNs > 0) yield* sleep(transitNs);
    this.arrive(to, bytes, requests);
    for (const group of this.#groups) entitiesOf(to).join(group, this.entity);
    this.frozen = false;
    this.#changed.wakeAll();
  }

  /** What the hosts are told; groups and threads that wait follow. */
  arrive(to: Host, state: Uint8Array, left: readonly ArrivedRequest[]): void {
    const { undo, requests } = movesOf(to).attach(this.entity, this, state);
    same('requests that have come along, in their order', requests.map(facts), left.map(facts));
    for (const open of this.open) {
      const there = requests[left.indexOf(open.request)];
      if (there !== undefined) open.request = there;
      else if (!open.request.abandoned)
        throw notConforming('a request in processing', 'it came along', 'it did not');
    }
    this.#undo = undo;
    this.host = to;
    const before = this.#scope;
    this.#scope = to.machine.scope.child('traveller');
    for (const thread of before.threads()) this.#scope.adopt(thread);
    before.crash();
  }

  /** From host to host, for ever: `pauseNs` says how long it stays. */
  *wander(next: () => Host, pauseNs: () => number, transitNs: () => number): Task<void> {
    for (;;) {
      yield* sleep(pauseNs());
      yield* this.move(next(), transitNs());
    }
  }
}

/** By which a request is recognised on another host. */
const facts = ({ client, to, priority, message }: ArrivedRequest): readonly (string | number)[] => [
  client,
  to,
  priority,
  numberOf(message),
];
