/**
 * Sprite's prefix table (Welch and Ousterhout 1986; Welch 1990, chapter 4): a host's hints, shared by its processes.
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

import { type Hint, isUnder } from '@backplane/file-service';
import type { Export } from '@backplane/slots';

export interface Entry {
  readonly prefix: string;
  /** Who serves it, as far as is known. */
  hint: Hint | null;
  /** This host exports it: nobody is asked. */
  exported: boolean;
  /** Somebody has answered for it once: silence now means that he is down. */
  answered: boolean;
}

export class PrefixTable {
  readonly #entries = new Map<string, Entry>();

  constructor() {
    this.#entry('/');
  }

  /** The longest entry of the path; with `entry`, the root or one that is shorter than the path. */
  match(path: string, about: 'object' | 'entry'): Entry {
    let best: Entry = this.#entry('/');
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

  exported(prefix: string): Hint | undefined {
    const entry = this.#entries.get(prefix);
    return entry?.exported === true && entry.hint !== null ? entry.hint : undefined;
  }

  #entry(prefix: string): Entry {
    let entry = this.#entries.get(prefix);
    if (entry === undefined) {
      entry = { prefix, hint: null, exported: false, answered: false };
      this.#entries.set(prefix, entry);
    }
    return entry;
  }
}
