/** The names as one program sees them: the loop over what it knows, and directories that several managers share. */
import { type Task, tasks } from '@backplane/engine';
import { LoopingView } from '@backplane/file-service';
import { type About, type Attempt, done, type NameTarget, type NameView, type Token } from '@backplane/slots';
import type { Gathered } from './gathering.ts';
import type { ProgramNames } from './program-names.ts';
import type { NameQuery } from './search.ts';

export class ProgramView implements NameView {
  static {
    tasks(ProgramView);
  }

  readonly #names: ProgramNames;
  readonly #loop: LoopingView;

  constructor(names: ProgramNames, loop: LoopingView = new LoopingView(names)) {
    this.#names = names;
    this.#loop = loop;
  }

  inherit(): NameView {
    const names = this.#names.inherit();
    return new ProgramView(
      names,
      this.#loop.over(() => names),
    );
  }

  /** What it knows is kept; what is not known is asked by this host. */
  from(query: NameQuery): NameView {
    const names = this.#names.from(query);
    return new ProgramView(
      names,
      this.#loop.over(() => names),
    );
  }

  get workingDirectory(): string {
    return this.#loop.workingDirectory;
  }

  chdir(name: string, enter: (t: NameTarget) => Task<Attempt<Token>>): Task<void> {
    return this.#loop.chdir(name, enter);
  }

  perform<T>(name: string, about: About, attempt: (t: NameTarget) => Task<Attempt<T>>): Task<T> {
    return this.#loop.perform(name, about, attempt);
  }

  *performAll<T>(name: string, attempt: (t: NameTarget) => Task<Attempt<T>>): Task<Gathered<T>> {
    const names = this.#names;
    const found = yield* this.#loop.perform<Gathered<T> | string>(name, 'object', function* (t) {
      if (names.isShared(t)) return done(t.prefix);
      const outcome = yield* attempt(t);
      return outcome.is === 'done' ? done(only(outcome.value)) : outcome;
    });
    return typeof found === 'string' ? yield* names.gathering(found, attempt).run() : found;
  }

  performTwo<T>(...q: Parameters<typeof LoopingView.prototype.performTwo<T>>): Task<T> {
    return this.#loop.performTwo(...q);
  }
}

/** One manager has all of it. */
const only = <T>(value: T): Gathered<T> => ({ whole: true, parts: [{ value, has: () => true }] });
