/**
 * The threads of a file server, as permits: so many requests are worked on at once. One that waits for a holder of pages, or
 * for others that do, steps aside: or a few slow holders would stop the server, and those it waits for with it.
 *
 *   in line, working   `work`                counts as a thread
 *   working, aside     `aside`               does not; it waits for other requests, and may `work` for a while
 */
import { Semaphore, type Task, tasks } from '@backplane/engine';

export class Team {
  static {
    tasks(Team);
  }

  readonly #threads: Semaphore;

  constructor(threads: number) {
    this.#threads = new Semaphore(threads);
  }

  *work<R>(operation: Task<R>): Task<R> {
    yield* this.#threads.acquire();
    try {
      return yield* operation;
    } finally {
      this.#threads.release();
    }
  }

  /** From within `work`: what waits holds no thread, and whoever holds one waits for nobody here. */
  *aside<R>(operation: Task<R>): Task<R> {
    this.#threads.release();
    try {
      return yield* operation;
    } finally {
      yield* this.#threads.acquire();
    }
  }
}
