/**
 * What is asked of a directory that several managers share, as a whole: of each for its own names. A round of it:
 *
 *   step                                        what may come of it
 *   QueryName to those who share the directory  who answers is asked, each once
 *   the ranges of those that were asked         they hold every name: it is the whole
 *   the question to the directory               each manager that it names beside these is asked by itself
 *   the directory is sure, nobody is missing    it is the whole: names in no range are nobody's
 *   a manager that it names is silent           another round after a second; a part, when patience is at its end
 *   some names are in nobody's range            another round, as answers may be lost; a part after the third
 *
 * Nobody's hint is used for it, and none is noted: a listing that misses what it does not know of would look like a whole one.
 */
import { seconds, sleep, type Task, tasks } from '@backplane/engine';
import { compareBytes, type Hint } from '@backplane/file-service';
import type { Attempt, NameTarget } from '@backplane/slots';
import { type NameQuery, Search, type Sharer } from './search.ts';
import { coverAll, holds, type Share } from './share.ts';

/** What came of it, in the order of the names. */
export interface Gathered<T> {
  /** False: somebody who has some of the names, or may have them, has not answered. */
  readonly whole: boolean;
  readonly parts: readonly { readonly value: T; has(entry: string): boolean }[];
}

/** Between two rounds. */
const againNs = /* @__PURE__ */ seconds(1);
/** While nobody is known to be missing. */
const roundsMax = 3;

export class Gathering<T> {
  static {
    tasks(Gathering);
  }

  readonly #query: NameQuery;
  readonly #search: Search;
  readonly #attempt: (t: NameTarget) => Task<Attempt<T>>;
  /** By the first name of the range. */
  readonly #parts = new Map<string, { readonly share: Share; readonly value: T }>();

  constructor(query: NameQuery, prefix: string, attempt: (t: NameTarget) => Task<Attempt<T>>) {
    this.#query = query;
    this.#search = new Search(query, prefix, 'object');
    this.#attempt = attempt;
  }

  /** @throws KernelError what an attempt throws */
  *run(): Task<Gathered<T>> {
    const untilNs = this.#query.nowNs + this.#query.patienceNs;
    for (let round = 1; ; round++) {
      for (const sharer of yield* this.#search.sharers()) yield* this.#ask(sharer);
      const missing = this.#coversAll ? 'nobody' : yield* this.#missing();
      if (missing === 'nobody') return this.#gathered(true);
      const last = missing === 'unknown' ? round === roundsMax : this.#query.nowNs >= untilNs;
      if (last) return this.#gathered(false);
      yield* sleep(againNs);
    }
  }

  get #coversAll(): boolean {
    return coverAll([...this.#parts.values()].map(({ share }) => share));
  }

  /** Who has the names that nobody has answered for? Those that the directory names are asked first. */
  *#missing(): Task<'nobody' | 'somebody' | 'unknown'> {
    const { directory, registrations } = yield* this.#search.registered();
    let silent = false;
    for (const { share, handler } of registrations) {
      if (share === null || this.#parts.has(share.from)) continue;
      for (const sharer of yield* this.#search.sharer(handler)) yield* this.#ask(sharer);
      silent ||= !this.#parts.has(share.from);
    }
    if (silent) return 'somebody';
    return directory === 'sure' || this.#coversAll ? 'nobody' : 'unknown';
  }

  /** What is no answer may be one in the next round, when the manager has another root, or is back. */
  *#ask({ hint, share }: Sharer): Task<void> {
    if (this.#parts.has(share.from)) return;
    const outcome = yield* this.#attempt(targetOf(hint));
    if (outcome.is === 'done') this.#parts.set(share.from, { share, value: outcome.value });
  }

  #gathered(whole: boolean): Gathered<T> {
    const inOrder = [...this.#parts].sort(([a], [b]) => compareBytes(a, b));
    const parts = inOrder.map(([, { share, value }]) => ({
      value,
      has: (entry: string): boolean => holds(share, entry),
    }));
    return { whole, parts };
  }
}

/** The directory itself. */
const targetOf = ({ prefix, protocol, authority, root }: Hint): NameTarget => ({
  prefix,
  protocol,
  authority,
  root,
  domainRoot: root,
  remainder: '',
});
