/** Entities with a service that does as it is told, and notes what it saw. */
import { seconds, sleep, type Task, WaitQueue } from '@backplane/engine';
import type {
  ArrivedRequest,
  Delivery,
  EntityId,
  EntityService,
  EntityTransport,
  Message,
  Response,
  SendOptions,
  Undo,
} from '@backplane/slots';
import { notConforming } from '../check.ts';
import type { Host, World } from '../transport/world.ts';
import { answerTo, codeIn, numberOf } from './messages.ts';

export function entitiesOf({ transport }: Host): EntityTransport {
  const { entities } = transport;
  if (entities === undefined) throw new Error('the transport under test has no entities');
  return entities;
}

const patienceNs = /* @__PURE__ */ seconds(2000);

/** What a service does with a request. */
export interface Manner {
  readonly delivery?: Delivery;
  /** How long it works on one; infinitely: until it is told to answer. */
  readonly worksNs?: number;
  /** What it does then; by default it answers. */
  readonly ends?: 'discard' | { readonly forwardTo: EntityId };
}

export class Desk implements EntityService {
  readonly entity: EntityId;
  manner: Manner;
  /** Requests that it took, and their numbers. */
  readonly requests: ArrivedRequest[] = [];
  readonly seen: number[] = [];
  /** Numbers of those of which it was told that they are abandoned. */
  readonly told: number[] = [];
  /** What came of its forwards. */
  readonly forwarded: boolean[] = [];
  readonly leave: Undo;
  readonly host: Host;

  constructor(host: Host, manner: Manner = {}, entity: EntityId = entitiesOf(host).mint()) {
    this.host = host;
    this.manner = manner;
    this.entity = entity;
    this.leave = entitiesOf(host).attach(entity, this);
  }

  arrived(request: ArrivedRequest): Delivery {
    const { delivery = 'taken', worksNs = 0 } = this.manner;
    if (delivery !== 'taken') return delivery;
    this.requests.push(request);
    this.seen.push(numberOf(request.message));
    if (worksNs < Infinity) this.host.spawn(this.#work(request, worksNs));
    return 'taken';
  }

  abandoned(request: ArrivedRequest): void {
    this.told.push(numberOf(request.message));
  }

  /** Answers the request that it took as its nth one. */
  answer(n: number): void {
    const request = this.requests[n];
    if (request !== undefined) this.host.spawn(request.respond(answerTo(request.message)));
  }

  join(group: EntityId): Undo {
    return entitiesOf(this.host).join(group, this.entity);
  }

  // ---- as a client ----

  /** A transaction, to its end: none of a check is to take as long as `patienceNs`. */
  asks(world: World, to: EntityId, m: Message, options?: SendOptions): Response {
    const { host } = this;
    const ended = new WaitQueue<Response>();
    const sending = this.sending(to, m, options);
    const response = world.drive(function* () {
      host.spawn(
        (function* (): Task<void> {
          ended.wakeAll(yield* sending);
        })(),
      );
      return yield* ended.wait(patienceNs);
    });
    if (response === undefined) throw notConforming('the transaction', 'an end', 'none');
    return response;
  }

  /** The code with which a transaction ends. */
  code(world: World, to: EntityId, m: Message, options?: SendOptions): number {
    return codeIn(this.asks(world, to, m, options));
  }

  sending(to: EntityId, m: Message, options?: SendOptions): Task<Response> {
    return entitiesOf(this.host).send(this.entity, to, m, options);
  }

  /** Who gave the next response, if there is one. */
  next(world: World, waitNs: number): EntityId | null {
    const { host, entity } = this;
    return world.on(host, () => entitiesOf(host).nextResponse(entity, waitNs))?.from ?? null;
  }

  *#work(request: ArrivedRequest, worksNs: number): Task<void> {
    if (worksNs > 0) yield* sleep(worksNs);
    const { ends } = this.manner;
    if (ends === 'discard') {
      request.discard();
      return;
    }
    if (ends !== undefined) {
      const forwarded = yield* request.forward(ends.forwardTo, request.message);
      this.forwarded.push(forwarded);
      if (forwarded) return;
    }
    yield* request.respond(answerTo(request.message));
  }
}

/** So many hosts, and a client on the first of them. */
export const names: readonly string[] = ['here', 'there', 'third', 'fourth'];
