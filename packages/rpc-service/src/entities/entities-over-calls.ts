/**
 * The capability `entities` for a transport that knows only calls between kernels: message transactions as V's programs use
 * them, carried by `call`, `ask` and `serve` (numbers 140 to 146).
 *
 *   part               what it does
 *   Numbers            mints
 *   AttachedEntities   who is here, and who is a member of which group
 *   Places             where the others are
 *   Segments           messages larger than a call
 *   HeldRequests       the server's half: requests at entities of this host
 *   Dispatch           brings a request to its entity
 *   EntityClients      the client's half: transactions of entities of this host
 *
 * A transaction with another host costs one call when the server answers soon, and two when it does not. Processor time is
 * what the transport charges for its calls; nothing is added, since nobody has measured such a layer.
 *
 * Lost in a crash: everything. An idle host has no events for it, and one without entities answers that they are not here.
 */
import { type Task, tasks } from '@backplane/engine';
import {
  controlBytes,
  type EntityId,
  type EntityService,
  type EntityTransport,
  type HostId,
  type Machine,
  type Message,
  type Probed,
  ReplyCode,
  type Response,
  type SendOptions,
  type Silent,
  segmentBytesMax,
  silent,
  type Transport,
  type Undo,
} from '@backplane/slots';
import { AttachedEntities } from './attached.ts';
import { EntityClients } from './clients.ts';
import { Dispatch } from './dispatch.ts';
import { entityNotHere, wrongMessage } from './errors.ts';
import { HeldRequests } from './held-requests.ts';
import { Numbers } from './numbers.ts';
import { Places } from './places.ts';
import { askAgain, type Cut, type CutWord, giveUp, groupRequest, request, response } from './procedures.ts';
import type { Word } from './request.ts';
import { Segments } from './segments.ts';

export class EntitiesOverCalls implements EntityTransport {
  static {
    tasks(EntitiesOverCalls);
  }

  readonly #machine: Machine;
  readonly #transport: Transport;
  readonly #numbers: Numbers;
  readonly #attached: AttachedEntities;
  readonly #places: Places;
  readonly #segments: Segments;
  readonly #held: HeldRequests;
  readonly #clients: EntityClients;
  /** Nobody has to hear of deaths before there is an entity. */
  #listens = false;

  constructor(machine: Machine, transport: Transport) {
    this.#machine = machine;
    this.#transport = transport;
    const attached = new AttachedEntities(machine);
    const places = new Places(transport, attached);
    const segments = new Segments(transport);
    this.#attached = attached;
    this.#places = places;
    this.#segments = segments;
    this.#numbers = new Numbers(machine, (e) => attached.get(e) !== undefined);
    const held: HeldRequests = new HeldRequests({
      machine,
      transport,
      attached,
      segments,
      deliver: (client, transaction, answer) => void this.#clients.accept(client, transaction, answer),
      dispatch: () => dispatch,
    });
    const dispatch = new Dispatch({ engine: machine.engine, transport, places, segments, held });
    this.#held = held;
    this.#clients = new EntityClients({ machine, transport, places, segments, held, dispatch });
    this.#serve();
  }

  // ---- numbers ----

  mint(): EntityId {
    return this.#numbers.mint();
  }

  mintGroup(): EntityId {
    return this.#numbers.mintGroup();
  }

  wellKnownGroup(number: number): EntityId {
    return this.#numbers.wellKnownGroup(number);
  }

  // ---- entities of this host ----

  /** @throws BackplaneError `ENTITY_TAKEN`, `GROUP_ATTACHED` */
  attach(entity: EntityId, service: EntityService): Undo {
    this.#listen();
    return this.#attached.attach(entity, service, () =>
      this.#clients.leave(entity, ReplyCode.entityMigrated),
    );
  }

  isHere(entity: EntityId): boolean {
    return this.#attached.get(entity) !== undefined;
  }

  /** @throws BackplaneError `NOT_A_GROUP`, `ENTITY_NOT_HERE` */
  join(group: EntityId, member: EntityId): Undo {
    return this.#attached.join(group, member);
  }

  // ---- transactions ----

  /** @throws BackplaneError `ENTITY_NOT_HERE`, `WRONG_MESSAGE` */
  *send(from: EntityId, to: EntityId, message: Message, options?: SendOptions): Task<Response> {
    this.#checkHere(from, 'sends');
    const { control, segment } = message;
    if (control.length !== controlBytes || segment.length > segmentBytesMax)
      throw wrongMessage(this.#machine.name, control.length, segment.length);
    return yield* this.#clients.send(from, to, message, options);
  }

  *nextResponse(from: EntityId, waitNs: number): Task<Response | undefined> {
    return yield* this.#clients.nextResponse(from, waitNs);
  }

  *probe(entity: EntityId): Task<Probed> {
    return yield* this.#places.probe(entity);
  }

  #checkHere(entity: EntityId, what: string): void {
    if (!this.isHere(entity)) throw entityNotHere(this.#machine.name, entity, what);
  }

  // ---- what other hosts ask ----

  #serve(): void {
    const held = this.#held;
    const segments = this.#segments;
    this.#transport.serve(request, function* ({ cut, ...head }, from): Task<CutWord> {
      const message = yield* segments.whole(from.host, cut);
      return whole(yield* held.acceptFrom(from.host, { ...head, message }));
    });
    this.#transport.serve(groupRequest, function* ({ cut, ...head }, from): Task<CutWord | Silent> {
      const message = held.lacks(head) ? yield* segments.whole(from.host, cut) : bare(cut);
      const says = held.acceptFromEverybody({ ...head, message });
      return says === silent ? silent : whole(says);
    });
    const places = this.#places;
    const clients = this.#clients;
    const life = this.#machine.bootId;
    this.#transport.serve(response, function* ({ client, bootId, transaction, from: server, cut }, from) {
      if (bootId !== life) return false;
      const message = yield* segments.whole(from.host, cut);
      places.learn(server, from.host);
      return clients.accept(client, transaction, { from: server, message });
    });
    this.#transport.serve(askAgain, function* ({ client, transaction, to }, from): Task<CutWord> {
      return whole(held.askedAgain(client, from, transaction, to));
    });
    this.#transport.serve(giveUp, function* ({ client, transaction }, from): Task<null> {
      held.givenUp(client, from, transaction);
      return null;
    });
  }

  #listen(): void {
    if (this.#listens) return;
    this.#listens = true;
    const [held, clients] = [this.#held, this.#clients];
    this.#transport.peers.onDead(function* (host: HostId): Task<void> {
      held.died(host);
      clients.died(host);
    });
  }
}

/** A response that travels in a reply fits it. */
function whole(says: Word): CutWord {
  if (says.what !== 'responded') return says;
  const { from, message } = says.response;
  const { control, segment } = message;
  return { what: 'responded', from, cut: { control, segmentBytes: segment.length, rest: 0, first: segment } };
}

/** For a host of which every member has the request: only its head matters. */
const bare = ({ control, first }: Cut): Message => ({ control, segment: first });
