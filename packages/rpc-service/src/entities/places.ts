/**
 * Where entities are. A number says who minted it, and most entities never leave: that is the first guess and needs no
 * memory. Of those that have moved, the host where they were last seen is kept.
 *
 *   the guess says          then
 *   it is here              it is
 *   it is not here          forget the guess, ask everybody
 *   nothing                 ask everybody; the guess is kept, so that a host that is down stays silence and does not
 *                           become a host that has never heard of it
 *
 * Everybody is asked twice, half a second each (within which the transport repeats the question as it does): who moves is
 * nowhere for a moment, and a question to everybody may be lost. Threads that look for the same entity ask together: all who
 * had to do with a host miss it at once when it dies, and a transport carries few such questions at a time.
 */
import { ms, type Task, tasks, WaitQueue } from '@backplane/engine';
import {
  type EntityId,
  type HostId,
  isGroup,
  isKernelError,
  type Probed,
  type Silent,
  silent,
  type Transport,
} from '@backplane/slots';
import type { AttachedEntities } from './attached.ts';
import { mintedBy } from './numbers.ts';
import { locate } from './procedures.ts';

const windowNs = /* @__PURE__ */ ms(500);
const questions = 2;
/** Entities that have moved, of which the place is kept. */
const keptMax = 1000;

export interface Place {
  readonly host: HostId;
  /** Since when the entity has been there. */
  readonly sinceNs: number;
}

/** How a search has ended; null: its thread was cancelled. */
type Found = { readonly place: Place | undefined } | null;

export class Places {
  static {
    tasks(Places);
  }

  readonly #transport: Transport;
  readonly #attached: AttachedEntities;
  /** Only of those that are not where they were minted. */
  readonly #moved = new Map<EntityId, HostId>();
  /** Searches under way, and who waits for them to end. */
  readonly #searches = new Map<EntityId, WaitQueue<Found>>();

  constructor(transport: Transport, attached: AttachedEntities) {
    this.#transport = transport;
    this.#attached = attached;
    transport.serve(locate, ({ entity, toEverybody }) => this.#answer(entity, toEverybody));
  }

  /** Where to try first. */
  guess(entity: EntityId): HostId | undefined {
    if (this.#attached.sinceNs(entity) !== undefined) return this.#transport.self;
    return this.#moved.get(entity) ?? mintedBy(entity);
  }

  learn(entity: EntityId, host: HostId): void {
    if (host === mintedBy(entity)) {
      this.#moved.delete(entity);
      return;
    }
    if (this.#moved.get(entity) === host) return;
    this.#moved.set(entity, host);
    if (this.#moved.size <= keptMax) return;
    const [oldest] = this.#moved.keys();
    if (oldest !== undefined) this.#moved.delete(oldest);
  }

  /** A host said that it is not there. */
  forget(entity: EntityId): void {
    this.#moved.delete(entity);
  }

  /** Asks everybody, this host first. What others were not told who began before us, we ask once more. */
  *search(entity: EntityId): Task<Place | undefined> {
    let beganLater = false;
    for (;;) {
      const running = this.#searches.get(entity);
      if (running === undefined) return yield* this.#lead(entity);
      const found = yield* running.wait();
      if (found?.place !== undefined || (found && beganLater)) return found.place;
      beganLater = true;
    }
  }

  /** A search that others may join. */
  *#lead(entity: EntityId): Task<Place | undefined> {
    const joined = new WaitQueue<Found>();
    let found: Found = null;
    this.#searches.set(entity, joined);
    try {
      found = { place: yield* this.#askAll(entity) };
      return found.place;
    } finally {
      this.#searches.delete(entity);
      joined.wakeAll(found);
    }
  }

  *#askAll(entity: EntityId): Task<Place | undefined> {
    for (let tries = 0; tries < questions; tries++) {
      const sinceNs = this.#attached.sinceNs(entity);
      if (sinceNs !== undefined) return { host: this.#transport.self, sinceNs };
      const question = { entity, toEverybody: true };
      const answers = yield* this.#transport.ask(locate, question, { windowNs, enough: 1 });
      for (const { from, reply } of answers) {
        if (reply === null) continue;
        this.learn(entity, from);
        return { host: from, sinceNs: reply };
      }
    }
    return undefined;
  }

  /** A sign of life, from where it is. */
  *probe(entity: EntityId): Task<Probed> {
    if (isGroup(entity)) return (yield* this.search(entity)) === undefined ? 'noAnswer' : 'here';
    const guess = this.guess(entity);
    let told = guess === undefined;
    if (guess === this.#transport.self) {
      if (this.#attached.sinceNs(entity) !== undefined) return 'here';
      told = true;
    } else if (guess !== undefined) {
      try {
        const question = { entity, toEverybody: false };
        if ((yield* this.#transport.call(guess, locate, question)) !== null) return 'here';
        this.forget(entity);
        told = true;
      } catch (e) {
        if (!isKernelError(e)) throw e;
      }
    }
    if ((yield* this.search(entity)) !== undefined) return 'here';
    return told ? 'nonexistent' : 'noAnswer';
  }

  *#answer(entity: EntityId, toEverybody: boolean): Task<number | null | Silent> {
    const sinceNs = this.#attached.sinceNs(entity);
    if (sinceNs !== undefined) return sinceNs;
    return toEverybody ? silent : null;
  }
}
