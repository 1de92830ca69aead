/**
 * The loop that every naming board runs: locate, attempt, learn (Welch 1990, chapter 4). A board supplies the hints; the
 * loop turns what a server answers into the next name to try.
 *
 *   outcome       next
 *   done          return
 *   redirect      learn the prefix in it, if any; try the new name
 *   above         leave the domain upwards; try the name there
 *   stale         forget the hint; locate again. Of a working directory: enter it again by its name, or fail
 *   unreachable   wait; "retry" tries the same again, "give up" is `noAnswer`
 *
 * When a server may have done it before it fell silent or went, the target says `again` from then on.
 *
 * At most ten redirects, climbs and stale hints together; else `nameLoop`. Waiting is not counted.
 */
import { type Task, tasks } from '@backplane/engine';
import {
  type About,
  type Attempt,
  KernelError,
  type NameTarget,
  type NameView,
  pathBytesMax,
  redirectsMax,
  type SecondAttempt,
  type Token,
} from '@backplane/slots';
import { utf8Length } from '@backplane/wire';
import { climb, joinPath, remainderOf, splitLast, tidy } from './paths.ts';

/** Where names lead, as far as is known. */
export interface Hint {
  readonly prefix: string;
  readonly protocol: string;
  readonly authority: NameTarget['authority'];
  readonly root: Token;
  /**
   * Several servers share the directory behind the prefix: this one has the name that was asked for, others have others. A
   * working directory that is shared is known by its name alone.
   */
  readonly shared?: true;
}

/** The path is an alias: what it stands for, and the hint for that. */
export interface Substituted {
  readonly path: string;
  readonly hint: Hint;
}

export interface Hints {
  /**
   * The longest prefix of an absolute path. `entry`: not one that is the whole path, except "/".
   * @throws `notFound`, `noAnswer`, `nameLoop`
   */
  locate(path: string, about: About): Task<Hint | Substituted>;
  /** A server said that this prefix is another's. */
  learn(prefix: string): void;
  /** A server said that it does not know this root. */
  forget(hint: Hint): void;
  /** The hints of a new process, where they are not shared. */
  inherit?(): Hints;
  /** A working directory that its server does not know any more is entered again by its name; else it is lost. */
  readonly reenters?: true;
}

type Enter = (t: NameTarget) => Task<Attempt<Token>>;

/** A working directory: found once, used by its token. */
interface WorkingDirectory {
  readonly path: string;
  readonly hint: Hint;
  /** Null: several servers share it, and each name in it is looked up from the root. */
  readonly token: Token | null;
  readonly enter: Enter;
}

export class LoopingView implements NameView {
  static {
    tasks(LoopingView);
  }

  readonly #hints: Hints;
  #directory: WorkingDirectory | null;

  constructor(hints: Hints, directory: WorkingDirectory | null = null) {
    this.#hints = hints;
    this.#directory = directory;
  }

  inherit(): NameView {
    return new LoopingView(this.#hints.inherit?.() ?? this.#hints, this.#directory);
  }

  /** The same view over other hints. */
  over(hints: (before: Hints) => Hints): LoopingView {
    return new LoopingView(hints(this.#hints), this.#directory);
  }

  get workingDirectory(): string {
    return this.#directory?.path ?? '/';
  }

  *chdir(name: string, enter: Enter): Task<void> {
    const path = name.startsWith('/') ? name : joinPath(this.workingDirectory, name);
    this.#directory = yield* this.#entered(name, tidy(path), enter);
  }

  *perform<T>(name: string, about: About, attempt: (t: NameTarget) => Task<Attempt<T>>): Task<T> {
    return yield* this.#loop(name, about, attempt);
  }

  *performTwo<T>(
    first: string,
    second: string,
    firstAbout: About,
    settle: (t: NameTarget) => Task<Attempt<unknown>>,
    attempt: (a: NameTarget, b: NameTarget) => Task<Attempt<T> | SecondAttempt<T>>,
  ): Task<T> {
    let one = first;
    let two = second;
    let again = false;
    for (let tries = 0; tries <= redirectsMax; ) {
      let a = yield* this.#locate(one, firstAbout, again);
      let b = yield* this.#locate(two, 'entry', again);
      if (!together(a.target, b.target)) {
        one = yield* this.#settle(one, settle);
        two = yield* this.#settle(two, settle);
        a = yield* this.#locate(one, firstAbout, again);
        b = yield* this.#locate(two, 'entry', again);
        if (!together(a.target, b.target)) throw new KernelError('crossDomain');
      }
      const outcome = yield* attempt(a.target, b.target);
      if (outcome.is === 'done') return outcome.value;
      if (outcome.is !== 'unreachable') tries++;
      if (outcome.is === 'second') {
        if (outcome.of.is === 'done') return outcome.of.value;
        two = yield* this.#next(two, b, outcome.of);
      } else {
        again ||= perhapsDone(outcome);
        one = yield* this.#next(one, a, outcome);
      }
    }
    throw new KernelError('nameLoop', first);
  }

  /** The name with every redirect on the way to its parent resolved. */
  *#settle(name: string, settle: (t: NameTarget) => Task<Attempt<unknown>>): Task<string> {
    const { parent, last } = splitLast(name);
    const settled = yield* this.#loop(parent, 'object', function* (t, at) {
      const outcome = yield* settle(t);
      return outcome.is === 'done' ? ({ is: 'done', value: at.path } as const) : outcome;
    });
    return joinPath(settled, last);
  }

