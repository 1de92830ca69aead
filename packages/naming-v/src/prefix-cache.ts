/**
 * The prefixes that one program knows: its own cache, a copy of its parent's at the start. An entry is a hint: it is used
 * until a manager says that it is wrong; nobody is told that it has become so.
 *
 * An entry covers names, and is about a prefix. The two differ where several managers share the directory behind the prefix:
 * then a manager's entry covers one name below it, or the directory itself, and an entry without a lead covers the rest.
 *
 *   covers      prefix   lead        of
 *   /           /        null        the root: every cache has it
 *   /src        /src     a manager   an answer
 *   /lib        /lib     null        a redirect: the prefix is another manager's
 *   /bin        /bin     an alias    an answer
 *   /home       /home    null        a shared directory: ask those who share it
 *   /home/ann   /home    a manager   an answer of the one who has it
 *   /home only  /home    a manager   an answer about the directory itself
 */
import { type Hint, isUnder, joinPath } from '@backplane/file-service';
import type { About } from '@backplane/slots';
import { type Alias, isAlias, type Lead } from './answer.ts';
import { firstBelow } from './share.ts';

export interface CacheEntry {
  /** This name and those below it, or with `only` this name. */
  readonly covers: string;
  readonly only: boolean;
  /** Of whoever answers for the name, at least: shorter ones are of managers that have said "not mine". */
  readonly prefix: string;
  lead: Lead | null;
  /** Several managers share the prefix. */
  shared: boolean;
  /** Somebody has answered for it once: silence now means that he is down. */
  answered: boolean;
}

export class PrefixCache {
  readonly #entries = new Map<string, CacheEntry>();

  constructor() {
    this.#entry('/');
  }

  /** For another program: from now on each learns for itself. */
  copy(): PrefixCache {
    const copied = new PrefixCache();
    for (const [key, entry] of this.#entries) copied.#entries.set(key, { ...entry });
    return copied;
  }

  /** The entry that says most about the name; an entry in a directory is never behind a prefix that is its whole name. */
  match(path: string, about: About): CacheEntry {
    let best = this.#entry('/');
    for (const e of this.#entries.values())
      if (
        (e.only ? e.covers === path : isUnder(e.covers, path)) &&
        !(about === 'entry' && e.prefix === path) &&
        saysMore(e, best)
      )
        best = e;
    return best;
  }

  /** A manager said that this prefix is another's. */
  learn(prefix: string): void {
    this.#entry(prefix);
  }

  /** Somebody has answered about the path. */
  note(path: string, lead: Lead): void {
    const { prefix } = lead;
    const whole = this.#entry(prefix);
    whole.answered = true;
    whole.shared = !isAlias(lead) && lead.shared === true;
    whole.lead = whole.shared ? null : lead;
    if (!whole.shared) return;
    const name = firstBelow(prefix, path);
    const one = name === '' ? this.#entry(prefix, prefix, true) : this.#entry(prefix, joinPath(prefix, name));
    one.lead = lead;
    one.answered = true;
  }

  /** Is the prefix that of a directory which several managers share? */
  isShared(prefix: string): boolean {
    return this.#entries.get(keyOf(prefix, prefix, false))?.shared === true;
  }

  /** Forgets the hint wherever it is still in use, and the aliases that led to it. False: another thread has mended it. */
  forget(wrong: Hint): boolean {
    let forgotten = false;
    for (const e of this.#entries.values())
      if (e.lead !== null && !isAlias(e.lead) && sameHint(e.lead, wrong)) {
        e.lead = null;
        forgotten = true;
      }
    if (forgotten)
      for (const { lead } of [...this.#entries.values()])
        if (lead !== null && isAlias(lead) && isUnder(wrong.prefix, lead.substitute)) this.forgetAlias(lead);
    return forgotten;
  }

  /** Nothing is left of it: what was behind the alias may be its substitute's parent's by now. */
  forgetAlias({ prefix, substitute }: Alias): void {
    const lead = this.#entries.get(keyOf(prefix, prefix, false))?.lead;
    if (lead !== undefined && lead !== null && isAlias(lead) && lead.substitute === substitute)
      this.#entries.delete(keyOf(prefix, prefix, false));
  }

  /** The prefix does not exist any more: its names are those of the prefix around it. The root stays. */
  drop(e: CacheEntry): boolean {
    return e.covers !== '/' && this.#entries.delete(keyOf(e.prefix, e.covers, e.only));
  }

  #entry(prefix: string, covers: string = prefix, only = false): CacheEntry {
    const key = keyOf(prefix, covers, only);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { covers, only, prefix, lead: null, shared: false, answered: false };
      this.#entries.set(key, entry);
    }
    return entry;
  }
}

const keyOf = (prefix: string, covers: string, only: boolean): string =>
  `${prefix}\0${covers}${only ? '\0' : ''}`;

/** A longer name first; of two managers of one name, the one whose prefix it is. */
function saysMore(a: CacheEntry, b: CacheEntry): boolean {
  if (a.covers.length !== b.covers.length) return a.covers.length > b.covers.length;
  if (a.prefix.length !== b.prefix.length) return a.prefix.length > b.prefix.length;
  return a.only && !b.only;
}

const sameHint = (a: Hint, b: Hint): boolean =>
  a.prefix === b.prefix && a.root === b.root && a.authority === b.authority;
