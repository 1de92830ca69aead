/**
 * A prefix table (Welch and Ousterhout 1986; Welch 1990, chapter 4): hints about names. In Sprite a host has one, which its
 * processes share; in V a host has one of what it exports, and each program a cache of its own.
 *
 * An entry is a prefix, and who serves it once that is known. Entries come from the root, which every table has, from
 * remote links that servers meet (without a server yet), and from the domains that this host exports itself. An entry is
 * a hint: it is used until a server says that it is wrong.
 *
 *   entry        event                          next
 *   unknown      locate, somebody answers       known
 *   unknown      locate, silence                unknown: `notFound` if nobody ever answered, else `noAnswer`
 *   known        a server says "stale"          unknown
 *   exported     -                              stays as long as the export
 */

import type { About, Export } from '@backplane/slots';
import type { Hint } from './name-loop.ts';
import { isUnder } from './paths.ts';

export interface PrefixEntry {
  readonly prefix: string;
  /** Who serves it, as far as is known. */
  hint: Hint | null;
  /** This host exports it: nobody is asked. */
  exported: boolean;
  /** Somebody has answered for it once: silence now means that he is down. */
  answered: boolean;
}

export class PrefixTable {
  readonly #entries = new Map<string, PrefixEntry>();

  constructor() {
    this.#entry('/');
  }

  /** The longest entry of the path; with `entry`, the root or one that is shorter than the path. */
  match(path: string, about: About): PrefixEntry {
    let best: PrefixEntry = this.#entry('/');
    for (const entry of this.#entries.values()) {
      if (
        entry.prefix.length > best.prefix.length &&
        isUnder(entry.prefix, path) &&
        !(about === 'entry' && entry.prefix === path)
      )
        best = entry;
    }
    return best;
  }

  /** An entry for a prefix that another server serves, without a server yet. */
  learn(prefix: string): void {
    this.#entry(prefix);
  }

  /** Forgets the hint if it is still the one that was tried: another thread may have mended it. */
  forget(wrong: Hint): boolean {
    const entry = this.#entries.get(wrong.prefix);
    if (
      entry === undefined ||
      entry.exported ||
      entry.hint?.root !== wrong.root ||
      entry.hint.authority !== wrong.authority
    )
      return false;
    entry.hint = null;
    return true;
  }

  export(e: Export): () => void {
    const entry = this.#entry(e.prefix);
    entry.hint = e;
    entry.exported = true;
    return () => {
      // The prefix may have been exported anew since: that one stays.
      if (entry.hint !== e) return;
      entry.exported = false;
      entry.hint = null;
    };
  }

  /** The exports that a path lies under; with `entry` the root, and those that are shorter than the path. */
  exportsOf(path: string, about: About): readonly Hint[] {
    const found: Hint[] = [];
    for (const { prefix, hint, exported } of this.#entries.values())
      if (exported && hint !== null && isUnder(prefix, path) && !(about === 'entry' && isWhole(prefix, path)))
        found.push(hint);
    return found;
  }

  exported(prefix: string): Hint | undefined {
    const entry = this.#entries.get(prefix);
    return entry?.exported === true && entry.hint !== null ? entry.hint : undefined;
  }

  #entry(prefix: string): PrefixEntry {
    let entry = this.#entries.get(prefix);
    if (entry === undefined) {
      entry = { prefix, hint: null, exported: false, answered: false };
      this.#entries.set(prefix, entry);
    }
    return entry;
  }
}

/** Every entry lies in some directory, those of the root in the root. */
const isWhole = (prefix: string, path: string): boolean => prefix === path && prefix !== '/';
