/**
 * The names as one program knows them: its own cache of prefixes, filled by its parent at its start and by asking since. A
 * hint is used until a manager says that it is wrong; nobody is told that it has become so.
 */

import { seconds, sleep, type Task } from '@backplane/engine';
import { type Hint, type Hints, isUnder, PrefixTable } from '@backplane/file-service';
import { type About, KernelError } from '@backplane/slots';

/** The question to the name-handling group. */
export interface NameQuery {
  /** Every answer that came in time. */
  ask(name: string, about: About): Task<readonly Hint[]>;
  /** How long a manager that answered once, and now does not, is asked again: it may be rebooting. */
  readonly patienceNs: number;
  readonly counts: NameCounts;
}

export interface NameCounts {
  lookups: number;
  multicasts: number;
  learned: number;
  forgotten: number;
}

/** Between two questions for a manager that was there before. */
const againNs = /* @__PURE__ */ seconds(1);

export class ProgramNames implements Hints {
  readonly #query: NameQuery;
  readonly #table: PrefixTable;

  constructor(query: NameQuery, table: PrefixTable = new PrefixTable()) {
    this.#query = query;
    this.#table = table;
  }

  inherit(): ProgramNames {
    return new ProgramNames(this.#query, this.#table.copy());
  }

  *locate(path: string, about: About): Task<Hint> {
    const { counts } = this.#query;
    counts.lookups++;
    const entry = this.#table.match(path, about);
    if (entry.hint !== null) return entry.hint;
    for (let waitedNs = 0; ; waitedNs += againNs) {
      counts.multicasts++;
      const found = longest(yield* this.#query.ask(path, about), entry.prefix, path);
      if (found !== undefined) {
        this.#table.note(found);
        return found;
      }
      if (!entry.answered) throw new KernelError('notFound', path);
      if (waitedNs >= this.#query.patienceNs) throw new KernelError('noAnswer', path);
      yield* sleep(againNs);
    }
  }

  learn(prefix: string): void {
    this.#query.counts.learned++;
    this.#table.learn(prefix);
  }

  forget(hint: Hint): void {
    if (this.#table.forget(hint)) this.#query.counts.forgotten++;
  }
}

/**
 * Several managers answer where one's names lie within another's: the longest prefix is right. Shorter ones than the table
 * asks for are of managers that have said "not mine".
 */
function longest(answers: readonly Hint[], prefix: string, path: string): Hint | undefined {
  let best: Hint | undefined;
  for (const a of answers)
    if (a.prefix.length >= prefix.length && isUnder(a.prefix, path))
      if (best === undefined || a.prefix.length > best.prefix.length) best = a;
  return best;
}
