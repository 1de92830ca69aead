/** Writes that are to be on their way at once, though nobody waits for them: a thread for each file that has some. */
import { type Scope, type Task, tasks } from '@backplane/engine';
import { type FileId, isKernelError } from '@backplane/slots';
import type { Handle } from './handle.ts';
import type { Handles } from './handles.ts';

export class Soon {
  static {
    tasks(Soon);
  }

  readonly #scope: Scope;
  readonly #handles: Handles;
  /** Files whose blocks are on their way; true when more came meanwhile. */
  readonly #files = new Map<Handle, boolean>();

  constructor(scope: Scope, handles: Handles) {
    this.#scope = scope;
    this.#handles = handles;
  }

  *write(f: FileId): Task<void> {
    const h = yield* this.#handles.hold(f);
    if (this.#files.has(h)) {
      this.#files.set(h, true);
      this.#handles.release(h);
      return;
    }
    this.#files.set(h, false);
    this.#scope.spawn('ofs.soon', this.#flush(h));
  }

  *#flush(h: Handle): Task<void> {
    try {
      do {
        this.#files.set(h, false);
        yield* h.object.flush();
      } while (this.#files.get(h) === true);
    } catch (e) {
      // What could not be stored stays dirty and goes by its age.
      if (!isKernelError(e)) throw e;
    } finally {
      this.#files.delete(h);
      this.#handles.release(h);
    }
  }
}
