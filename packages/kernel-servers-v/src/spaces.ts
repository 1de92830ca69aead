/** The address spaces of a host, by number, and what their regions are bound to. */
import { type Task, tasks } from '@backplane/engine';
import {
  type AddressSpace,
  isKernelError,
  KernelError,
  type Machine,
  type PagedObject,
  type Region,
  type Vm,
  type WriteWatch,
} from '@backplane/slots';
import type { BoundObject } from '@backplane/v-operations';
import type { BoundObjects } from './bound-objects.ts';

export interface Space {
  readonly number: number;
  readonly name: string;
  readonly memory: AddressSpace;
}

/** What a region is bound to. Where the middle of one was taken away there are two of one object. */
interface Bound {
  readonly first: number;
  readonly pages: number;
  readonly is: BoundObject;
  readonly of: PagedObject;
}

export class Spaces {
  static {
    tasks(Spaces);
  }

  readonly #vm: Vm;
  readonly #objects: BoundObjects;
  readonly #spaces = new Map<number, Space>();
  readonly #bound = new Map<Space, readonly Bound[]>();
  readonly #watches = new Map<Space, WriteWatch>();
  #last = 0;

  constructor(vm: Vm, machine: Machine, objects: BoundObjects) {
    this.#vm = vm;
    this.#objects = objects;
    machine.metrics.register('v.spaces', () => this.#spaces.size);
  }

  create(name: string): Space {
    const space = { number: ++this.#last, name, memory: this.#vm.space(name) };
    this.#spaces.set(space.number, space);
    return space;
  }

  /** @throws KernelError `badArgument` */
  get(number: number): Space {
    const space = this.#spaces.get(number);
    if (space === undefined) throw new KernelError('badArgument', `address space ${number}`);
    return space;
  }

  /** @throws KernelError `unsupported` where memory is no cache of objects; what its manager answers */
  *bind(space: Space, { first, pages, writable }: Region, bound: BoundObject | null): Task<void> {
    if (bound === null) {
      space.memory.map(first, pages, { writable });
      return;
    }
    const of = yield* this.#objects.open(bound);
    try {
      const object = { of, firstPage: bound.firstPage, private: bound.private };
      space.memory.map(first, pages, { writable, object });
    } catch (e) {
      yield* of.release();
      throw e;
    }
    this.#bound.set(space, [...this.#boundIn(space), { first, pages, is: bound, of }]);
  }

  *unbind(space: Space, first: number, pages: number): Task<void> {
    space.memory.unmap(first, pages);
    const before = this.#boundIn(space);
    const left = before.flatMap((b) => outside(b, first, first + pages));
    this.#bound.set(space, left);
    for (const { of } of before) if (!left.some((b) => b.of === of)) yield* of.release();
  }

  /** The regions that have an object each, and all the others, in ascending order. */
  regions(space: Space): readonly Region[] {
    const mapped = space.memory.regions();
    const bound = this.#boundIn(space);
    let all = mapped;
    for (const b of bound) all = all.flatMap((r) => outside(r, b.first, b.first + b.pages));
    for (const { first, pages } of bound) {
      const around = mapped.find((r) => first >= r.first && first < r.first + r.pages);
      all = [...all, { first, pages, writable: around?.writable === true }];
    }
    return [...all].sort((x, y) => x.first - y.first);
  }

  /** What the region that this page is in is bound to, from the page on; null for memory of its own. */
  boundTo(space: Space, page: number): BoundObject | null {
    const bound = this.#boundIn(space).find((b) => page >= b.first && page < b.first + b.pages);
    if (bound === undefined) return null;
    return { ...bound.is, firstPage: bound.is.firstPage + page - bound.first };
  }

  #boundIn(space: Space): readonly Bound[] {
    return this.#bound.get(space) ?? [];
  }

  // ---- for who copies it while it is used ----

  /** From now on it is noted what is written. Returns what there is. */
  watch(space: Space): readonly number[] {
    this.#watches.get(space)?.end();
    this.#watches.set(space, space.memory.watchWrites());
    return space.memory.touched();
  }

  /** Of pages of its own: what was stored into others is their objects'. @throws KernelError `badArgument` when nobody watches */
  written(space: Space, last: boolean): readonly number[] {
    const watch = this.#watches.get(space);
    if (watch === undefined) throw new KernelError('badArgument', `nobody watches "${space.name}"`);
    const pages = watch.taken().filter((page) => this.boundTo(space, page)?.private !== false);
    if (last) {
      watch.end();
      this.#watches.delete(space);
    }
    return pages;
  }

  /** What was written to open objects is theirs when it returns, unless they cannot take it. */
  *destroy(space: Space): Task<void> {
    if (!this.#spaces.delete(space.number)) return;
    const bound = new Map(this.#boundIn(space).map(({ of, is }) => [of, is]));
    this.#bound.delete(space);
    this.#watches.delete(space);
    space.memory.destroy();
    for (const [of, { writable, private: copies }] of bound) {
      if (writable && !copies) yield* flushed(of);
      yield* of.release();
    }
  }
}

/** Nobody is left to be told what has failed. */
function* flushed(object: PagedObject): Task<void> {
  try {
    yield* object.flush();
  } catch (e) {
    if (!isKernelError(e)) throw e;
  }
}

/** What is left of it without these pages. */
function outside<R extends { readonly first: number; readonly pages: number; readonly is?: BoundObject }>(
  r: R,
  from: number,
  end: number,
): readonly R[] {
  const rEnd = r.first + r.pages;
  const parts: R[] = [];
  if (r.first < from) parts.push({ ...r, pages: Math.min(rEnd, from) - r.first });
  if (rEnd > end) {
    const first = Math.max(r.first, end);
    const is = r.is && { ...r.is, firstPage: r.is.firstPage + first - r.first };
    parts.push({ ...r, first, pages: rEnd - first, ...(is && { is }) });
  }
  return parts;
}
