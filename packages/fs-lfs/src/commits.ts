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
import { Mutex, seconds, type Task, Timer, tasks } from '@backplane/engine';
import { assert, type Disk, isKernelError, type Machine } from '@backplane/slots';
import { Changes } from './changes.ts';
import { encodeState, type Regions, type State } from './checkpoints.ts';
import { encodeDescriptor } from './descriptor.ts';
import type { DescriptorMap } from './descriptor-map.ts';
import { encodeNameChanges, type NameChange } from './directory-log.ts';
import type { FileBytes } from './file-bytes.ts';
import type { Geometry } from './geometry.ts';
import type { Handle } from './handle.ts';
import {
  BlockKind,
  blockBytes,
  blockHeader,
  blockSectors,
  descriptorBytes,
  descriptorRecord,
  descriptorsMagic,
  descriptorsPerBlock,
  none,
  seal,
  sectorBytes,
} from './layouts.ts';
import type { Log } from './log.ts';
import type { Owner } from './partial-write.ts';
import { sectorOf } from './place.ts';
import type { Space } from './space.ts';
import { type SegmentUsage, tableBlockBytes } from './usage.ts';

export interface CommitOptions {
  /** Age at which what has changed goes into the log by itself. */
  readonly writeDelaySeconds: number;
  readonly checkpointSeconds: number;
  /** Bytes in the log after which there is a checkpoint; 0: by time alone. */
  readonly checkpointBytes: number;
}

export interface CommitParts {
  readonly machine: Machine;
  readonly disk: Disk;
  readonly geometry: Geometry;
  readonly log: Log;
  readonly map: DescriptorMap;
  readonly usage: SegmentUsage;
  readonly space: Space;
  readonly regions: Regions;
  /** Times that the disk has been attached, this one included. */
  readonly mounts: number;
}

/** What the last checkpoint said, and where its blocks are. */
export interface Tables {
  serial: number;
  sequence: number;
  readonly mapSectors: number[];
  usageSectors: number[];
}

export interface CommitCounts {
  commits: number;
  checkpoints: number;
  /** By age, where nobody hears of it. */
  errors: number;
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

/** After an error that nobody heard of, the next try. */
const retrySeconds = 5;

const nobody = (kind: Owner['kind'], modifyNs: number): Owner => ({
  kind,
  file: 0,
  generation: 0,
  truncations: 0,
  modifyNs,
});

export class Commits {
  static {
    tasks(Commits);
  }

  readonly changes: Changes = new Changes();
  readonly counts: CommitCounts = { commits: 0, checkpoints: 0, errors: 0 };
  readonly #parts: CommitParts;
  readonly #options: CommitOptions;
  readonly #tables: Tables;
  readonly #bytes: FileBytes;
  /** Whoever adds a group has it. */
  readonly #adding = new Mutex();
  /** Something of these waits to go into the log, the one that has waited longest first. */
  readonly #dirty = new Set<Handle>();
  /** Operations on names that no group has yet. */
  #pending: NameChange[] = [];
  /** Operations on names so far, and how many of them are in the log. */
  #named = 0;
  #namedInLog = 0;
  /** Files that must be in the log with the operations on names that wait. */
  readonly #followers = new Set<Handle>();
  readonly #timer: Timer;
  #working = false;
  #dirtySinceNs = -1;
  /** When somebody wants it written; `Infinity`: nobody does. */
  #soonNs = Infinity;
  /** After an error that nobody heard of. */
  #notBeforeNs = 0;
  #checkpointNs: number;
  /** Bytes that the log had at the last checkpoint. */
  #checkpointBytes = 0;
  /** Called when a checkpoint has been made: segments may have become clean. */
  onCheckpoint: () => void = () => {};

  /** Called when the disk refuses the same write again and again. */
  onStuck: () => Task<void> = function* (): Task<void> {};

  constructor(parts: CommitParts, bytes: FileBytes, tables: Tables, options: CommitOptions) {
    this.#parts = parts;
    this.#bytes = bytes;
    this.#tables = tables;
    this.#options = options;
    this.#checkpointNs = parts.machine.engine.nowNs;
    this.#timer = new Timer(parts.machine.scope, 'lfs.commit', () => this.#wake());
  }

  get nowNs(): number {
    return this.#parts.machine.engine.nowNs;
  }

  // ---- what operations tell ----

