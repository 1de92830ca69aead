/**
 * What goes to the disk, in which order. Descriptors and bitmaps are changed in memory only; they go to the disk when
 * somebody asks, and some time after they were changed.
 *
 *   step   what                                                                   why before the next
 *   stage  data and index blocks of each file, then its descriptor into its block a descriptor leads only to what is there
 *   land   the blocks that hold those descriptors                                 once for up to 32 of them
 *   free   what those files gave back, and numbers of files that are gone         nobody else writes where the disk still leads
 *   maps   bitmaps                                                                only a clean disk is believed
 *
 * A file that is gone waits for the directories that named it, too: a name that comes back after a crash must find either
 * its own file or a free descriptor.
 */
import { seconds, type Task, Timer, tasks } from '@backplane/engine';
import { isKernelError, type Machine } from '@backplane/slots';
import type { Bitmap } from './bitmap.ts';
import { encodeDescriptor } from './descriptor.ts';
import { descriptorBlockOf } from './geometry.ts';
import type { Handle } from './handle.ts';
import { InFlight } from './in-flight.ts';
import { descriptorBytes, descriptorsPerBlock } from './layouts.ts';
import type { MetaBlock } from './meta-blocks.ts';
import type { Run } from './space.ts';
import type { Volume } from './volume.ts';

/** Files on their way to the disk together. */
export class Batch {
  readonly blocks: Set<MetaBlock> = new Set();
  readonly files: { readonly handle: Handle; readonly freed: Run[]; readonly gone: boolean }[] = [];
}

/** The block cache looks for old blocks every few seconds; descriptors follow their data. */
const lagNs = /* @__PURE__ */ seconds(5);

export class WriteBack {
  static {
    tasks(WriteBack);
  }

  /** Write-backs by age that failed; what they should have stored is tried again. */
  errors = 0;
  readonly #volume: Volume;
  readonly #machine: Machine;
  readonly #delayNs: number;
  readonly #forget: (h: Handle) => void;
  /** In order of their first change. */
  readonly #dirty = new Set<Handle>();
  /** Descriptor blocks in the cache that the disk may not have yet. */
  readonly #staged = new Set<MetaBlock>();
  /** Batches on their way. */
  readonly #batches = new InFlight();
  /** Files that a batch did not come to the end of. */
  #givenBack = 0;
  readonly #timer: Timer;
  #working = false;

  /** @param forget called for a file that is gone, when its number is free */
  constructor(volume: Volume, machine: Machine, delayNs: number, forget: (h: Handle) => void) {
    this.#volume = volume;
    this.#machine = machine;
    this.#delayNs = delayNs + lagNs;
    this.#forget = forget;
    this.#timer = new Timer(machine.scope, 'ofs.write-back', () => this.#wake());
  }

  get nowNs(): number {
    return this.#machine.engine.nowNs;
  }

  /** Would the disk find all blocks of the file? */
  knows(h: Handle): boolean {
    return h.storedBytes === h.descriptor.sizeBytes && !this.#staged.has(this.#blockOf(h.id.number));
  }

  /** Everything that has changed, and whatever is under way already. The caller has no lock. */
  *flushAll(): Task<void> {
    let givenBack: number;
    do {
      givenBack = this.#givenBack;
      yield* this.flush([...this.#dirty], this.#staged);
      yield* this.#batches.landed();
      // Whoever had a batch under way may have been killed: then its files are dirty again.
    } while (this.#givenBack !== givenBack);
  }

  touch(h: Handle): void {
    if (h.dirtySinceNs < 0) {
      h.dirtySinceNs = this.nowNs;
      this.#dirty.add(h);
    }
    if (!this.#timer.armed && !this.#working) this.#timer.set(this.#delayNs);
  }

  /** A file gives back what it had. If the disk may still lead there, that waits for the file's descriptor. */
  *free(h: Handle, runs: readonly Run[]): Task<void> {
    if (runs.length === 0) return;
    for (const run of runs) this.#volume.pendingFragments += run.fragments;
    if (h.storedBytes >= 0) {
      h.freed.push(...runs);
      return;
    }
    // Whoever frees may be killed while it waits; the blocks are free then all the same.
    yield* this.#machine.scope.spawn('ofs.free', this.#freeLater(runs)).join();
  }

  *#freeLater(runs: readonly Run[]): Task<void> {
    yield* this.#volume.inFlight.landed();
    this.#release(runs);
  }

  /** The files, and all that they wait for. The caller has none of their locks. @throws the first error, after trying all */
  *flush(files: readonly Handle[], blocks: Iterable<MetaBlock> = []): Task<void> {
    const batch = new Batch();
    for (const block of blocks) batch.blocks.add(block);
    const number = this.#batches.begin();
    try {
      yield* this.#flush(files, batch);
    } finally {
      this.#giveBack(batch);
      this.#batches.end(number);
    }
  }

  *#flush(files: readonly Handle[], batch: Batch): Task<void> {
    let failed = false;
    let error: unknown;
    for (const h of files) {
      h.users++;
      try {
        yield* this.#data(h);
        yield* this.#stageLocked(h, batch);
      } catch (e) {
        if (!isKernelError(e)) throw e;
        error = failed ? error : e;
        failed = true;
      } finally {
        h.users--;
      }
    }
    yield* this.land(batch);
    if (failed) throw error;
  }

  /**
   * Data alone, while others read and write the file. Whoever writes faster than the disk would keep this from ever coming
   * to an end: what is dirty after two rounds is written under the file's lock.
   */
  *#data(h: Handle): Task<void> {
    for (let round = 0; round < 2 && h.object.dirtyBlocks > 0 && this.#wantsData(h); round++)
      yield* h.object.flush();
  }

  /** What no name leads to is freed by the repair after a crash: its data need not be there. */
  #wantsData(h: Handle): boolean {
    return !h.gone && h.descriptor.links > 0;
  }

  *#stageLocked(h: Handle, batch: Batch): Task<void> {
    yield* h.lock.acquire();
    try {
      yield* this.stage(h, batch);
    } finally {
      h.lock.release();
    }
  }

