/**
 * From memory into the log: what is dirty is added in groups that are valid as a whole, and checkpoints make the place
 * from where recovery begins.
 *
 *   commit of files    their data and index blocks, every pending record of the directory log, their descriptors
 *   commit of all      the same for everything, and directories
 *   checkpoint         the same while no operation is under way, then the map and the usage table, then a region
 *
 * What ends a group is added without waiting for anything, so nothing comes in between. A file's descriptor is taken down
 * in the moment when all of its blocks are in the log: what it says is then true of the log up to there, whatever happens
 * to the file before the group ends.
 */
import { Mutex, type Task, tasks } from '@backplane/engine';
import { assert, type Disk, isKernelError, type Machine } from '@backplane/slots';
import { Age, type AgeOptions } from './age.ts';
import { Changes } from './changes.ts';
import type { Regions } from './checkpoints.ts';
import { encodeDescriptor } from './descriptor.ts';
import type { DescriptorMap } from './descriptor-map.ts';
import { type NameChange, PendingChanges } from './directory-log.ts';
import type { FileBytes } from './file-bytes.ts';
import type { Geometry } from './geometry.ts';
import type { Handle } from './handle.ts';
import {
  BlockKind,
  blockBytes,
  blockHeader,
  descriptorBytes,
  descriptorRecord,
  descriptorsMagic,
  descriptorsPerBlock,
  none,
  seal,
  sectorBytes,
} from './layouts.ts';
import type { Log } from './log.ts';
import { nobody } from './partial-write.ts';
import { sectorOf } from './place.ts';
import type { Space } from './space.ts';
import type { Tables } from './tables.ts';
import type { SegmentUsage } from './usage.ts';
import { WaitingList } from './waiting-list.ts';

export interface CommitParts {
  readonly machine: Machine;
  readonly disk: Disk;
  readonly geometry: Geometry;
  readonly log: Log;
  readonly map: DescriptorMap;
  readonly usage: SegmentUsage;
  readonly space: Space;
  readonly regions: Regions;
}

export interface CommitCounts {
  commits: number;
  checkpoints: number;
}

/** Files whose descriptors are to go into the log, as they were taken down, 21 a block. */
class Taken {
  readonly handles: Handle[] = [];
  readonly blocks: Uint8Array[] = [];

  /** Where the next descriptor is to be written down. */
  add(h: Handle): { readonly bytes: Uint8Array; readonly at: number } {
    const slot = this.handles.length % descriptorsPerBlock;
    if (slot === 0) this.blocks.push(new Uint8Array(blockBytes));
    this.handles.push(h);
    const bytes = this.blocks.at(-1);
    assert(bytes !== undefined, 'storage', 'a descriptor has no block');
    return { bytes, at: blockHeader.size + slot * descriptorBytes };
  }
}

export class Commits {
  static {
    tasks(Commits);
  }

  readonly changes: Changes = new Changes();
  readonly counts: CommitCounts = { commits: 0, checkpoints: 0 };
  readonly #parts: CommitParts;
  readonly #tables: Tables;
  readonly #bytes: FileBytes;
  /** Whoever adds a group has it. */
  readonly #adding = new Mutex();
  readonly #waiting = new WaitingList();
  /** Operations on names that no group has yet. */
  readonly #pending = new PendingChanges();
  /** Operations on names so far, and how many of them are in the log. */
  #named = 0;
  #namedInLog = 0;
  /** Files that must be in the log with the operations on names that wait, until a group has both. */
  #followers: Handle[] = [];
  readonly age: Age;
  /** Called when the disk refuses the same write again and again. */
  onStuck: () => Task<void> = function* (): Task<void> {};

