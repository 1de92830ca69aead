/** The address spaces of a host, by number, and what their regions are bound to. */
import { type Task, tasks } from '@backplane/engine';
import {
  type AddressSpace,
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

/** The objects of its regions, by the first page of the region. */
type Bound = Map<number, { readonly is: BoundObject; readonly of: PagedObject }>;

export class Spaces {
  static {
    tasks(Spaces);
  }

  readonly #vm: Vm;
  readonly #objects: BoundObjects;
  readonly #spaces = new Map<number, Space>();
  readonly #bound = new Map<Space, Bound>();
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
    this.#bound.set(space, new Map());
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
    this.#bound.get(space)?.set(first, { is: bound, of });
  }

  *unbind(space: Space, first: number, pages: number): Task<void> {
    space.memory.unmap(first, pages);
    const bound = this.#bound.get(space);
    for (const [at, { of }] of bound ?? [])
      if (at >= first && at < first + pages) {
        bound?.delete(at);
        yield* of.release();
      }
  }

  /** What the region that begins there is bound to; null for memory of its own. */
  boundTo(space: Space, first: number): BoundObject | null {
    return this.#bound.get(space)?.get(first)?.is ?? null;
  }

  // ---- for who copies it while it is used ----

  /** From now on it is noted what is written. Returns what there is. */
  watch(space: Space): readonly number[] {
    this.#watches.get(space)?.end();
    this.#watches.set(space, space.memory.watchWrites());
    return space.memory.touched();
  }

  /** @throws KernelError `badArgument` when nobody watches */
  written(space: Space, last: boolean): readonly number[] {
    const watch = this.#watches.get(space);
    if (watch === undefined) throw new KernelError('badArgument', `nobody watches "${space.name}"`);
    const pages = watch.taken();
    if (last) {
      watch.end();
      this.#watches.delete(space);
    }
    return pages;
  }

  /** What was written to open objects is theirs when it returns. */
  *destroy(space: Space): Task<void> {
    if (!this.#spaces.delete(space.number)) return;
    const bound = this.#bound.get(space);
    this.#bound.delete(space);
    this.#watches.delete(space);
    space.memory.destroy();
    for (const { of } of bound?.values() ?? []) yield* of.release();
  }
}
