/**
 * How entities of this host are served, as far as managers were asked to change that (RFC 1045, appendix III: CreateEntity and
 * ModifyService). An entity that nobody has asked about is its service's alone, and leaves no trace here.
 *
 *   the entity is             a request for it
 *   attached, and bounded     goes to its service, if that has none in hand, or fewer than may wait wait; else busy
 *   made, vacant, unbounded   notAwaiting: nobody serves it
 *   made, vacant, bounded     waits for a program, if fewer wait than may; else busy
 *   stopped                   notAwaiting
 *
 * A host cannot tell which request its program works on, so it counts those that were taken and not answered: one of them is
 * in hand, the others wait. Datagrams are not counted then, because nothing tells when they have been dealt with.
 */
import type { EntityId, EntityService, Undo } from '@backplane/slots';
import { entityTaken } from './errors.ts';
import { MadeEntity } from './made-entity.ts';
import type { Resident } from './residents.ts';

export interface EntityServicesParts {
  readonly machine: string;
  readonly mint: () => EntityId;
  /** Makes it an entity of this host. */
  readonly attach: (entity: EntityId, service: EntityService) => Undo;
  /** Requests that it has taken and not answered, those excepted that want no answer. */
  readonly unanswered: (entity: EntityId) => number;
}

interface Terms {
  readonly made: MadeEntity | null;
  /** How many may wait; null: nobody has said. */
  queueMax: number | null;
  stopped: boolean;
}

/** Made by request, at once. */
const madeMax = 256;

export class EntityServices {
  readonly #parts: EntityServicesParts;
  readonly #terms = new Map<EntityId, Terms>();
  #made = 0;

  constructor(parts: EntityServicesParts) {
    this.#parts = parts;
  }

  // ---- requests ----

  /** What is said of a request instead of handing it over. */
  refusal({ entity }: Resident): 'notAwaiting' | 'busy' | undefined {
    const terms = this.#terms.get(entity);
    if (terms === undefined) return undefined;
    const { made, queueMax, stopped } = terms;
    const vacant = made !== null && made.program === null;
    if (stopped || (vacant && queueMax === null)) return 'notAwaiting';
    if (queueMax === null) return undefined;
    const waiting = vacant ? made.waiting : this.#parts.unanswered(entity) - 1;
    return waiting < queueMax ? undefined : 'busy';
  }

  // ---- terms ----

  isMade(entity: EntityId): boolean {
    return this.#madeEntity(entity) !== null;
  }

  isVacant(entity: EntityId): boolean {
    return this.#madeEntity(entity)?.program === null;
  }

  isStopped(entity: EntityId): boolean {
    return (
      this.#terms.get(entity)?.stopped === true || (this.isVacant(entity) && this.queueMax(entity) === null)
    );
  }

  queueMax(entity: EntityId): number | null {
    return this.#terms.get(entity)?.queueMax ?? null;
  }

  bound(entity: EntityId, queueMax: number): void {
    const terms = this.#termsOf(entity);
    terms.queueMax = queueMax;
    terms.stopped = false;
  }

  stop(entity: EntityId): void {
    const terms = this.#termsOf(entity);
    terms.stopped = true;
    terms.made?.clear();
  }

  /** It is no more an entity of this host. */
  forget(entity: EntityId): void {
    if (this.isMade(entity)) this.#made--;
    this.#terms.delete(entity);
  }

  // ---- entities made by request ----

  /** A new one, vacant; undefined if there are too many. */
  make(): EntityId | undefined {
    if (this.#made >= madeMax) return undefined;
    const entity = this.#parts.mint();
    const made = new MadeEntity();
    made.leave = this.#parts.attach(entity, made);
    this.#terms.set(entity, { made, queueMax: null, stopped: false });
    this.#made++;
    return entity;
  }

  /**
   * A program attaches an entity: undefined if it was not made by request, and is to be attached as any other.
   * @throws BackplaneError `ENTITY_TAKEN`
   */
  serve(entity: EntityId, program: EntityService): Undo | undefined {
    const made = this.#madeEntity(entity);
    if (made === null) return undefined;
    if (made.program !== null) throw entityTaken(this.#parts.machine, entity);
    made.serve(program);
    return made.leave;
  }

  /** What serves it; of one that was made by request, what has attached it. */
  programOf({ entity, service }: Resident): EntityService | null {
    const made = this.#madeEntity(entity);
    return made === null ? service : made.program;
  }

  /** Ends one that was made by request. */
  end(entity: EntityId): void {
    this.#madeEntity(entity)?.leave();
  }

  #madeEntity(entity: EntityId): MadeEntity | null {
    return this.#terms.get(entity)?.made ?? null;
  }

  #termsOf(entity: EntityId): Terms {
    const known = this.#terms.get(entity);
    if (known !== undefined) return known;
    const terms: Terms = { made: null, queueMax: null, stopped: false };
    this.#terms.set(entity, terms);
    return terms;
  }
}
