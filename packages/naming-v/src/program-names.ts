/**
 * The names as one program knows them: its own cache of prefixes, filled by its parent at its start and by asking since. A
 * hint is used until a manager says that it is wrong; nobody is told that it has become so.
 *
 *   what is known of the name        event                        next
 *   a manager                        -                            the operation goes there
 *   an alias                         up to eight of them          the same with the name that it stands for
 *   an alias                         one more                     `nameLoop`
 *   nothing, or a forgotten one      a round finds a lead         noted
 *   nothing                          `none`, or `silent`          `notFound`
 *   a forgotten one                  `none`                       dropped: the name is that of a shorter prefix now
 *   a forgotten one, or one that     `silent`                     another round after a second; `noAnswer` when patience
 *   the directory names                                           is at its end
 */
import { seconds, sleep, type Task, tasks } from '@backplane/engine';
import {
  type Hint,
  type Hints,
  joinPath,
  remainderOf,
  type Substituted,
  tidy,
} from '@backplane/file-service';
import { type About, type Attempt, KernelError, type NameTarget, pathBytesMax } from '@backplane/slots';
import { utf8Length } from '@backplane/wire';
import { type Alias, isAlias, type Lead } from './answer.ts';
import { Gathering } from './gathering.ts';
import { PrefixCache } from './prefix-cache.ts';
import { type NameQuery, type Outcome, Search } from './search.ts';

/** Between two rounds. */
const againNs = /* @__PURE__ */ seconds(1);
const aliasesMax = 8;

export class ProgramNames implements Hints {
  static {
    tasks(ProgramNames);
  }

  /** A context that its manager does not know any more is found again by name. */
  readonly reenters = true;
  readonly #query: NameQuery;
  readonly #cache: PrefixCache;

  constructor(query: NameQuery, cache: PrefixCache = new PrefixCache()) {
    this.#query = query;
    this.#cache = cache;
  }

  inherit(): ProgramNames {
    return new ProgramNames(this.#query, this.#cache.copy());
  }

  /** The same cache; what is not in it is asked by this host. */
  from(query: NameQuery): ProgramNames {
    return new ProgramNames(query, this.#cache);
  }

  *locate(path: string, about: About): Task<Hint | Substituted> {
    const { counts } = this.#query;
    counts.lookups++;
    const followed: Alias[] = [];
    let asked = false;
    let name = path;
    try {
      for (;;) {
        let { lead } = this.#cache.match(name, about);
        if (lead === null) {
          if (!asked) counts.lookupsMulticast++;
          asked = true;
          lead = yield* this.#find(name, about);
        }
        if (!isAlias(lead)) return followed.length === 0 ? lead : { path: name, hint: lead };
        if (followed.length === aliasesMax) throw new KernelError('nameLoop', path);
        counts.aliases++;
        followed.push(lead);
        name = meant(lead, name);
      }
    } catch (e) {
      // They lead nowhere: the next lookup asks for them anew.
      for (const alias of followed) this.#cache.forgetAlias(alias);
      throw e;
    }
  }

  /** Does the operation go to all of a directory that several managers share? */
  isShared({ prefix, root, domainRoot, remainder }: NameTarget): boolean {
    const itself = remainder.split('/').every((c) => c === '' || c === '.');
    return itself && root === domainRoot && this.#cache.isShared(prefix);
  }

  gathering<T>(prefix: string, attempt: (t: NameTarget) => Task<Attempt<T>>): Gathering<T> {
    return new Gathering(this.#query, prefix, attempt);
  }

  learn(prefix: string): void {
    this.#query.counts.learned++;
    this.#cache.learn(prefix);
  }

  forget(hint: Hint): void {
    if (this.#cache.forget(hint)) this.#query.counts.forgotten++;
  }

  *#find(name: string, about: About): Task<Lead> {
    const query = this.#query;
    const search = new Search(query, name, about);
    const untilNs = query.nowNs + query.patienceNs;
    let exists = false;
    let named = false;
    for (let round = 1; ; round++) {
      const miss = this.#cache.match(name, about);
      // Another thread may have been faster.
      if (miss.lead !== null) return miss.lead;
      // The directory may be out of date, so everybody is asked now and then all the same: in rounds 1, 2, 4, 8 ...
      const outcome: Outcome = yield* search.round(miss, !named || (round & (round - 1)) === 0);
      if (outcome.is === 'found') {
        this.#cache.note(name, outcome.lead);
        return outcome.lead;
      }
      if (outcome.is === 'none') {
        if (miss.answered && this.#cache.drop(miss)) continue;
        throw new KernelError('notFound', name);
      }
      named = outcome.exists;
      exists ||= named || miss.answered;
      if (!exists) throw new KernelError('notFound', name);
      if (query.nowNs >= untilNs) throw new KernelError('noAnswer', name);
      yield* sleep(againNs);
    }
  }
}

/** The name that is meant by one below an alias. @throws KernelError `nameTooLong` */
function meant({ prefix, substitute }: Alias, name: string): string {
  const found = tidy(joinPath(substitute, remainderOf(prefix, name)));
  if (utf8Length(found) > pathBytesMax) throw new KernelError('nameTooLong', found.slice(0, 40));
  return found;
}
