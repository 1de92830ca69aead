/**
 * A model of what the transports of many hosts do together: transactions between entities, with letters that take a while,
 * as drawn from the engine's seed, and no frames. Where an entity is is looked up in one place, at the instant at which a
 * letter arrives.
 */
import { type Engine, type RandomStream, Timer, us } from '@backplane/engine';
import type { EntityId, EntityService } from '../entities.ts';
import type { CarriedRequest } from './carried-request.ts';
import type { EntityPort } from './entity-port.ts';
import type { Transaction } from './entity-transaction.ts';

export interface EntityNetOptions {
  /**
   * Default true: it throws when a request is ended twice, or an entity is attached twice, sends or joins where it is not. False:
   * it does what it can, for tests of what sees such things.
   */
  readonly strict?: boolean;
}

/** Who hands a letter over goes on before it can have arrived. */
export const handOverNs: number = /* @__PURE__ */ us(10);
const delayMaxNs = /* @__PURE__ */ us(900);
export const retryNs: number = /* @__PURE__ */ us(2000);

export class EntityNet {
  readonly engine: Engine;
  readonly ports: EntityPort[] = [];
  /** By client: what it has under way, wherever it is, or the last that it had. */
  readonly transactions: Map<EntityId, Transaction> = new Map();
  /** What services have and have not ended, in the order in which they took it. */
  readonly taken: Set<CarriedRequest> = new Set();
  /** Entities between two hosts, and the requests that they took along. */
  readonly away: Map<EntityId, readonly CarriedRequest[]> = new Map();
  /** Requests that services have taken. */
  delivered = 0;
  readonly #strict: boolean;
  readonly #random: RandomStream;

  constructor(engine: Engine, { strict = true }: EntityNetOptions = {}) {
    this.engine = engine;
    this.#strict = strict;
    this.#random = engine.random('entity net');
  }

  later(f: () => void, ns: number = handOverNs + 1 + this.#random.below(delayMaxNs)): void {
    new Timer(this.engine.root, 'letter', f).set(ns);
  }

  chance(p: number): boolean {
    return this.#random.chance(p);
  }

  /** Whether a call is as the contract has it. */
  isRight(right: boolean, otherwise: string): boolean {
    if (!right && this.#strict) throw new Error(otherwise);
    return right;
  }

  holding(entity: EntityId): EntityPort | undefined {
    return this.ports.find((p) => p.up && p.services.has(entity));
  }

  serviceOf(entity: EntityId): EntityService | undefined {
    return this.holding(entity)?.services.get(entity);
  }

  /** It is somewhere, or between two hosts. */
  lives(entity: EntityId): boolean {
    return this.away.has(entity) || this.holding(entity) !== undefined;
  }

  /** The host on which it was last is down: nobody says that it is not there. */
  isSilent(entity: EntityId): boolean {
    const last = this.ports.findLast((p) => p.services.has(entity));
    return last !== undefined && !this.ports.some((p) => p.up && p.host === last.host);
  }
}