  /** Data, index blocks, and the descriptor into its block, which `land` writes. The caller has the file's lock. */
  *stage(h: Handle, batch: Batch): Task<void> {
    if (h.gone) for (const directory of h.named) yield* directory.object.flush();
    else if (this.#wantsData(h)) yield* h.object.flush();
    yield* h.map.flush();
    const block = this.#blockOf(h.id.number);
    // Somebody else may have begun to store it and not come to the end.
    if (this.#staged.has(block)) batch.blocks.add(block);
    if (h.dirtySinceNs < 0 && h.freed.length === 0) return;
    yield* block.read();
    this.#clean(h);
    h.storedBytes = h.descriptor.sizeBytes;
    let changed = false;
    try {
      const at = (h.id.number % descriptorsPerBlock) * descriptorBytes;
      yield* block.change(at, encodeDescriptor(h.descriptor, !h.gone));
      changed = true;
    } finally {
      // A disk that fails, or a program that is killed here.
      if (!changed) this.touch(h);
    }
    this.#staged.add(block);
    batch.blocks.add(block);
    batch.files.push({ handle: h, freed: h.freed, gone: h.gone });
    h.freed = [];
  }

  /** @throws what the disk throws; the files are then dirty again, as they are when who waits here is killed */
  *land(batch: Batch): Task<void> {
    if (batch.blocks.size === 0) return;
    try {
      for (const block of batch.blocks) {
        yield* block.flush();
        if (block.clean) this.#staged.delete(block);
      }
      yield* this.#volume.inFlight.landed();
      for (const { handle, freed, gone } of batch.files.splice(0)) {
        this.#release(freed);
        if (gone) this.#forgetGone(handle);
      }
    } finally {
      this.#giveBack(batch);
    }
  }

  /** The disk knows that the file is gone. */
  #forgetGone(h: Handle): void {
    h.named.clear();
    this.#volume.numbers.give(h.id.number);
    this.#volume.pendingFiles--;
    this.#forget(h);
  }

  /** What a batch did not come to wait for is waited for by the next one. */
  #giveBack(batch: Batch): void {
    this.#givenBack += batch.files.length;
    for (const { handle, freed } of batch.files.splice(0)) {
      handle.freed.push(...freed);
      this.touch(handle);
    }
  }

  /** Brings bitmap blocks that have changed to the disk. */
  *maps(): Task<void> {
    const { geometry, numbers, space } = this.#volume;
    yield* this.#map(numbers.map, geometry.descriptorMapBlock);
    yield* this.#map(space.map, geometry.dataMapBlock);
  }

  *#map(map: Bitmap, firstBlock: number): Task<void> {
    for (const n of [...map.changed]) {
      const block = this.#volume.metas.at(firstBlock + n);
      map.changed.delete(n);
      let stored = false;
      try {
        yield* block.fill(map.block(n));
        yield* block.flush();
        stored = true;
      } finally {
        if (!stored) map.changed.add(n);
      }
    }
  }

  #clean(h: Handle): void {
    h.dirtySinceNs = -1;
    this.#dirty.delete(h);
  }

  #blockOf(number: number): MetaBlock {
    return this.#volume.metas.at(descriptorBlockOf(this.#volume.geometry, number));
  }

  #release(runs: readonly Run[]): void {
    for (const run of runs) {
      this.#volume.space.give(run);
      this.#volume.pendingFragments -= run.fragments;
    }
  }

  // ---- by age ----

  #wake(): void {
    if (this.#working) return;
    this.#working = true;
    this.#machine.scope.spawn('ofs.write-back', this.#writeOld());
  }

  *#writeOld(): Task<void> {
    try {
      const dueNs = this.nowNs - this.#delayNs;
      yield* this.flush([...this.#dirty].filter((h) => h.dirtySinceNs <= dueNs));
      yield* this.maps();
    } catch (e) {
      // What could not be stored stays dirty and is tried again.
      if (!isKernelError(e)) throw e;
      this.errors++;
    } finally {
      this.#working = false;
      for (const h of this.#dirty) {
        // What failed just now waits for a while.
        this.#timer.setAt(Math.max(h.dirtySinceNs + this.#delayNs, this.nowNs + lagNs));
        break;
      }
    }
  }
}
