/**
 * The memory of a process as the process itself uses it: where it may not go, its kernel has it say so to the exception
 * server, and the reply decides whether it tries again (a debugger may have mapped the page) or ends.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import {
  type AddressSpace,
  type EntityId,
  type IpcProcess,
  isKernelError,
  type Mapping,
  type Region,
  type WriteWatch,
} from '@backplane/slots';
import { raise } from './raise.ts';

export class FaultingMemory implements AddressSpace {
  static {
    tasks(FaultingMemory);
  }

  #space: AddressSpace;
  readonly #process: IpcProcess;

  readonly #exceptionServers: EntityId;
  /** References in the middle of a fault. */
  #underWay = 0;
  readonly #over: WaitQueue = new WaitQueue();

  constructor(space: AddressSpace, process: IpcProcess, exceptionServers: EntityId) {
    this.#space = space;
    this.#process = process;
    this.#exceptionServers = exceptionServers;
  }

  /** The process has come to another host, with what it had in memory. */
  rebase(space: AddressSpace): void {
    this.#space = space;
  }

  /** Returns when no reference is in the middle of a fault: those end in the space in which they began. */
  *quiet(): Task<void> {
    while (this.#underWay > 0) yield* this.#over.wait();
  }

  get pageBytes(): number {
    return this.#space.pageBytes;
  }

  get residentPages(): number {
    return this.#space.residentPages;
  }

  map(first: number, pages: number, how: Mapping): void {
    this.#space.map(first, pages, how);
  }

  unmap(first: number, pages: number): void {
    this.#space.unmap(first, pages);
  }

  regions(): readonly Region[] {
    return this.#space.regions();
  }

  touched(): readonly number[] {
    return this.#space.touched();
  }

  watchWrites(): WriteWatch {
    return this.#space.watchWrites();
  }

  destroy(): void {
    this.#space.destroy();
  }

  *touch(first: number, pages: number, how: 'read' | 'write'): Task<void> {
    yield* this.#again(first * this.pageBytes, how, () => this.#space.touch(first, pages, how));
  }

  *read(address: number, count: number): Task<Uint8Array> {
    return yield* this.#again(address, 'read', () => this.#space.read(address, count));
  }

  *write(address: number, bytes: Uint8Array): Task<void> {
    yield* this.#again(address, 'write', () => this.#space.write(address, bytes));
  }

  *#again<T>(address: number, how: 'read' | 'write', access: () => Task<T>): Task<T> {
    for (;;) {
      try {
        return yield* this.#counted(access);
      } catch (e) {
        if (!isKernelError(e, 'badArgument') && !isKernelError(e, 'permission')) throw e;
        const kind = isKernelError(e, 'permission') ? 'access' : 'address';
        const fault = { kind, address, write: how === 'write' } as const;
        if (!(yield* raise(this.#process, this.#exceptionServers, fault))) throw e;
      }
    }
  }

  *#counted<T>(access: () => Task<T>): Task<T> {
    this.#underWay++;
    try {
      return yield* access();
    } finally {
      this.#underWay--;
      this.#over.wakeAll();
    }
  }
}
