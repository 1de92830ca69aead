/**
 * The search for one name whose manager a program does not know. A round of it:
 *
 *   step                                            what may come of it
 *   QueryName to those who share the directory,     the answer with the longest prefix that is believed
 *   where it is known to be shared; to everybody
 *   the question to the directory                   no such prefix: `none`, where a replica is sure of it
 *   QueryName to the manager that it names          its answer; an alias needs no manager
 *   no replica answers: QueryName once more         as above
 *   silence                                         `silent`, and whether a manager is known to exist
 *
 * While a directory is expected to answer, a question to everybody is brief: what is lost of it, the directory makes up for.
 * Without one it is repeated for as long as the transport holds out.
 *
 * An answer is believed if it shows the capability that belongs to the image that the directory has of its prefix. Of what
 * the directory has not heard of, it is believed while no replica is sure that there is no such prefix; and if no replica
 * answers at all: a name is to be found whenever its manager can be.
 */
import { type Task, tasks } from '@backplane/engine';
import { type Hint, isUnder } from '@backplane/file-service';
import type { About, EntityId } from '@backplane/slots';
import { type Answer, isAlias, type Lead } from './answer.ts';
import { imageOf } from './capability.ts';
import type { NameCounts } from './counts.ts';
import type { CacheEntry } from './prefix-cache.ts';
import { leadOf, type Registration } from './registration.ts';
import type { Share } from './share.ts';

/** What the directory says about a name. */
export interface Known {
  /** `silent`: no replica answers; `sure`: what is not here does not exist; `unsure`: it may not have been heard of. */
  readonly directory: 'silent' | 'sure' | 'unsure';
  /** That cover the name: those of the longest prefix first, and of one prefix the latest. */
  readonly registrations: readonly Registration[];
}

/** What a host asks for its programs. Every answer that came in time. */
export interface NameQuery {
  everybody(name: string, about: About, brief: boolean): Task<readonly Answer[]>;
  sharers(prefix: string, name: string, about: About, brief: boolean): Task<readonly Answer[]>;
  handler(handler: EntityId, name: string, about: About): Task<readonly Answer[]>;
  directory(name: string, about: About): Task<Known>;
  /** It has answered of late, or has not been asked. */
  readonly directoryExpected: boolean;
  /** Answers are checked. */
  readonly checks: boolean;
  /** How long a manager that is known to exist, and does not answer, is asked again: it may be rebooting. */
  readonly patienceNs: number;
  readonly nowNs: number;
  readonly counts: NameCounts;
}

/** One of several managers of a directory, and the names in it that are its own. */
export interface Sharer {
  readonly hint: Hint;
  readonly share: Share;
}

export type Outcome =
  | { readonly is: 'found'; readonly lead: Lead }
  | { readonly is: 'none' }
  | { readonly is: 'silent'; readonly exists: boolean };

export class Search {
  static {
    tasks(Search);
  }

  readonly #query: NameQuery;
  readonly #name: string;
  readonly #about: About;
  /** Asked at most once in a round. */
  #known: Known | null = null;

  constructor(query: NameQuery, name: string, about: About) {
    this.#query = query;
    this.#name = name;
    this.#about = about;
  }

  /** @param everybody whether groups are asked, or only the directory and whom it names */
  *round(miss: CacheEntry, everybody: boolean): Task<Outcome> {
    this.#known = null;
    const brief = this.#query.directoryExpected;
    let lead = everybody ? yield* this.#multicast(miss, brief) : undefined;
    if (lead !== undefined) return { is: 'found', lead };

    const known = yield* this.#directory();
    const registrations = known.registrations.filter((r) => r.prefix.length >= miss.prefix.length);
    const longest = registrations[0]?.prefix;
    for (const r of registrations) {
      if (r.prefix !== longest) break;
      const found = leadOf(r) ?? (yield* this.#ask(r.handler, miss));
      if (found !== undefined) return { is: 'found', lead: found };
    }
    if (longest === undefined && known.directory === 'sure') return { is: 'none' };
    if (everybody && brief && known.directory === 'silent') lead = yield* this.#multicast(miss, false);
    if (lead !== undefined) return { is: 'found', lead };
    return { is: 'silent', exists: longest !== undefined };
  }

  // ---- a shared directory as a whole ----

  /** A round with those who share the directory of this name: all of them that answer, and are believed. */
  *sharers(): Task<readonly Sharer[]> {
    this.#known = null;
    const { counts, directoryExpected } = this.#query;
    counts.multicasts++;
    const name = this.#name;
    return yield* this.#sharing(yield* this.#query.sharers(name, name, this.#about, directoryExpected));
  }

  /** One of them that the directory knows, by itself. */
  *sharer(handler: EntityId): Task<readonly Sharer[]> {
    return yield* this.#sharing(yield* this.#query.handler(handler, this.#name, this.#about));
  }

  /** What the directory says of those who share it. */
  *registered(): Task<Known> {
    const { directory, registrations } = yield* this.#directory();
    return { directory, registrations: registrations.filter((r) => r.prefix === this.#name) };
  }

  *#sharing(answers: readonly Answer[]): Task<readonly Sharer[]> {
    const found: Sharer[] = [];
    for (const answer of answers) {
      const { lead, share } = answer;
      if (isAlias(lead) || share === undefined || lead.prefix !== this.#name) continue;
      if (yield* this.#believes(answer)) found.push({ hint: lead, share });
      else this.#query.counts.counterfeits++;
    }
    return found;
  }

  // ---- one name ----

  *#multicast(miss: CacheEntry, brief: boolean): Task<Lead | undefined> {
    const { counts } = this.#query;
    if (miss.shared) {
      counts.multicasts++;
      const answers = yield* this.#query.sharers(miss.prefix, this.#name, this.#about, brief);
      const lead = yield* this.#best(answers, miss);
      if (lead !== undefined) return lead;
    }
    counts.multicasts++;
    return yield* this.#best(yield* this.#query.everybody(this.#name, this.#about, brief), miss);
  }

  *#ask(handler: EntityId, miss: CacheEntry): Task<Lead | undefined> {
    return yield* this.#best(yield* this.#query.handler(handler, this.#name, this.#about), miss);
  }

  /** Several managers answer where one's names lie within another's: the longest prefix is right. */
  *#best(answers: readonly Answer[], miss: CacheEntry): Task<Lead | undefined> {
    const fitting = answers.filter(({ lead }) => this.#fits(lead.prefix, miss));
    for (const answer of fitting.sort((a, b) => b.lead.prefix.length - a.lead.prefix.length)) {
      if (yield* this.#believes(answer)) return answer.lead;
      this.#query.counts.counterfeits++;
    }
    return undefined;
  }

  /** Shorter prefixes than the miss asks for are of managers that have said "not mine". */
  #fits(prefix: string, miss: CacheEntry): boolean {
    const name = this.#name;
    const whole = this.#about === 'entry' && prefix === name && name !== '/';
    return prefix.length >= miss.prefix.length && isUnder(prefix, name) && !whole;
  }

  *#believes({ lead, capability }: Answer): Task<boolean> {
    if (!this.#query.checks) return true;
    const known = yield* this.#directory();
    const its = known.registrations.filter((r) => r.prefix === lead.prefix);
    if (its.length === 0) return known.directory !== 'sure';
    const image = imageOf(capability);
    return its.some((r) => r.image === '' || r.image === image);
  }

  *#directory(): Task<Known> {
    this.#known ??= yield* this.#query.directory(this.#name, this.#about);
    return this.#known;
  }
}
