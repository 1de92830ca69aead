/**
 * One domain as its server half sees it: the storage, what is open, what it costs, and what the protocol wants to be
 * told. The name operations of every protocol work on this.
 */
import { charge, type Task } from '@backplane/engine';
import {
  type AttributeChange,
  Busy,
  type Credentials,
  type FileId,
  type HostId,
  isKernelError,
  type Machine,
  type Storage,
  type StoredAttributes,
} from '@backplane/slots';
import { OpenFiles } from './open-files.ts';
import type { WalkFrom } from './walk.ts';

/** Who asks: on whose behalf, from which type of machine (for `$MACHINE`), and from which host where that matters. */
export interface Asker {
  readonly who: Credentials;
  readonly machineType: string;
  readonly host?: HostId;
}

/** What a protocol adds to the plain operations. */
export interface DomainHooks {
  /** Attributes as they are now: of what clients may have changed in their caches. The asker knows its own changes. */
  fresh(f: FileId, a: StoredAttributes, asker: HostId | undefined): Task<StoredAttributes>;
  /** A file was freed: nobody needs its blocks any more. */
  freed(f: FileId): void;
  /** Attributes were set by name: what clients report of earlier times is out of date. */
  changed?(f: FileId, change: AttributeChange): void;
}

export class Domain {
  readonly storage: Storage;
  readonly machine: Machine;
  readonly hooks: DomainHooks;
  readonly opens: OpenFiles;

  constructor(storage: Storage, machine: Machine, hooks: DomainHooks) {
    this.storage = storage;
    this.machine = machine;
    this.hooks = hooks;
    this.opens = new OpenFiles();
  }

  get nowNs(): number {
    return this.machine.engine.nowNs;
  }

  /** A walk on somebody's behalf, each component charged. */
  from(start: FileId, asker: Asker, o: { readonly follow: boolean; readonly entry: boolean }): WalkFrom {
    const { componentLookupNs } = this.machine.type.costs;
    return {
      root: this.storage.root,
      start,
      who: asker.who,
      machineType: asker.machineType,
      ...o,
      component: () => charge(componentLookupNs, Busy.files),
    };
  }

  *fresh(f: FileId, asker?: HostId): Task<StoredAttributes> {
    return yield* this.hooks.fresh(f, yield* this.storage.attributes(f), asker);
  }

  /**
   * Takes a name away by `change`, which says which file has lost it, and frees the file if that was its last and nobody has
   * it open. Whoever does it may be killed in the middle: `suspects` are the files that may have lost their name by then.
   */
  *unname<R>(
    suspects: readonly FileId[],
    change: Task<R>,
    loser: (r: R) => { readonly file: FileId; readonly linksLeft: number } | undefined,
  ): Task<void> {
    let killed = true;
    try {
      const gone = loser(yield* change);
      if (gone?.linksLeft === 0 && this.opens.unlinked(gone.file)) yield* this.#free(gone.file);
      killed = false;
    } catch (e) {
      killed = false;
      throw e;
    } finally {
      if (killed) for (const f of suspects) yield* this.#freeNameless(f);
    }
  }

  *closed(f: FileId): Task<void> {
    if (this.opens.close(f)) yield* this.#free(f);
  }

  /** To its end, also when the thread is killed meanwhile. */
  *#free(f: FileId): Task<void> {
    let killed = true;
    try {
      yield* this.storage.reclaim(f);
      killed = false;
      this.hooks.freed(f);
    } catch (e) {
      killed = false;
      throw e;
    } finally {
      if (killed) {
        yield* quietly(this.storage.reclaim(f));
        this.hooks.freed(f);
      }
    }
  }

  *#freeNameless(f: FileId): Task<void> {
    const attributes = yield* quietly(this.storage.attributes(f));
    if (attributes?.links === 0 && this.opens.unlinked(f)) yield* quietly(this.#free(f));
  }
}

/** What an operation comes to that nobody waits for any more: undefined when the file is gone, or cannot be reached. */
function* quietly<R>(operation: Task<R>): Task<R | undefined> {
  try {
    return yield* operation;
  } catch (e) {
    if (!isKernelError(e)) throw e;
    return undefined;
  }
}
