/** One address space: regions of pages, and what a program does to them. */
import { charge, type Task, tasks } from '@backplane/engine';
import {
  type AddressSpace,
  Busy,
  joinedRegions,
  KernelError,
  type Machine,
  type Mapping,
  type MemoryPolicy,
  type PageFrame,
  type Region,
  type WriteWatch,
  WriteWatches,
} from '@backplane/slots';
import { Page } from './page.ts';
import type { ResidentPages } from './resident-pages.ts';

export class Space implements AddressSpace {
  static {
    tasks(Space);
  }

  readonly pageBytes: number;
  readonly #policy: MemoryPolicy;
  readonly #resident: ResidentPages;
  readonly #machine: Machine;
  readonly #pages = new Map<number, Page>();
  readonly #watches = new WriteWatches();

  constructor(policy: MemoryPolicy, resident: ResidentPages, machine: Machine) {
    this.pageBytes = machine.type.pageBytes;
    this.#policy = policy;
    this.#resident = resident;
    this.#machine = machine;
  }

  get residentPages(): number {
    let resident = 0;
    for (const page of this.#pages.values()) if (page.frame !== null) resident++;
    return resident;
  }

  /** Also `unsupported` for an open object: without paging there is nothing that would write it back. */
  map(first: number, pages: number, how: Mapping): void {
    if (how.object !== undefined) throw new KernelError('unsupported', 'a region of an open object');
    if (!Number.isInteger(first) || !Number.isInteger(pages) || first < 0 || pages < 0)
      throw new KernelError('badArgument', 'a region');
    for (let n = first; n < first + pages; n++)
      if (this.#pages.has(n)) throw new KernelError('badArgument', `page ${n} is mapped already`);
    for (let n = first; n < first + pages; n++) this.#pages.set(n, new Page(n, how.writable, how.source));
  }

  unmap(first: number, pages: number): void {
    for (let n = first; n < first + pages; n++) {
      const page = this.#pages.get(n);
      if (page === undefined) continue;
      this.#resident.release(page);
      this.#pages.delete(n);
    }
  }

  regions(): readonly Region[] {
    return joinedRegions(
      this.#ordered().map(({ number, writable }) => ({ first: number, pages: 1, writable })),
    );
  }

  touched(): readonly number[] {
    return this.#ordered()
      .filter((p) => p.dirty)
      .map((p) => p.number);
  }

  watchWrites(): WriteWatch {
    return this.#watches.watch();
  }

  *touch(first: number, pages: number, how: 'read' | 'write'): Task<void> {
    for (let n = first; n < first + pages; n++) {
      const page = this.#page(n);
      if (how === 'write' && !page.writable) throw new KernelError('permission', `page ${n}`);
      if (page.frame === null) yield* this.#fault(page);
      if (how === 'write') this.#written(page);
      this.#resident.used(page, this.#machine.engine.nowNs);
    }
  }

  *read(address: number, count: number): Task<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let from = address; from < address + count; ) {
      const n = Math.floor(from / this.pageBytes);
      const to = Math.min(address + count, (n + 1) * this.pageBytes);
      yield* this.touch(n, 1, 'read');
      const content = this.#frame(n).bytes;
      bytes.set(content.subarray(from - n * this.pageBytes, to - n * this.pageBytes), from - address);
      from = to;
    }
    return bytes;
  }

  *write(address: number, bytes: Uint8Array): Task<void> {
    for (let from = address; from < address + bytes.length; ) {
      const n = Math.floor(from / this.pageBytes);
      const to = Math.min(address + bytes.length, (n + 1) * this.pageBytes);
      yield* this.touch(n, 1, 'write');
      const frame = this.#frame(n);
      const content = frame.bytes.slice();
      content.set(bytes.subarray(from - address, to - address), from - n * this.pageBytes);
      frame.bytes = content;
      from = to;
    }
  }

  destroy(): void {
    for (const page of this.#pages.values()) this.#resident.release(page);
    this.#pages.clear();
  }

  *#fault(page: Page): Task<void> {
    const { costs } = this.#machine.type;
    charge(costs.pageAllocateNs + costs.pageTableNs, Busy.memory);
    const frame = yield* this.#claim();
    const content = page.source === undefined ? undefined : yield* page.source.fetch(page.number);
    // The fetch suspends: another thread of the program may have brought the page in.
    if (page.frame !== null) {
      this.#resident.give(frame);
      return;
    }
    const bytes = new Uint8Array(this.pageBytes);
    if (content !== undefined) bytes.set(content.subarray(0, this.pageBytes));
    frame.bytes = bytes;
    page.frame = frame;
  }

  #written(page: Page): void {
    page.dirty = true;
    this.#watches.stored(page.number);
  }

  #ordered(): Page[] {
    return [...this.#pages.values()].sort((a, b) => a.number - b.number);
  }

  /** A frame by negotiation, or one of our own oldest clean pages. */
  *#claim(): Task<PageFrame> {
    for (;;) {
      const frame = this.#policy.tryClaim(this.#resident) ?? (yield* this.#policy.claim(this.#resident));
      if (frame !== undefined) return frame;
      if (!(yield* this.#resident.giveUp()))
        throw new KernelError('noSpace', 'every page frame is dirty or in use');
    }
  }

  #page(n: number): Page {
    const page = this.#pages.get(n);
    if (page === undefined) throw new KernelError('badArgument', `page ${n} is in no region`);
    return page;
  }

  #frame(n: number): PageFrame {
    const { frame } = this.#page(n);
    if (frame === null) throw new KernelError('badArgument', `page ${n} is not resident`);
    return frame;
  }
}
