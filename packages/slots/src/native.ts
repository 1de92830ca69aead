/**
 * What native programs have instead of bytes. A program in machine code is a file, a process that moves is pages and
 * registers; a native program is a generator, which is neither. So that messages can name both all the same, the cluster
 * numbers them, and every machine knows the same thing by the same number: as it would find the same bytes in a file.
 */
import type { Task } from '@backplane/engine';
import type { AddressSpace } from './address-space.ts';
import type { IpcProcess } from './ipc.ts';
import type { HostId } from './vocabulary.ts';

/** What the code of a native V process holds. */
export interface NativeSelf {
  readonly process: IpcProcess;
  readonly memory: AddressSpace | null;
  /** From who created it. */
  readonly argument: number;
  /** Where it is now. */
  readonly host: HostId;
  /** Ends it with this status, from within any call. Never returns. */
  exit(status: number): Task<never>;
}

/** The code of a native V process. It ends with the process; its result is the exit status. */
export type NativeText = (self: NativeSelf) => Task<number>;

/** Things by number, for the cluster. Numbers are not used again; 0 is nothing. */
export class NumberTable<T> {
  readonly #things = new Map<number, T>();
  #last = 0;

  add(thing: T): number {
    this.#last++;
    this.#things.set(this.#last, thing);
    return this.#last;
  }

  find(number: number): T | undefined {
    return this.#things.get(number);
  }

  remove(number: number): void {
    this.#things.delete(number);
  }

  get size(): number {
    return this.#things.size;
  }
}

export interface Natives {
  /** The texts of programs. */
  readonly texts: NumberTable<NativeText>;
  /** What a thread is in the middle of, while its process is between two machines. */
  readonly continuations: NumberTable<unknown>;
  /** The run-time library of each host, which programs are linked with where they run: its own package knows what it is. */
  readonly libraries: Map<HostId, unknown>;
}

export const natives = (): Natives => ({
  texts: new NumberTable(),
  continuations: new NumberTable(),
  libraries: new Map(),
});