  /** Something of the file waits to go into the log. */
  touch(h: Handle): void {
    if (!this.#dirty.has(h)) this.#dirty.add(h);
    this.stir();
  }

  /** What is dirty now is to go into the log after this time at the latest. */
  soon(delayNs: number): void {
    this.#soonNs = Math.min(this.#soonNs, this.nowNs + delayNs);
    if (!this.#working) this.#arm();
  }

  /** Roll-forward has found so many records of the directory log. */
  recovered(names: number): void {
    this.#tables.sequence = (this.#tables.sequence + names) >>> 0;
  }

  /** Something has changed that the next commit or checkpoint should have. */
  stir(): void {
    if (this.#dirtySinceNs >= 0) return;
    this.#dirtySinceNs = this.nowNs;
    if (!this.#working) this.#arm();
  }

  /** An operation on names. @param follower a file that must not be there without its content */
  named(change: NameChange, follower?: Handle): void {
    this.#pending.push(change);
    this.#named++;
    this.#parts.space.named();
    if (follower !== undefined) this.#followers.add(follower);
  }

  /** Records of the directory log that were in the log and are not any more. */
  restore(changes: readonly NameChange[]): void {
    this.#pending.unshift(...changes);
  }

  /** There is no such file any more. */
  forget(h: Handle): void {
    this.#dirty.delete(h);
    this.#followers.delete(h);
  }

  /** Where a block of the map is; `none` for nowhere. */
  mapSector(block: number): number {
    return this.#tables.mapSectors[block] ?? none;
  }

  usageSector(block: number): number {
    return this.#tables.usageSectors[block] ?? none;
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
      yield* this.#taking((taken) => this.#group([...this.#dirty], taken, true));
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

  *#group(files: readonly Handle[], taken: Taken, whole: boolean): Task<void> {
    for (const h of this.#withFollowers(files)) yield* this.#flush(h, taken);
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

  #withFollowers(files: readonly Handle[]): ReadonlySet<Handle> {
    const all = new Set(files);
    for (const h of this.#followers) all.add(h);
    return all;
  }

  /** Brings a file's bytes into the log and takes its descriptor down. Directories wait for the end of the group. */
  *#flush(h: Handle, taken: Taken): Task<void> {
    if (h.isDirectory || h.gone) return;
    if (h.dirtyBlocks > 0) {
      yield* h.lock.acquire();
      try {
        yield* h.object.flush();
      } finally {
        h.lock.release();
        this.#parts.space.count(h);
      }
      // Whoever waited for the lock has not run yet: all is still as it was flushed.
    }
    if (!h.gone && h.dirtyBlocks === 0) this.#take(h, taken);
  }

  #take(h: Handle, taken: Taken): void {
    if (h.clean) {
      this.#dirty.delete(h);
      this.#followers.delete(h);
      return;
    }
    this.#bytes.putIndex(h);
    this.#encode(h, taken);
    h.changed = false;
    this.#dirty.delete(h);
    this.#followers.delete(h);
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
      for (const bytes of encodeNameChanges(pending, this.#tables.sequence))
        log.add(nobody(BlockKind.directoryLog, this.nowNs), 0, 0, bytes);
      if (whole)
        for (const h of [...this.#dirty]) {
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
    this.#tables.sequence = (this.#tables.sequence + pending.length) >>> 0;
    this.#pending = [];
    this.#namedInLog = this.#named;
    if (whole) {
      space.allNamed();
      this.#dirtySinceNs = this.#dirty.size === 0 ? -1 : this.nowNs;
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
    const sector = sectorOf(log.add(nobody(BlockKind.descriptors, 0), 0, 0, bytes));
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
      const state = this.#putTables(detached);
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
    this.#checkpointNs = this.nowNs;
    this.#checkpointBytes = log.counts.bytes;
    this.onCheckpoint();
  }

  /** Everything into the log: most of it while operations go on, the rest while none is under way. */
  *#quiesced(taken: Taken): Task<void> {
    for (const h of [...this.#dirty]) yield* this.#flush(h, taken);
    yield* this.changes.close();
    for (const h of [...this.#dirty]) yield* this.#flush(h, taken);
    this.#parts.log.findNext();
    this.#endGroup(taken, true);
  }

  /** Map blocks, then usage blocks, which know of all the others and of themselves. */
  #putTables(detached: boolean): State {
    const { log, map, usage, geometry } = this.#parts;
    const { mapSectors } = this.#tables;
    const serial = (this.#tables.serial + 1) >>> 0;
    for (const block of [...map.changed].sort((a, b) => a - b)) {
      const old = mapSectors[block] ?? none;
      const sector = sectorOf(log.add(nobody(BlockKind.map, 0), block, 0, map.encode(block)));
      if (old !== none) usage.remove(old, tableBlockBytes);
      usage.add(sector, tableBlockBytes, 0);
      mapSectors[block] = sector;
      map.changed.delete(block);
    }
    usage.ripen(serial);
    if (this.#tables.usageSectors.length === 0) {
      this.#tables.usageSectors = Array.from({ length: geometry.usageBlocks }, () => none);
      usage.changeAll();
    }
    log.ensure(geometry.usageBlocks * blockSectors + geometry.stateSectors, geometry.usageBlocks + 1);
    for (const [block, bytes] of this.#placeUsage()) usage.encode(block, bytes);
    usage.changed.clear();
    if (geometry.writeOnce)
      log.add(nobody(BlockKind.checkpoint, 0), 0, 0, encodeState(this.#state(serial, detached)));
    log.endGroup();
    return this.#state(serial, detached);
  }

  #state(serial: number, detached: boolean): State {
    const { log, mounts } = this.#parts;
    const { sequence, mapSectors, usageSectors } = this.#tables;
    return {
      serial,
      detached,
      timeNs: this.nowNs,
      mounts,
      position: log.position,
      sequence,
      mapSectors: [...mapSectors],
      usageSectors: [...usageSectors],
    };
  }

  /** Every usage block that changes gets its place; that changes others, until there are no more. */
  #placeUsage(): ReadonlyMap<number, Uint8Array> {
    const { log, usage } = this.#parts;
    const { usageSectors } = this.#tables;
    const buffers = new Map<number, Uint8Array>();
    for (;;) {
      const block = [...usage.changed].sort((a, b) => a - b).find((b) => !buffers.has(b));
      if (block === undefined) return buffers;
      const bytes = new Uint8Array(blockBytes);
      buffers.set(block, bytes);
      const old = usageSectors[block] ?? none;
      const sector = sectorOf(log.add(nobody(BlockKind.usage, 0), block, 0, bytes));
      if (old !== none) usage.remove(old, tableBlockBytes);
      usage.add(sector, tableBlockBytes, 0);
      usageSectors[block] = sector;
    }
  }

  // ---- by age ----

  #arm(): void {
    const { writeDelaySeconds, checkpointSeconds } = this.#options;
    const writeNs = this.#dirtySinceNs + seconds(writeDelaySeconds);
    const checkpointNs = Math.max(this.#checkpointNs + seconds(checkpointSeconds), this.nowNs);
    this.#timer.setAt(Math.max(this.nowNs, this.#notBeforeNs, Math.min(writeNs, checkpointNs, this.#soonNs)));
  }

  /** Is there more in the log since the last checkpoint than recovery should have to read? */
  get isCheckpointDue(): boolean {
    const { checkpointBytes } = this.#options;
    return checkpointBytes > 0 && this.#parts.log.counts.bytes - this.#checkpointBytes >= checkpointBytes;
  }

  /** Sees to it that there is a checkpoint soon. */
  hasten(): void {
    if (!this.#working) this.#wake();
  }

  #wake(): void {
    if (this.#working) return;
    this.#working = true;
    this.#parts.machine.scope.spawn('lfs.commit', this.#work());
  }

  *#due(): Task<void> {
    if (this.#parts.log.isStuck) yield* this.onStuck();
    this.#soonNs = Infinity;
    const due = this.#checkpointNs + seconds(this.#options.checkpointSeconds);
    if (this.nowNs >= due || this.isCheckpointDue) yield* this.checkpoint();
    else yield* this.commitAll();
  }

  *#work(): Task<void> {
    try {
      yield* this.#due();
    } catch (e) {
      // What could not be stored waits and is tried again.
      if (!isKernelError(e)) throw e;
      this.counts.errors++;
      this.#dirtySinceNs = this.nowNs;
      this.#notBeforeNs = this.nowNs + seconds(retrySeconds);
    } finally {
      this.#working = false;
      if (this.#dirtySinceNs >= 0) this.#arm();
      else if (this.#parts.log.counts.bytes > this.#checkpointBytes || this.#parts.map.changed.size > 0)
        this.#timer.setAt(
          Math.max(this.nowNs + 1, this.#checkpointNs + seconds(this.#options.checkpointSeconds)),
        );
    }
  }
}