  constructor(parts: CommitParts, bytes: FileBytes, tables: Tables, options: AgeOptions) {
    this.#parts = parts;
    this.#bytes = bytes;
    this.#tables = tables;
    const { machine, log, map } = parts;
    this.age = new Age({ machine, log, map }, options, (what) => this.#whenDue(what));
  }

  get nowNs(): number {
    return this.#parts.machine.engine.nowNs;
  }

  // ---- what operations tell ----

  /** Something of the file waits to go into the log. */
  touch(h: Handle): void {
    this.#waiting.add(h);
    this.age.stir();
  }

  /** An operation on names. @param follower a file that must not be there without its content */
  named(change: NameChange, follower?: Handle): void {
    this.#pending.add(change);
    this.#named++;
    this.#parts.space.named();
    if (follower !== undefined) this.#followers.push(follower);
  }

  /** Records of the directory log that were in the log and are not any more. */
  restore(changes: readonly NameChange[]): void {
    this.#pending.addBefore(changes);
  }

  /** There is no such file any more. */
  forget(h: Handle): void {
    this.#waiting.delete(h);
  }

  // ---- commits ----

  /** Returns when these files and every operation on names are on the disk. @throws KernelError `ioError`, `noSpace` */
  *commit(files: readonly Handle[]): Task<void> {
    yield* this.#adding.acquire();
    try {
      yield* this.#taking((taken) => this.#group(files, taken, false));
    } finally {
      this.#adding.release();
    }
    yield* this.#landed();
  }

  /** Returns when everything is on the disk. @throws KernelError `ioError`, `noSpace` */
  *commitAll(): Task<void> {
    yield* this.#adding.acquire();
    try {
      yield* this.#taking((taken) => this.#group(this.#waiting.all(), taken, true));
    } finally {
      this.#adding.release();
    }
    yield* this.#landed();
  }

  /** Returns when every operation on names up to now is on the disk. Who comes while others write waits for one write with them all. */
  *commitNames(): Task<void> {
    const mine = this.#named;
    yield* this.#adding.acquire();
    try {
      if (mine > this.#namedInLog) yield* this.#taking((taken) => this.#group([], taken, false));
    } finally {
      this.#adding.release();
    }
    yield* this.#landed();
  }

  /** @param whole of everything that is dirty, followers among it */
  *#group(files: readonly Handle[], taken: Taken, whole: boolean): Task<void> {
    yield* this.#flush(whole ? files : this.#withFollowers(files), taken);
    this.#endGroup(taken, whole);
  }

  /** Descriptors that were taken down and came into no group are to be taken down again. */
  *#taking(body: (taken: Taken) => Task<void>): Task<void> {
    const taken = new Taken();
    let done = false;
    try {
      yield* body(taken);
      done = true;
    } finally {
      if (!done) for (const h of taken.handles) this.#again(h);
    }
  }

  *#whenDue(what: 'commit' | 'checkpoint'): Task<void> {
    if (this.#parts.log.isStuck) yield* this.onStuck();
    yield* what === 'checkpoint' ? this.checkpoint() : this.commitAll();
  }

