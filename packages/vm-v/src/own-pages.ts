/**
 * Pages that belong to one region of one address space: zeros, or from a source, or copies of a file's pages that were
 * stored into.
 *
 *   state       event                                action                                      next
 *   untouched   touch                                a frame, filled from where the region says  clean
 *   clean       store                                note it                                     dirty
 *   clean       its frame is wanted                  it can be filled once more                  untouched, or away
 *   dirty       its frame is wanted, paging file     write it to a slot                          away
 *   dirty       its frame is wanted, no paging file  none: it stays                              dirty
 *   away        touch                                a frame, filled from the slot               clean
 */
import { charge, type Task, tasks, WaitQueue } from '@backplane/engine';
import { Busy, isKernelError, KernelError, type PageFrame } from '@backplane/slots';
import { type Keeper, Page } from './page.ts';
import type { PageCache } from './page-cache.ts';
import type { PagingFile } from './paging-file.ts';

/** What an untouched page holds. Null: zeros. */
export type Fill = ((page: number) => Task<Uint8Array>) | null;

const zeros = new Uint8Array(0);

export class OwnPages implements Keeper {
  static {
    tasks(OwnPages);
  }

  readonly keepsDirty: boolean = true;
  readonly #cache: PageCache;
  readonly #paging: PagingFile | null;
  readonly #fill: Fill;
  readonly #pages = new Map<number, Page>();
  /** Of pages that are away, and of clean ones that were. */
  readonly #slots = new Map<number, number>();
  readonly #changed: WaitQueue = new WaitQueue();

  constructor(cache: PageCache, paging: PagingFile | null, fill: Fill) {
    this.#cache = cache;
    this.#paging = paging;
    this.#fill = fill;
  }

  get canClean(): boolean {
    return this.#paging !== null;
  }

  /** Has the page content of its own, here or in the paging file, or is it on its way? */
  has(n: number): boolean {
    return this.#slots.has(n) || this.#pages.has(n);
  }

  /** Those that were stored into, in ascending order. */
  touchedIn(first: number, pages: number): readonly number[] {
    const numbers = new Set(this.#slots.keys());
    for (const page of this.#pages.values()) if (page.dirty) numbers.add(page.number);
    return [...numbers].filter((n) => n >= first && n < first + pages).sort((a, b) => a - b);
  }

  allows(page: Page, how: 'read' | 'write'): boolean {
    return !page.busy && page.frame !== null && (how === 'read' || page.dirty || !this.#cache.tooDirty);
  }

  /** The page, to be used before the next suspension. */
  *using(n: number, how: 'read' | 'write'): Task<Page> {
    if (how === 'write' && this.canClean && this.#cache.tooDirty && this.#pages.get(n)?.dirty !== true)
      yield* this.#cache.throttle();
    for (;;) {
      const page = this.#pages.get(n) ?? new Page(this, n);
      this.#pages.set(n, page);
      if (page.busy) yield* this.#changed.wait();
      else if (page.frame !== null) {
        this.#cache.hits++;
        this.#cache.used(page);
        return page;
      } else {
        yield* this.#bring(page);
        if (this.#pages.get(n) !== page) throw new KernelError('badArgument', `page ${n} is unmapped`);
      }
    }
  }

  stored(page: Page): void {
    this.#cache.stored(page);
  }

  *#bring(page: Page): Task<void> {
    const { costs } = this.#cache.machine.type;
    let frame: PageFrame | null = null;
    page.busy = true;
    this.#cache.faults++;
    try {
      charge(costs.pageAllocateNs + costs.pageTableNs, Busy.memory);
      // The content first: it may need a frame itself, and who waits for one must not have one that nobody can take.
      const content = yield* this.#content(page.number);
      frame = yield* this.#cache.claim();
      if (this.#pages.get(page.number) !== page) return; // the region is gone
      this.#cache.entered(page, frame, content);
      page.state = 'owned';
      frame = null;
    } finally {
      page.busy = false;
      if (frame !== null) this.#cache.returned(frame);
      if (page.frame === null) this.left(page);
      this.#changed.wakeAll();
      this.#cache.changed();
    }
  }

  *#content(n: number): Task<Uint8Array> {
    const slot = this.#slots.get(n);
    if (slot !== undefined && this.#paging !== null) return yield* this.#paging.read(slot);
    return this.#fill === null ? zeros : yield* this.#fill(n);
  }

  *clean(page: Page): Task<boolean> {
    if (this.#paging === null) return false;
    const { stores } = page;
    // A slot of its own each time: the old one stays good until this one is written.
    const slot = this.#paging.take();
    let written = false;
    page.writing = true;
    try {
      yield* this.#paging.write(slot, page.content());
      written = true;
    } catch (e) {
      if (!isKernelError(e)) throw e;
    } finally {
      page.writing = false;
      const good = written && page.stores === stores;
      const old = good ? this.#slots.get(page.number) : slot;
      if (good) this.#slots.set(page.number, slot);
      if (old !== undefined) this.#paging.free(old);
      this.#changed.wakeAll();
      this.#cache.changed();
    }
    if (written) this.#cache.writeBacks++;
    if (written && page.stores === stores) this.#cache.cleaned(page);
    return written;
  }

  *putAway(page: Page): Task<boolean> {
    page.busy = true;
    let written = false;
    try {
      written = yield* this.clean(page);
    } finally {
      page.busy = false;
      if (written && !page.dirty) this.#cache.drop(page);
      this.#changed.wakeAll();
      this.#cache.changed();
    }
    return written;
  }

  left(page: Page): void {
    if (!page.busy && this.#pages.get(page.number) === page) this.#pages.delete(page.number);
  }

  /** These are no part of the region any more. */
  forget(first: number, pages: number): void {
    for (const n of new Set([...this.#pages.keys(), ...this.#slots.keys()]))
      if (n >= first && n < first + pages) this.#forget(n);
  }

  #forget(n: number): void {
    const page = this.#pages.get(n);
    this.#pages.delete(n);
    if (page !== undefined) {
      page.stores++; // what is being written of it is not wanted
      this.#cache.drop(page);
    }
    const slot = this.#slots.get(n);
    this.#slots.delete(n);
    if (slot !== undefined) this.#paging?.free(slot);
  }
}
