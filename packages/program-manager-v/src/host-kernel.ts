/** The servers of the kernel under us, as the program manager uses them: by message, like everybody. */
import { type Task, tasks } from '@backplane/engine';
import { type EntityId, type Ipc, isKernelError, wellKnown } from '@backplane/slots';
import {
  type Asking,
  ask,
  awaitProcess,
  bindRegion,
  createProcess,
  createSpace,
  destroyProcess,
  destroySpace,
  entitiesIn,
  environmentAddress,
  modifyProcess,
  orNothing,
  processStates,
  queryProcess,
  queryTeam,
  writeSpace,
} from '@backplane/v-operations';

export interface NewRoot {
  readonly name: string;
  readonly text: number;
  readonly priority: number;
  /** Its length is the root's argument. */
  readonly environment: Uint8Array;
  /** Of zeros, from address 0 on. */
  readonly pages: number;
}

export class HostKernel {
  static {
    tasks(HostKernel);
  }

  readonly #asking: Asking;
  readonly #processes: EntityId;
  readonly #memory: EntityId;
  readonly #here: { readonly beside: EntityId };

  /** @param here a process of this host */
  constructor(ipc: Ipc, asking: Asking, here: EntityId) {
    this.#asking = asking;
    this.#processes = ipc.wellKnownGroup(wellKnown.processManagers);
    this.#memory = ipc.wellKnownGroup(wellKnown.memoryManagers);
    this.#here = { beside: here };
  }

  /** A space with the environment in it, and a process that does not run yet. @throws KernelError, and leaves nothing */
  *create({
    name,
    text,
    priority,
    environment,
    pages,
  }: NewRoot): Task<{ readonly root: EntityId; readonly space: number }> {
    const { space, pageBytes } = yield* ask(this.#asking, this.#memory, createSpace, { name }, this.#here);
    try {
      yield* this.#bindZeros(space, 0, pages);
      if (environment.length > 0) {
        const first = environmentAddress / pageBytes;
        yield* this.#bindZeros(space, first, Math.ceil(environment.length / pageBytes));
        const written = { space, address: environmentAddress, content: environment };
        yield* ask(this.#asking, this.#memory, writeSpace, written, this.#here);
      }
      const made = { space, text, argument: environment.length, priority, name };
      const { process } = yield* ask(this.#asking, this.#processes, createProcess, made, this.#here);
      return { root: process, space };
    } catch (e) {
      yield* this.destroySpace(space);
      throw e;
    }
  }

  *#bindZeros(space: number, first: number, pages: number): Task<void> {
    if (pages === 0) return;
    const region = { space, first, pages, writable: 1, object: null };
    yield* ask(this.#asking, this.#memory, bindRegion, region, this.#here);
  }

  /** The status when it has ended; 'departed' when it has left for another host; undefined when it is not here. */
  *awaitEnd(root: EntityId): Task<number | 'departed' | undefined> {
    try {
      const { status } = yield* ask(
        this.#asking,
        this.#processes,
        awaitProcess,
        { process: root },
        this.#here,
      );
      return status;
    } catch (e) {
      if (!isKernelError(e)) throw e;
      return isKernelError(e, 'stale') ? 'departed' : undefined;
    }
  }

  *destroy(root: EntityId): Task<void> {
    yield* orNothing(ask(this.#asking, this.#processes, destroyProcess, { process: root }, this.#here));
  }

  *destroySpace(space: number): Task<void> {
    yield* orNothing(ask(this.#asking, this.#memory, destroySpace, { space }, this.#here));
  }

  *isNew(root: EntityId): Task<boolean> {
    const asked = ask(this.#asking, this.#processes, queryProcess, { process: root }, this.#here);
    const found = yield* orNothing(asked);
    return found !== undefined && processStates[found.state] === 'new';
  }

  /** All processes of a space get this priority. */
  *setPriority(space: number, priority: number): Task<void> {
    const team = yield* orNothing(ask(this.#asking, this.#processes, queryTeam, { space }, this.#here));
    for (const process of entitiesIn(team?.processes ?? new Uint8Array(0)))
      yield* orNothing(ask(this.#asking, this.#processes, modifyProcess, { process, priority }, this.#here));
  }
}
