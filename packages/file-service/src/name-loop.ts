/**
 * The loop that every naming board runs: locate, attempt, learn (Welch 1990, chapter 4). A board supplies the hints; the
 * loop turns what a server answers into the next name to try.
 *
 *   outcome       next
 *   done          return
 *   redirect      learn the prefix in it, if any; try the new name
 *   above         leave the domain upwards; try the name there
 *   stale         forget the hint; locate again
 *   unreachable   wait; "retry" tries the same again, "give up" is `noAnswer`
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
}

export interface Hints {
  /** The longest prefix of an absolute path. `entry`: not one that is the whole path, except "/". @throws `notFound`, `noAnswer` */
  locate(path: string, about: About): Task<Hint>;
  /** A server said that this prefix is another's. */
  learn(prefix: string): void;
  /** A server said that it does not know this root. */
  forget(hint: Hint): void;
  /** The hints of a new process, where they are not shared. */
  inherit?(): Hints;
}

/** A working directory: found once, used by its token. */
interface WorkingDirectory {
  readonly path: string;
  readonly hint: Hint;
  readonly token: Token;
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

  get workingDirectory(): string {
    return this.#directory?.path ?? '/';
  }

  *chdir(name: string, enter: (t: NameTarget) => Task<Attempt<Token>>): Task<void> {
    const entered = yield* this.#loop(name, 'object', function* (t, at) {
      const outcome = yield* enter(t);
      return outcome.is === 'done'
        ? ({ is: 'done', value: { token: outcome.value, hint: at.hint } } as const)
        : outcome;
    });
    const path = name.startsWith('/') ? name : joinPath(this.workingDirectory, name);
    this.#directory = { path: tidy(path), ...entered };
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
    for (let tries = 0; tries <= redirectsMax; tries++) {
      let a = yield* this.#locate(one, firstAbout);
      let b = yield* this.#locate(two, 'entry');
      if (!together(a.target, b.target)) {
        one = yield* this.#settle(one, settle);
        two = yield* this.#settle(two, settle);
        a = yield* this.#locate(one, firstAbout);
        b = yield* this.#locate(two, 'entry');
        if (!together(a.target, b.target)) throw new KernelError('crossDomain');
      }
      const outcome = yield* attempt(a.target, b.target);
      if (outcome.is === 'done') return outcome.value;
      if (outcome.is === 'second') {
        if (outcome.of.is === 'done') return outcome.of.value;
        two = yield* this.#next(two, b, outcome.of);
      } else one = yield* this.#next(one, a, outcome);
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
    for (let tries = 0; tries <= redirectsMax; ) {
      const at = yield* this.#locate(path, about);
      const outcome = yield* attempt(at.target, at);
      if (outcome.is === 'done') return outcome.value;
      if (outcome.is !== 'unreachable') tries++;
      path = yield* this.#next(path, at, outcome);
    }
    throw new KernelError('nameLoop', name);
  }

  *#locate(path: string, about: About): Task<Located> {
    if (utf8Length(path) > pathBytesMax) throw new KernelError('nameTooLong', path.slice(0, 40));
    if (path === '') throw new KernelError('notFound', 'an empty path');
    if (!path.startsWith('/') && this.#directory !== null) {
      const { hint, token } = this.#directory;
      return {
        path,
        hint,
        relative: true,
        target: targetBelow(hint, token, path),
      };
    }
    const absolute = path.startsWith('/') ? path : `/${path}`;
    // A slash at the end says "a directory" to the server, and is no part of a prefix.
    const plain = tidy(absolute);
    const hint = yield* this.#hints.locate(plain, about);
    const slash = absolute.endsWith('/') && plain !== hint.prefix ? '/' : '';
    return {
      path: absolute,
      hint,
      relative: false,
      target: targetBelow(hint, hint.root, remainderOf(hint.prefix, plain) + slash),
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
        // A working directory that its server does not know any more is lost; a prefix is found again.
        if (at.relative) throw new KernelError('stale', this.workingDirectory);
        this.#hints.forget(at.hint);
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
  readonly relative: boolean;
  readonly target: NameTarget;
}

const targetBelow = (hint: Hint, root: Token, remainder: string): NameTarget => ({
  prefix: hint.prefix,
  protocol: hint.protocol,
  authority: hint.authority,
  root,
  domainRoot: hint.root,
  remainder,
});

const together = (a: NameTarget, b: NameTarget): boolean =>
  a.protocol === b.protocol && a.authority === b.authority;
