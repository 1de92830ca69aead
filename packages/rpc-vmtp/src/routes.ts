/**
 * The host cache: where entities are, and what sending there needs (RFC 1045, section 2.4 and appendix VII.2). It learns from
 * every packet that arrives, and is a cache of hints: one that is wrong costs a message that nobody answers, or one that
 * says so.
 *
 * A route is what is known of a place, whichever entities live there:
 *
 *   round trip    smoothed, from a request's retransmission to the notice that it was received; while the network is busy,
 *                 at least what its pace makes of it
 *   send gap      between packets of a group to there: grows when some were lost beyond this host's interface, and slowly
 *                 shrinks
 *   asked gap     between packets of a group from there, as our requests ask for: the same, for responses that their server
 *                 does not keep; of others it is told itself what lacks
 *
 * Both gaps begin with this host's own turnaround, for want of a better guess of what a host of its kind can receive.
 */
import { type EntityId, noEntity } from '@backplane/slots';
import { here, type Place } from './carrier.ts';
import { Pace } from './pace.ts';
import { gapStep, gapUnitNs, gapUnitsMax, roundTripFirstNs } from './times.ts';

export class Route {
  readonly place: Place;
  sendGap: number;
  askedGap: number;
  /** It has not said that it takes no runs of messages. */
  streams = true;
  #measuredNs: number = roundTripFirstNs;
  readonly #pace: Pace;
  readonly #ownGap: number;

  constructor(place: Place, pace: Pace, ownGap: number) {
    this.place = place;
    this.#pace = pace;
    this.#ownGap = ownGap;
    this.sendGap = ownGap;
    this.askedGap = ownGap;
  }

  /** As TCP does. */
  measured(roundTripNs: number): void {
    this.#measuredNs += Math.round((roundTripNs - this.#measuredNs) / 8);
  }

  get roundTripNs(): number {
    return Math.max(this.#measuredNs, this.#pace.roundTripNs);
  }

  /** Packets of a group to there were lost. */
  widenSend(): void {
    this.sendGap = Math.min(gapUnitsMax, this.sendGap + gapStep);
  }

  /** A group of several packets went there without loss. */
  easeSend(): void {
    if (this.sendGap > this.#ownGap) this.sendGap--;
  }

  widenAsked(): void {
    this.askedGap = Math.min(gapUnitsMax, this.askedGap + gapStep);
  }

  easeAsked(): void {
    if (this.askedGap > this.#ownGap) this.askedGap--;
  }
}

interface Heard {
  entity: EntityId;
  place: Place;
}

const entitiesMax = 4096;
const placesMax = 1024;

export class Routes {
  /** Of whatever comes, by all routes. */
  readonly pace: Pace = new Pace();
  readonly #ownGap: number;
  readonly #byEntity = new Map<EntityId, Route>();
  readonly #byPlace = new Map<Place, Route>();
  /** What was asked for last. */
  #last: Route | null = null;
  /** Who was heard last, of those who answer and of those who ask. */
  readonly #answering: Heard = { entity: noEntity, place: here };
  readonly #asking: Heard = { entity: noEntity, place: here };

  /** @param turnaroundNs of this host's interface */
  constructor(turnaroundNs: number) {
    this.#ownGap = Math.min(gapUnitsMax, Math.ceil(turnaroundNs / gapUnitNs));
  }

  /** Where it was heard last. */
  of(entity: EntityId): Route | undefined {
    const route = this.#byEntity.get(entity);
    if (route !== undefined) this.#last = route;
    return route;
  }

  /** The route to there. Mostly somebody there was heard just now, or has been looked up. */
  at(place: Place): Route {
    if (this.#last?.place === place) return this.#last;
    let route = this.#byPlace.get(place);
    if (route === undefined) {
      if (this.#byPlace.size >= placesMax) dropOldest(this.#byPlace);
      route = new Route(place, this.pace, this.#ownGap);
      this.#byPlace.set(place, route);
    }
    this.#last = route;
    return route;
  }

  /** A response of the entity came from there. Most of its packets come like the one before. */
  answered(entity: EntityId, place: Place): void {
    this.#learn(entity, place, this.#answering);
  }

  /** A request of the entity did. */
  asked(entity: EntityId, place: Place): void {
    this.#learn(entity, place, this.#asking);
  }

  #learn(entity: EntityId, place: Place, last: Heard): void {
    if (entity === last.entity && place === last.place) return;
    last.entity = entity;
    last.place = place;
    const known = this.#byEntity.get(entity);
    if (known !== undefined && known.place === place) {
      this.#last = known;
      return;
    }
    if (known === undefined && this.#byEntity.size >= entitiesMax) dropOldest(this.#byEntity);
    this.#byEntity.set(entity, this.at(place));
  }

  some(f: (entity: EntityId) => boolean): boolean {
    return [...this.#byEntity.keys()].some(f);
  }

  forget(entity: EntityId): void {
    this.#answering.entity = noEntity;
    this.#asking.entity = noEntity;
    this.#byEntity.delete(entity);
  }
}

function dropOldest<K>(map: Map<K, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