  *#loop<T>(name: string, about: About, attempt: (t: NameTarget, at: Located) => Task<Attempt<T>>): Task<T> {
    let path = name;
    let again = false;
    for (let tries = 0; tries <= redirectsMax; ) {
      const at = yield* this.#locate(path, about, again);
      const outcome = yield* attempt(at.target, at);
      if (outcome.is === 'done') return outcome.value;
      if (outcome.is !== 'unreachable') tries++;
      again ||= perhapsDone(outcome);
      path = yield* this.#next(path, at, outcome);
    }
    throw new KernelError('nameLoop', name);
  }

  *#entered(name: string, path: string, enter: Enter): Task<WorkingDirectory> {
    return yield* this.#loop(name, 'object', function* (t, { hint }) {
      const outcome = yield* enter(t);
      if (outcome.is !== 'done') return outcome;
      const token = hint.shared === true && t.remainder === '' ? null : outcome.value;
      return { is: 'done', value: { path, hint, token, enter } } as const;
    });
  }

  /** The working directory again, from its name. Another thread may have found it meanwhile, or left it. */
  *#reenter(lost: WorkingDirectory): Task<void> {
    if (this.#hints.reenters !== true) throw new KernelError('stale', lost.path);
    if (this.#directory !== lost) return;
    const found = yield* this.#entered(lost.path, lost.path, lost.enter);
    if (this.#directory === lost) this.#directory = found;
  }

  *#locate(path: string, about: About, again: boolean): Task<Located> {
    if (utf8Length(path) > pathBytesMax) throw new KernelError('nameTooLong', path.slice(0, 40));
    if (path === '') throw new KernelError('notFound', 'an empty path');
    const directory = this.#directory;
    if (!path.startsWith('/') && directory !== null && directory.token !== null) {
      const { hint, token } = directory;
      return { path, hint, from: directory, target: targetBelow(hint, token, path, again) };
    }
    const absolute = path.startsWith('/') ? path : joinPath(this.workingDirectory, path);
    // A slash at the end says "a directory" to the server, and is no part of a prefix.
    const plain = tidy(absolute);
    const found = yield* this.#hints.locate(plain, about);
    const { hint, path: meant } = 'hint' in found ? found : { hint: found, path: plain };
    const slash = absolute.endsWith('/') && meant !== hint.prefix ? '/' : '';
    return {
      path: absolute,
      hint,
      from: null,
      target: targetBelow(hint, hint.root, remainderOf(hint.prefix, meant) + slash, again),
    };
  }

  *#next(
    path: string,
    at: Located,
    outcome: Exclude<Attempt<unknown>, { readonly is: 'done' }>,
  ): Task<string> {
    switch (outcome.is) {
      case 'redirect':
        if (outcome.prefixLength > 0) this.#hints.learn(tidy(outcome.name.slice(0, outcome.prefixLength)));
        return outcome.name;
      case 'above':
        return climb(at.hint.prefix, outcome.rest);
      case 'stale':
        if (at.from === null) this.#hints.forget(at.hint);
        else yield* this.#reenter(at.from);
        return path;
      case 'unreachable':
        if ((yield* outcome.wait()) === 'give-up') throw new KernelError('noAnswer', path);
        return path;
    }
  }
}

interface Located {
  readonly path: string;
  readonly hint: Hint;
  /** The working directory that it starts from. */
  readonly from: WorkingDirectory | null;
  readonly target: NameTarget;
}

const targetBelow = (hint: Hint, root: Token, remainder: string, again: boolean): NameTarget => ({
  prefix: hint.prefix,
  protocol: hint.protocol,
  authority: hint.authority,
  root,
  domainRoot: hint.root,
  remainder,
  again,
});

const perhapsDone = (o: Attempt<unknown>): boolean => 'perhapsDone' in o && o.perhapsDone;

const together = (a: NameTarget, b: NameTarget): boolean =>
  a.protocol === b.protocol && a.authority === b.authority;
