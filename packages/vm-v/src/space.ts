/**
 * An address space: regions, each a range of an open object, or memory of its own. A reference finds its region, the region
 * its pages, the pages the frame; the table remembers what was found, as a page table does.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import {
  type AddressSpace,
  Busy,
  joinedRegions,
  KernelError,
  type Mapping,
  type Region,
  type WriteWatch,
  WriteWatches,
} from '@backplane/slots';
import { ObjectHandle } from './object-handle.ts';
import { type Fill, OwnPages } from './own-pages.ts';
import type { Page } from './page.ts';
import type { PageCache } from './page-cache.ts';
import type { PagingFile } from './paging-file.ts';

/** A region, and where its pages are. Pages of its own are numbered as the space's. */
interface Bound extends Region {
  readonly object: { readonly handle: ObjectHandle; readonly firstPage: number } | null;
  /** Null: stores are writes to the object. */
  readonly own: OwnPages | null;
}

/** What the table remembers of a page number. */
interface Entry {
  readonly page: Page;
  readonly bound: Bound;
  /** Stores go to another page: of a private region that was not stored into yet. */
  readonly readOnly: boolean;
}

export class Space implements AddressSpace {
  static {
    tasks(Space);
  }

  readonly pageBytes: number;
  readonly #cache: PageCache;
  readonly #paging: PagingFile | null;
  /** In ascending order. */
  #regions: Bound[] = [];
  readonly #table = new Map<number, Entry>();
  readonly #watches = new WriteWatches();

  constructor(cache: PageCache, paging: PagingFile | null) {
    this.pageBytes = cache.pageBytes;
    this.#cache = cache;
    this.#paging = paging;
  }

