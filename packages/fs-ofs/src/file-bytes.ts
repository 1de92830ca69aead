/**
 * Reading, writing and cutting the bytes of a file, whoever needs it: programs, directories, links. The caller has the
 * file's lock.
 *
 * A write first finds out what it needs, then takes all of it at once or nothing (`noSpace` changes nothing), and only
 * then begins to write. Bytes beyond a file's end are zeros in the cache and on the disk, so that a file may grow over
 * them. A block that was never written has no place on the disk and reads as zeros.
 */
import { type Task, tasks } from '@backplane/engine';
import { KernelError } from '@backplane/slots';
import { fragmentsIn, lastBlock } from './descriptor.ts';
import type { Handle } from './handle.ts';
import { blockBytes, directBlocks, fileBytesMax, fragmentsPerBlock, none } from './layouts.ts';
import type { Run } from './space.ts';
import type { Volume } from './volume.ts';
import type { WriteBack } from './write-back.ts';

/** The last block of a file has to be larger on the disk than it is. */
interface Growth {
  readonly block: number;
  readonly from: Run;
  readonly fragments: number;
  /** Has it been given what it needs? */
  done: boolean;
}

/** Addresses set aside for a write; what is not used goes back. */
interface Plan {
  /** Where the growing block will be; the same place where it could be made longer. */
  readonly grown: number;
  /** For the blocks that are not there yet, in order. */
  readonly blocks: number[];
  readonly indexes: number[];
  /** All that was taken; emptied as it is used. */
  readonly taken: Map<number, Run>;
}

export class FileBytes {
  static {
    tasks(FileBytes);
  }

  readonly #volume: Volume;
  readonly #writeBack: WriteBack;

  constructor(volume: Volume, writeBack: WriteBack) {
    this.#volume = volume;
    this.#writeBack = writeBack;
  }

  *read(h: Handle, at: number, count: number): Task<Uint8Array> {
    const end = Math.min(h.descriptor.sizeBytes, at + count);
    if (end <= at) return new Uint8Array(0);
    const first = Math.floor(at / blockBytes);
    const last = Math.floor((end - 1) / blockBytes);
    const begin = at - first * blockBytes;
    if (first === last) {
      const bytes = yield* this.#block(h, first);
      if (bytes.length >= begin + end - at) return bytes.subarray(begin, begin + end - at);
    }
    const all = new Uint8Array(end - at);
    for (let n = first; n <= last; n++) {
      const bytes = yield* this.#block(h, n);
      const from = n * blockBytes - at;
      const skip = Math.max(0, -from);
      all.set(bytes.subarray(skip, Math.max(skip, end - n * blockBytes)), from + skip);
    }
    return all;
  }

  /** @throws KernelError `tooLarge`, `noSpace`, `ioError` */
  *write(h: Handle, at: number, bytes: Uint8Array): Task<void> {
    if (bytes.length === 0) return;
    const d = h.descriptor;
    const end = at + bytes.length;
    if (end > fileBytesMax) throw new KernelError('tooLarge');
    const newSize = Math.max(d.sizeBytes, end);
    const first = Math.floor(at / blockBytes);
    const last = Math.floor((end - 1) / blockBytes);
    const before = first > 0 ? yield* h.map.find(first - 1) : none;
    const addresses: number[] = [];
    for (let n = first; n <= last; n++) addresses.push(yield* h.map.find(n));
    const fresh = addresses.flatMap((a, i) => (a === none ? [fragmentsIn(newSize, first + i)] : []));
    const indexes = fresh.length > 0 ? yield* h.map.indexesMissing(first, last) : 0;
    const growth = yield* this.#growth(h, newSize);
    const plan = this.#plan(h, growth, fresh, indexes, before);
    try {
      if (growth !== null) yield* this.#grow(h, growth, plan, growth.block < first || growth.block > last);
      for (let n = first; n <= last; n++) {
        const begin = Math.max(at, n * blockBytes);
        const part = bytes.subarray(begin - at, Math.min(end, (n + 1) * blockBytes) - at);
        const there = growth?.block === n ? plan.grown : (addresses[n - first] ?? none);
        yield* this.#writeBlock(h, n, begin - n * blockBytes, part, there, newSize, plan);
        d.sizeBytes = Math.max(d.sizeBytes, begin + part.length);
      }
    } finally {
      this.#giveBack(plan);
      if (growth?.done) this.#trim(h, growth);
      this.#changed(h);
    }
  }

