/**
 * The library as one host has it: what programs that run there are linked with. It has no state of theirs: a program that has
 * moved uses the one of the host where it is.
 */
import { seconds, type Task, tasks } from '@backplane/engine';
import {
  codeOf,
  type EntityId,
  type HostId,
  type Ipc,
  type IpcProcess,
  type Machine,
  type Naming,
  ReplyCode,
  wellKnown,
} from '@backplane/slots';
import { pagesServerIn, toFindDirectory } from '@backplane/uio';

export type Placement = 'local' | 'least';

/** Whom files are opened by way of, and who then has them. */
interface FileCache {
  readonly directory: EntityId;
  readonly pages: EntityId | undefined;
}

/** A server of the same host answers sooner, if there is one. */
const findNs = /* @__PURE__ */ seconds(1);

export class Library {
  static {
    tasks(Library);
  }

  readonly ipc: Ipc;
  readonly naming: Naming;
  readonly machine: Machine;
  /** Where the children of its programs run. */
  readonly placement: Placement;
  readonly descriptorsMax: number;
  /** Files are opened by way of the host's cache directory, if it has one. */
  readonly cached: boolean;
  calls = 0;
  /** Undefined: not asked for yet. Null: there is none. */
  #cache: FileCache | null | undefined;

  constructor(o: Pick<Library, 'ipc' | 'naming' | 'machine' | 'placement' | 'descriptorsMax' | 'cached'>) {
    this.ipc = o.ipc;
    this.naming = o.naming;
    this.machine = o.machine;
    this.placement = o.placement;
    this.descriptorsMax = o.descriptorsMax;
    this.cached = o.cached;
  }

  /** The cache directory. @param self who asks, on this host */
  *directory(self: IpcProcess): Task<EntityId | undefined> {
    return this.cached ? (yield* this.#fileCache(self))?.directory : undefined;
  }

  /** The memory server: it has the files of programs that have come here, too. @param self who asks, on this host */
  *pages(self: IpcProcess): Task<EntityId | undefined> {
    return (yield* this.#fileCache(self))?.pages;
  }

  *#fileCache(self: IpcProcess): Task<FileCache | null> {
    if (this.#cache === undefined) {
      const group = this.ipc.wellKnownGroup(wellKnown.cacheDirectories);
      const { from, message } = yield* self.send(group, toFindDirectory(self.id), { timeoutNs: findNs });
      const found = codeOf(message) === ReplyCode.ok;
      this.#cache = found ? { directory: from, pages: pagesServerIn(message) } : null;
    }
    return this.#cache;
  }

  /** The one of the host where a program is now. */
  at(host: HostId): Library {
    const found = this.machine.natives.libraries.get(host);
    return found instanceof Library ? found : this;
  }
}