  *#landed(): Task<void> {
    const { log, disk } = this.#parts;
    try {
      yield* log.landed();
    } catch (e) {
      if (!isKernelError(e) || !log.isStuck) throw e;
      yield* this.onStuck();
    }
    yield* disk.barrier();
  }

  #withFollowers(files: readonly Handle[]): Iterable<Handle> {
    return this.#followers.length === 0 ? files : new Set([...files, ...this.#followers]);
  }

  /** Brings files' bytes into the log and takes their descriptors down. Directories wait for the end of the group. */
  *#flush(files: Iterable<Handle>, taken: Taken): Task<void> {
    for (const h of files) {
      if (h.isDirectory || h.gone) continue;
      if (h.dirtyBlocks > 0 && !this.#tryFlush(h)) {
        if (!h.lock.tryAcquire()) yield* h.lock.acquire();
        try {
          yield* h.object.flush();
        } finally {
          h.unlock();
          this.#parts.space.count(h);
        }
        // Whoever waited for the lock has not run yet: all is still as it was flushed.
      }
      if (!h.gone && h.dirtyBlocks === 0) this.#take(h, taken);
    }
  }

  /** Where nobody has the lock and nothing has to be waited for. */
  #tryFlush(h: Handle): boolean {
    if (h.isLocked || h.object.tryFlush === undefined) return false;
    const flushed = h.object.tryFlush();
    this.#parts.space.count(h);
    return flushed;
  }

  #take(h: Handle, taken: Taken): void {
    if (!h.clean) {
      this.#bytes.putIndex(h);
      this.#encode(h, taken);
      h.changed = false;
    }
    this.forget(h);
  }

  #encode(h: Handle, taken: Taken): void {
    const { descriptor } = h;
    descriptor.accessNs = this.#parts.map.accessNs(h.id.number);
    const { bytes, at } = taken.add(h);
    encodeDescriptor(h.id.number, descriptor, bytes, at);
    h.index.encode(bytes, at + descriptorRecord.offset.direct);
  }

  /** Adds what makes a group whole, and ends it. On an error nothing is lost: all of it waits for the next group. */
  #endGroup(taken: Taken, whole: boolean): void {
    const { log, space } = this.#parts;
    const pending = this.#pending;
    const directories: Handle[] = [];
    let done = false;
    try {
      for (const bytes of pending.encoded(this.#tables.sequence))
        log.add(nobody(BlockKind.directoryLog), 0, 0, bytes);
      if (whole)
        for (const h of this.#waiting.all()) {
          if (h.gone || h.dirtyBlocks > 0) continue;
          if (h.directory !== null) {
            directories.push(h);
            this.#putDirectory(h);
          }
          this.#take(h, taken);
        }
      this.#putDescriptors(taken);
      done = true;
    } finally {
      if (!done)
        for (const h of directories) {
          for (let block = 0; block < (h.directory?.blocks ?? 0); block++) h.directory?.rewrite(block);
          this.#again(h);
        }
    }
    log.endGroup();
    this.#tables.advance(pending.length);
    pending.clear();
    this.#followers = this.#followers.filter((h) => h.waiting);
    this.#namedInLog = this.#named;
    if (whole) {
      space.allNamed();
      this.age.committed(this.#waiting.isEmpty);
    }
    this.counts.commits++;
  }

  #again(h: Handle): void {
    if (h.gone) return;
    h.changed = true;
    this.touch(h);
  }

  #putDirectory(h: Handle): void {
    const { directory, descriptor } = h;
    if (directory === null) return;
    for (const { block, bytes } of directory.take()) this.#bytes.put(h, block, bytes, 0, descriptor.modifyNs);
    descriptor.sizeBytes = directory.blocks * blockBytes;
  }

  #putDescriptors({ handles, blocks }: Taken): void {
    for (const [i, block] of blocks.entries())
      this.#putBlock(block, handles.slice(i * descriptorsPerBlock, (i + 1) * descriptorsPerBlock));
  }

  /** A file that has been freed since it was taken down has its place in the block, and nothing leads there. */
  #putBlock(block: Uint8Array, handles: readonly Handle[]): void {
    const { log, map, usage } = this.#parts;
    blockHeader.encode(
      { magic: descriptorsMagic, checksum: 0, owner: 0, generation: 0, index: 0, count: handles.length },
      block,
    );
    const used = blockHeader.size + handles.length * descriptorBytes;
    const bytes = seal(block.subarray(0, Math.ceil(used / sectorBytes) * sectorBytes));
    const sector = sectorOf(log.add(nobody(BlockKind.descriptors), 0, 0, bytes));
    for (const [slot, h] of handles.entries()) {
      if (h.gone) continue;
      const { number } = h.id;
      const old = map.sector(number);
      if (old !== none) usage.remove(old, descriptorBytes);
      map.place(number, sector, slot);
      map.unlinked(number, h.descriptor.links === 0);
      usage.add(sector, descriptorBytes, h.descriptor.modifyNs);
    }
  }

  // ---- checkpoints ----

  /** @param detached nothing follows: the disk is being put away. @throws KernelError `ioError`, `noSpace` */
  *checkpoint(detached = false): Task<void> {
    const { disk, log, regions, usage, geometry } = this.#parts;
    yield* this.#adding.acquire();
    try {
      yield* this.#taking((taken) => this.#quiesced(taken));
      const state = this.#tables.put(detached);
      this.changes.open();
      yield* log.landed();
      yield* disk.barrier();
      if (!geometry.writeOnce) yield* regions.write(state);
      this.#tables.serial = state.serial;
      usage.ripe();
      log.findNext();
    } finally {
      this.changes.open();
      this.#adding.release();
    }
    this.counts.checkpoints++;
    this.age.checkpointed();
  }

  /** Everything into the log: most of it while operations go on, the rest while none is under way. */
  *#quiesced(taken: Taken): Task<void> {
    yield* this.#flush(this.#waiting.all(), taken);
    yield* this.changes.close();
    yield* this.#flush(this.#waiting.all(), taken);
    this.#parts.log.findNext();
    this.#endGroup(taken, true);
  }
}
