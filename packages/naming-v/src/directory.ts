/**
 * What one replica of the directory knows: for each prefix, who managed it last. It is shared memory of the relaxed kind
 * (Cheriton 1988, "problem-oriented shared memory"): replicas may differ, and what they say may be out of date; who uses it
 * finds out. Nothing is ever removed, so that a withdrawal can be told from what a replica has not heard of.
 *
 *   known           claim                          next
 *   nothing         any                            the claim
 *   protected       without the capability         as it was: refused
 *   of a handler    of the same one, not older     the claim
 *   of a handler    of another, withdrawn          as it was: it withdraws what it has lost already
 *   withdrawn       of another                     the claim
 *   of a handler    of another, later              the claim
 */
import type { About } from '@backplane/slots';
import { type Capability, imageOf } from './capability.ts';
import { type Claim, covers, type Registration, rangeOf } from './registration.ts';

export class Directory {
  /** By prefix, then by range. */
  readonly #prefixes = new Map<string, Map<string, Registration>>();

  /** From a manager. False: the prefix is another's, who registered it with a capability. */
  claim(c: Claim, shown: Capability): boolean {
    const image = imageOf(shown);
    for (const r of this.#prefixes.get(c.prefix)?.values() ?? [])
      if (!r.gone && r.image !== '' && r.image !== image) return false;
    this.merge({ ...c, image });
    return true;
  }

  /** From another replica. */
  merge(r: Registration): void {
    let ranges = this.#prefixes.get(r.prefix);
    if (ranges === undefined) {
      ranges = new Map();
      this.#prefixes.set(r.prefix, ranges);
    }
    const range = rangeOf(r);
    if (counts(r, ranges.get(range))) ranges.set(range, r);
  }

  /** About the name: those of the longest prefix first, and of one prefix the latest. */
  find(path: string, about: About): readonly Registration[] {
    const found: Registration[] = [];
    for (const prefix of ancestors(path))
      for (const r of this.#prefixes.get(prefix)?.values() ?? [])
        if (!r.gone && covers(r, path, about)) found.push(r);
    return found.sort((a, b) => b.prefix.length - a.prefix.length || b.stampNs - a.stampNs);
  }

  /** In the order in which their prefixes became known, from this number on. */
  *from(
    number: number,
  ): Iterable<{ readonly number: number; readonly registrations: readonly Registration[] }> {
    let at = 0;
    for (const ranges of this.#prefixes.values()) {
      if (at >= number) yield { number: at, registrations: [...ranges.values()] };
      at++;
    }
  }
}

function counts(r: Registration, known: Registration | undefined): boolean {
  if (known === undefined) return true;
  if (known.handler === r.handler) return r.stampNs >= known.stampNs;
  return !r.gone && (known.gone || r.stampNs > known.stampNs);
}

/** The path and every prefix that it may lie under, down to the root. */
function ancestors(path: string): readonly string[] {
  const found = [path];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
    found.push(path.slice(0, at));
  if (path !== '/') found.push('/');
  return found;
}