  /** Pages of its own, and those of objects that it has used and that are still in memory. */
  get residentPages(): number {
    const pages = new Set<Page>();
    for (const { page } of this.#table.values()) if (page.frame !== null) pages.add(page);
    return pages.size;
  }

  // ---- regions ----

  map(first: number, pages: number, how: Mapping): void {
    if (!Number.isInteger(first) || !Number.isInteger(pages) || first < 0 || pages < 0)
      throw new KernelError('badArgument', 'a region');
    if (pages === 0) return;
    for (const r of this.#regions)
      if (first < r.first + r.pages && r.first < first + pages)
        throw new KernelError('badArgument', `pages from ${r.first} on are mapped already`);
    this.#regions.push(this.#bind(first, pages, how));
    this.#regions.sort((a, b) => a.first - b.first);
  }

  #bind(first: number, pages: number, { writable, source, object }: Mapping): Bound {
    const range = { first, pages, writable };
    if (object === undefined) {
      const fill: Fill = source === undefined ? null : (n) => source.fetch(n);
      return { ...range, object: null, own: new OwnPages(this.#cache, this.#paging, fill) };
    }
    const { of: handle, firstPage, private: copies } = object;
    if (!(handle instanceof ObjectHandle))
      throw new KernelError('badArgument', 'an object of another memory');
    if (writable && !copies && !handle.opening.writable)
      throw new KernelError('permission', handle.object.key);
    handle.opening.uses++;
    const fill: Fill = (n) => this.#copied(handle, firstPage + n - first);
    const own = copies ? new OwnPages(this.#cache, this.#paging, fill) : null;
    return { ...range, object: { handle, firstPage }, own };
  }

  /** Regions, and parts of them. What is left of a region keeps its content. */
  unmap(first: number, pages: number): void {
    const end = first + pages;
    const left: Bound[] = [];
    for (const r of this.#regions) {
      const rEnd = r.first + r.pages;
      if (rEnd <= first || r.first >= end) {
        left.push(r);
        continue;
      }
      r.own?.forget(first, pages);
      const parts: Bound[] = [];
      if (r.first < first) parts.push(part(r, r.first, first - r.first));
      if (rEnd > end) parts.push(part(r, end, rEnd - end));
      left.push(...parts);
      const handle = r.object?.handle;
      if (handle === undefined) continue;
      if (parts.length === 2) handle.opening.uses++;
      if (parts.length === 0) handle.object.link.leave(handle.opening);
    }
    this.#regions = left;
    for (const [n, e] of [...this.#table]) if (!left.includes(e.bound)) this.#table.delete(n);
  }

  regions(): readonly Region[] {
    return joinedRegions(this.#regions);
  }

  touched(): readonly number[] {
    const numbers: number[] = [];
    for (const { first, pages, own } of this.#regions)
      if (own !== null) numbers.push(...own.touchedIn(first, pages));
    return numbers;
  }

  watchWrites(): WriteWatch {
    return this.#watches.watch();
  }

  destroy(): void {
    const last = this.#regions.at(-1);
    if (last !== undefined) this.unmap(0, last.first + last.pages);
  }

  // ---- references ----

  /** A page beyond the end of a shared object: to write it makes the object reach to the page's end. */
  *touch(first: number, pages: number, how: 'read' | 'write'): Task<void> {
    for (let n = first; n < first + pages; n++) {
      if (how === 'read') yield* this.#reading(n);
      else this.#stored(n, yield* this.#storing(n, null, false));
    }
  }

  /** Pages of an object beyond its end are zeros. */
  *read(address: number, count: number): Task<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let from = address; from < address + count; ) {
      const n = Math.floor(from / this.pageBytes);
      const to = Math.min(address + count, (n + 1) * this.pageBytes);
      const page = yield* this.#reading(n);
      page.copyTo(bytes, from - address, from - n * this.pageBytes, to - n * this.pageBytes);
      from = to;
    }
    return bytes;
  }

  *write(address: number, bytes: Uint8Array): Task<void> {
    const end = address + bytes.length;
    for (let from = address; from < end; ) {
      const n = Math.floor(from / this.pageBytes);
      const start = n * this.pageBytes;
      const to = Math.min(end, start + this.pageBytes);
      const page = yield* this.#storing(n, to - start, from === start && to === start + this.pageBytes);
      page.put(from - start, bytes.subarray(from - address, to - address));
      this.#stored(n, page);
      from = to;
    }
  }

  /** The page, to be read before the next suspension. */
  *#reading(n: number): Task<Page> {
    const known = this.#table.get(n);
    if (known?.page.keeper.allows(known.page, 'read') === true) return this.#hit(known.page);
    const bound = this.#region(n);
    const { object, own } = bound;
    let page: Page;
    let readOnly = false;
    if (own !== null && (object === null || own.has(n))) page = yield* own.using(n, 'read');
    else {
      if (object === null) throw new KernelError('badArgument', `page ${n}`);
      const { handle, firstPage } = object;
      page = yield* handle.object.reading(handle.opening, firstPage + n - bound.first);
      readOnly = own !== null;
    }
    return this.#found(n, { page, bound, readOnly });
  }

  /**
   * The page, to be stored into before the next suspension.
   *
   * @param toInPage where the store ends; null: anywhere in the page
   */
  *#storing(n: number, toInPage: number | null, whole: boolean): Task<Page> {
    const bound = this.#region(n);
    if (!bound.writable) throw new KernelError('permission', `page ${n}`);
    const { object, own } = bound;
    if (own !== null) {
      const known = this.#table.get(n);
      if (known !== undefined && !known.readOnly && own.allows(known.page, 'write'))
        return this.#hit(known.page);
      const page = yield* own.using(n, 'write');
      return this.#found(n, { page, bound, readOnly: false });
    }
    if (object === null) throw new KernelError('badArgument', `page ${n}`);
    const { handle, firstPage } = object;
    const number = firstPage + n - bound.first;
    const start = number * this.pageBytes;
    const beyond = start >= handle.object.sizeBytes;
    const endBytes = toInPage !== null ? start + toInPage : beyond ? start + this.pageBytes : start;
    const page = yield* handle.object.storing(handle.opening, number, { whole, endBytes });
    return this.#found(n, { page, bound, readOnly: false });
  }

  /** By reference until it is stored into, which is what it is brought for. */
  *#copied({ object, opening }: ObjectHandle, n: number): Task<Uint8Array> {
    charge(Math.round(this.pageBytes * this.#cache.machine.type.costs.copyNsPerByte), Busy.memory);
    return (yield* object.reading(opening, n)).content();
  }

  #stored(n: number, page: Page): void {
    const bound = this.#table.get(n)?.bound;
    if (bound?.own != null) bound.own.stored(page);
    else bound?.object?.handle.object.stored(page);
    this.#watches.stored(n);
  }

  #hit(page: Page): Page {
    this.#cache.used(page);
    return page;
  }

  /** An entry of the page table is made, or changed. */
  #found(n: number, entry: Entry): Page {
    const known = this.#table.get(n);
    if (known?.page !== entry.page || known.readOnly !== entry.readOnly) {
      this.#table.set(n, entry);
      charge(this.#cache.machine.type.costs.pageTableNs, Busy.memory);
    }
    return entry.page;
  }

  #region(n: number): Bound {
    for (const r of this.#regions) if (n >= r.first && n < r.first + r.pages) return r;
    throw new KernelError('badArgument', `page ${n} is in no region`);
  }
}

/** Some pages of a region, as they are. */
function part(r: Bound, first: number, pages: number): Bound {
  const object = r.object === null ? null : { ...r.object, firstPage: r.object.firstPage + first - r.first };
  return { ...r, first, pages, object };
}