  /** @throws KernelError `tooLarge`, `noSpace`, `ioError` */
  *truncate(h: Handle, sizeBytes: number): Task<void> {
    const d = h.descriptor;
    if (sizeBytes > fileBytesMax) throw new KernelError('tooLarge');
    if (sizeBytes < d.sizeBytes) yield* this.#cut(h, sizeBytes);
    else if (sizeBytes > d.sizeBytes) {
      const growth = yield* this.#growth(h, sizeBytes);
      const plan = this.#plan(h, growth, [], 0, none);
      try {
        if (growth !== null) yield* this.#grow(h, growth, plan, true);
        d.sizeBytes = sizeBytes;
      } finally {
        this.#giveBack(plan);
        if (growth?.done) this.#trim(h, growth);
      }
    }
    this.#changed(h);
  }

  /** Gives everything that the file had on the disk back. */
  *free(h: Handle): Task<void> {
    const runs = yield* h.map.detach(0);
    h.object.drop('all');
    h.forgetPlaces(0);
    h.descriptor.sizeBytes = 0;
    yield* this.#writeBack.free(h, runs);
  }

  *#block(h: Handle, n: number): Task<Uint8Array> {
    const cached = h.object.tryRead(n);
    if (cached !== undefined) return cached;
    return (yield* h.map.find(n)) === none ? new Uint8Array(0) : yield* h.object.read(n);
  }

  #changed(h: Handle): void {
    h.descriptor.modifyNs = this.#writeBack.nowNs;
    h.descriptor.changeNs = this.#writeBack.nowNs;
    this.#writeBack.touch(h);
  }

  // ---- taking space ----

  /** What the last block needs before the file can have that size: only the last block of a file is in fragments. */
  *#growth(h: Handle, newSize: number): Task<Growth | null> {
    const { sizeBytes } = h.descriptor;
    const block = lastBlock(sizeBytes);
    if (block < 0 || block >= directBlocks) return null;
    const old = fragmentsIn(sizeBytes, block);
    const fragments = fragmentsIn(newSize, block);
    const address = yield* h.map.find(block);
    if (address === none || fragments <= old) return null;
    return { block, from: { address, fragments: old }, fragments, done: false };
  }

  /** Takes all that a write needs, at once. @throws KernelError `noSpace`, and nothing is taken */
  #plan(h: Handle, growth: Growth | null, fresh: readonly number[], indexes: number, before: number): Plan {
    const { space } = this.#volume;
    const plan: Plan = { grown: growth?.from.address ?? none, blocks: [], indexes: [], taken: new Map() };
    // What has to move goes next to where it was.
    let after = growth?.from.address ?? (before === none ? -1 : before);
    const take = (fragments: number): number => {
      const address = space.take(fragments, after, h.start);
      if (address < 0) {
        this.#giveBack(plan);
        throw new KernelError('noSpace');
      }
      plan.taken.set(address, { address, fragments });
      after = address;
      return address;
    };
    let { grown } = plan;
    if (growth !== null && !space.extend(growth.from, growth.fragments)) grown = take(growth.fragments);
    else if (growth !== null) {
      const address = growth.from.address + growth.from.fragments;
      plan.taken.set(address, { address, fragments: growth.fragments - growth.from.fragments });
    }
    if (growth !== null) after = grown;
    for (let i = 0; i < indexes; i++) plan.indexes.push(take(fragmentsPerBlock));
    for (const fragments of fresh) plan.blocks.push(take(fragments));
    return { ...plan, grown };
  }

  #giveBack(plan: Plan): void {
    for (const run of plan.taken.values()) this.#volume.space.give(run);
    plan.taken.clear();
  }

  /**
   * Makes the last block larger on the disk: longer where it is, or moved. It has to be written anew, since what it grows
   * over holds old bytes; `alone` says that the write which makes it grow will not do that.
   */
  *#grow(h: Handle, g: Growth, plan: Plan, alone: boolean): Task<void> {
    const { from, block } = g;
    if (plan.grown === from.address) {
      if (alone) yield* this.#rewrite(h, block, plan.grown, g.fragments, from);
      plan.taken.delete(from.address + from.fragments);
      g.done = true;
      return;
    }
    yield* this.#rewrite(h, block, plan.grown, g.fragments, from);
    plan.taken.delete(plan.grown);
    h.descriptor.direct[block] = plan.grown;
    g.done = true;
    yield* this.#writeBack.free(h, [from]);
  }

  /** Makes a block dirty as it is, to be written to another place. */
  *#rewrite(h: Handle, block: number, address: number, fragments: number, old: Run): Task<void> {
    const content = yield* this.#block(h, block);
    let done = false;
    try {
      yield* this.#put(h, block, 0, content, { address, fragments }, false);
      done = true;
    } finally {
      if (!done) h.place(block, old.address, old.fragments);
    }
  }

  /** Bytes into the cache, to go to that place. A write-back may begin before the bytes are there and end after it. */
  *#put(h: Handle, n: number, at: number, bytes: Uint8Array, to: Run, fetchFirst: boolean): Task<void> {
    h.place(n, to.address, to.fragments);
    if (h.object.tryWrite?.(n, at, bytes, { fetchFirst }) !== true)
      yield* h.object.write(n, at, bytes, { fetchFirst });
    h.place(n, to.address, to.fragments);
  }

  *#writeBlock(
    h: Handle,
    n: number,
    at: number,
    bytes: Uint8Array,
    there: number,
    newSize: number,
    plan: Plan,
  ): Task<void> {
    const valid = Math.min(blockBytes, h.descriptor.sizeBytes - n * blockBytes);
    const fragments = fragmentsIn(newSize, n);
    if (there !== none) {
      const fetchFirst = valid > 0 && (at > 0 || bytes.length < valid);
      yield* this.#put(h, n, at, bytes, { address: there, fragments }, fetchFirst);
      return;
    }
    const address = plan.blocks[0] ?? none;
    const indexes = [...plan.indexes];
    let done = false;
    try {
      yield* this.#put(h, n, at, bytes, { address, fragments }, false);
      yield* h.map.assign(n, address, plan.indexes);
      plan.taken.delete(address);
      plan.blocks.shift();
      done = true;
    } finally {
      for (const index of indexes) if (!plan.indexes.includes(index)) plan.taken.delete(index);
      if (!done) h.forgetPlace(n);
    }
  }

  /** A write has failed half-way: the last block may have been given more than it needs. */
  #trim(h: Handle, g: Growth): void {
    const { sizeBytes, direct } = h.descriptor;
    const address = direct[g.block] ?? none;
    const needed = fragmentsIn(sizeBytes, g.block);
    if (g.fragments <= needed) return;
    h.shorten(g.block, needed);
    h.freed.push({ address: address + needed, fragments: g.fragments - needed });
    this.#volume.pendingFragments += g.fragments - needed;
  }

  // ---- cutting ----

  *#cut(h: Handle, sizeBytes: number): Task<void> {
    const d = h.descriptor;
    const last = lastBlock(sizeBytes);
    const runs: Run[] = [];
    if (sizeBytes % blockBytes !== 0) {
      const address = yield* h.map.find(last);
      if (address !== none) {
        const old = fragmentsIn(d.sizeBytes, last);
        const needed = fragmentsIn(sizeBytes, last);
        const valid = Math.min(blockBytes, d.sizeBytes - last * blockBytes);
        const from = sizeBytes - last * blockBytes;
        yield* this.#put(h, last, from, new Uint8Array(valid - from), { address, fragments: old }, true);
        if (needed < old) runs.push({ address: address + needed, fragments: old - needed });
      }
    }
    runs.push(...(yield* h.map.detach(last + 1)));
    if (last >= 0) h.shorten(last, fragmentsIn(sizeBytes, last));
    h.object.drop('all', last + 1);
    h.forgetPlaces(last + 1);
    d.sizeBytes = sizeBytes;
    yield* this.#writeBack.free(h, runs);
  }
}
