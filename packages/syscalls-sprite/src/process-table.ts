/**
 * The processes of one host. An identifier is 32 bits: the slot in the table, the home host, and a generation, so that it
 * is unique in the cluster and an old one is found out.
 */
import { type HostId, KernelError } from '@backplane/slots';
import type { Process } from './process.ts';

const slotsMax = 256;
const generationsMax = 0x10000;

export class ProcessTable {
  readonly #home: HostId;
  readonly #slots: (Process | null)[] = Array.from({ length: slotsMax }, () => null);
  readonly #generations = new Uint16Array(slotsMax);
  /** Where the search for a free slot starts: slots are reused as late as possible. */
  #next = 0;
  #count = 0;

  constructor(home: HostId) {
    this.#home = home;
  }

  get count(): number {
    return this.#count;
  }

  /** Makes a process in a free slot. @throws KernelError `noSpace` when the table is full */
  add(make: (id: number) => Process): Process {
    for (let i = 0; i < slotsMax; i++) {
      const slot = (this.#next + i) % slotsMax;
      if (this.#slots[slot] !== null) continue;
      const generation = ((this.#generations[slot] ?? 0) + 1) % generationsMax;
      this.#generations[slot] = generation;
      const process = make(generation * 0x10000 + this.#home * 0x100 + slot);
      this.#slots[slot] = process;
      this.#next = (slot + 1) % slotsMax;
      this.#count++;
      return process;
    }
    throw new KernelError('noSpace', 'the process table is full');
  }

  remove(process: Process): void {
    const slot = process.id % 0x100;
    if (this.#slots[slot] !== process) return;
    this.#slots[slot] = null;
    this.#count--;
  }
}
