/** What the migration server asks of the kernels of both hosts: each question by message, beside a process of the host. */
import { seconds, type Task, tasks } from '@backplane/engine';
import { codeOf, type EntityId, type Ipc, type Region, ReplyCode, wellKnown } from '@backplane/slots';
import {
  type Asker,
  asker,
  callProcedure,
  handOverFiles,
  pagesServerIn,
  toFindDirectory,
  writeBackFiles,
} from '@backplane/uio';
import {
  type Asking,
  adoptProgram,
  ask,
  type BoundObject,
  bindRegion,
  createSpace,
  departProcess,
  destroySpace,
  entitiesIn,
  findProcessServer,
  freezeProcess,
  orNothing,
  queryProgram,
  queryRegion,
  querySpace,
  queryTeam,
  readSpace,
  releaseProgram,
  unfreezeProcess,
  writeSpace,
  writtenPages,
} from '@backplane/v-operations';
import { ByteReader } from '@backplane/wire';

/** Of one region in the answer to `querySpace`. */
const regionBytes = 12;

export interface OneRegion extends Region {
  readonly object: BoundObject | null;
}

/** A server of the host answers sooner, if there is one. */
const findNs = /* @__PURE__ */ seconds(1);

/** One host's kernel and program manager. */
export class HostServers {
  static {
    tasks(HostServers);
  }

  readonly #asking: Asking;
  readonly #asker: Asker;
  readonly #processes: EntityId;
  readonly #memory: EntityId;
  readonly #programs: EntityId;
  readonly #directories: EntityId;
  readonly #there: { readonly beside: EntityId };

  /** @param beside a process of that host */
  constructor(ipc: Ipc, asking: Asking, beside: EntityId) {
    this.#asking = asking;
    this.#asker = asker(asking);
    this.#directories = ipc.wellKnownGroup(wellKnown.cacheDirectories);
    this.#processes = ipc.wellKnownGroup(wellKnown.processManagers);
    this.#memory = ipc.wellKnownGroup(wellKnown.memoryManagers);
    this.#programs = ipc.wellKnownGroup(wellKnown.programManagers);
    this.#there = { beside };
  }

  *program(root: EntityId): Task<ReturnType<typeof queryProgram.replied>> {
    return yield* ask(this.#asking, this.#programs, queryProgram, { root }, this.#there);
  }

  *adopt(root: EntityId, space: number, level: number, name: string): Task<void> {
    yield* ask(this.#asking, this.#programs, adoptProgram, { root, space, level, name }, this.#there);
  }

  *release(root: EntityId): Task<void> {
    yield* ask(this.#asking, this.#programs, releaseProgram, { root }, this.#there);
  }

  // ---- memory ----

  *createSpace(name: string): Task<{ readonly space: number; readonly pageBytes: number }> {
    return yield* ask(this.#asking, this.#memory, createSpace, { name }, this.#there);
  }

  *destroySpace(space: number): Task<void> {
    yield* orNothing(ask(this.#asking, this.#memory, destroySpace, { space }, this.#there));
  }

  *regions(space: number): Task<{ readonly pageBytes: number; readonly regions: readonly OneRegion[] }> {
    const found = yield* ask(this.#asking, this.#memory, querySpace, { space }, this.#there);
    const from = new ByteReader(found.regions);
    const regions: OneRegion[] = [];
    for (let i = 0; i < found.regions.length / regionBytes; i++) {
      const [first, pages, writable] = [from.u32(), from.u32(), from.u32() === 1];
      const { object } = yield* ask(this.#asking, this.#memory, queryRegion, { space, first }, this.#there);
      regions.push({ first, pages, writable, object });
    }
    return { pageBytes: found.pageBytes, regions };
  }

  /** An object's instance is another host's: the kernel opens one of its own, by the key. @throws KernelError `unsupported` */
  *bind(space: number, { first, pages, writable, object: theirs }: OneRegion): Task<void> {
    const object = theirs === null ? null : { ...theirs, instance: 0 };
    const request = { space, first, pages, writable: writable ? 1 : 0, object };
    yield* ask(this.#asking, this.#memory, bindRegion, request, this.#there);
  }

  /** @see writtenPages */
  *written(space: number, since: 0 | 1 | 2): Task<readonly number[]> {
    const { pages } = yield* ask(this.#asking, this.#memory, writtenPages, { space, since }, this.#there);
    const from = new ByteReader(pages);
    return Array.from({ length: pages.length / 4 }, () => from.u32());
  }

  *read(space: number, address: number, count: number): Task<Uint8Array> {
    const request = { space, address, count };
    return (yield* ask(this.#asking, this.#memory, readSpace, request, this.#there)).content;
  }

  *write(space: number, address: number, content: Uint8Array): Task<void> {
    yield* ask(this.#asking, this.#memory, writeSpace, { space, address, content }, this.#there);
  }

  // ---- open files ----

  /** The memory server that has pages of files there; null: none has. */
  *pageServer(): Task<EntityId | null> {
    const request = toFindDirectory(this.#there.beside);
    const { message } = yield* this.#asking.send(this.#directories, request, { timeoutNs: findNs });
    return (codeOf(message) === ReplyCode.ok ? pagesServerIn(message) : undefined) ?? null;
  }

  *writeBackFiles(pages: EntityId, owner: EntityId): Task<void> {
    yield* callProcedure(this.#asker, pages, writeBackFiles, owner);
  }

  /** What fails here is done when the program asks for the file. */
  *handOverFiles(pages: EntityId, owner: EntityId, to: EntityId): Task<void> {
    yield* orNothing(callProcedure(this.#asker, pages, handOverFiles, { owner, to }));
  }

  // ---- processes ----

  *team(space: number): Task<readonly EntityId[]> {
    return entitiesIn(
      (yield* ask(this.#asking, this.#processes, queryTeam, { space }, this.#there)).processes,
    );
  }

  *processServer(): Task<EntityId> {
    return (yield* ask(this.#asking, this.#processes, findProcessServer, {}, this.#there)).server;
  }

  *freeze(process: EntityId): Task<void> {
    yield* ask(this.#asking, this.#processes, freezeProcess, { process }, this.#there);
  }

  *unfreeze(process: EntityId): Task<void> {
    yield* orNothing(ask(this.#asking, this.#processes, unfreezeProcess, { process }, this.#there));
  }

  *depart(process: EntityId, to: EntityId, space: number): Task<void> {
    yield* ask(this.#asking, this.#processes, departProcess, { process, to, space }, this.#there);
  }
}
