/**
 * A file in use: its descriptor in memory, which is the valid one, and what has to happen before the disk may follow.
 *
 * Rules that keep every moment's disk repairable without loss of what was there before:
 * - A descriptor goes to the disk after the data and index blocks that it leads to.
 * - What a descriptor led to (`freed`) is given to others only when the disk has the descriptor that no longer does.
 * - A file's number is given to another only when also the directories that named it (`named`) are on the disk.
 */
import { Mutex, type Task, tasks } from '@backplane/engine';
import type { Backing, CachedObject, FileId } from '@backplane/slots';
import { BlockMap } from './block-map.ts';
import { type Descriptor, fragmentsIn } from './descriptor.ts';
import type { Directory } from './directory.ts';
import { blockBytes, fragmentBytes, none } from './layouts.ts';
import type { Run } from './space.ts';
import type { Volume } from './volume.ts';

/**
 * Where a dirty block goes: known without asking the index blocks, so that a write-back never waits for another block.
 * Each write has a place of its own, which is forgotten when the content of that write is on the disk.
 */
type Place = Readonly<Run>;

export class Handle implements Backing {
  static {
    tasks(Handle);
  }

  readonly id: FileId;
  readonly descriptor: Descriptor;
  readonly map: BlockMap;
  readonly object: CachedObject;
  /** Where its first block should lie, roughly. */
  start: number;
  /** Whoever changes or reads the file has it. */
  readonly lock: Mutex = new Mutex();
  /** Threads that hold the handle. */
  users = 0;
  /** Held since those that nobody uses were looked for. */
  used = true;
  /** Freed: there is no such file any more. */
  gone = false;
  /** Since when the disk has another descriptor; -1 when it has this one. */
  dirtySinceNs = -1;
  /** The size in the descriptor that the disk has; -1 while it has none, and then what it led to needs no waiting. */
  storedBytes: number;
  freed: Run[] = [];
  readonly named: Set<Handle> = new Set();
  /** Of a directory that was read. */
  directory: Directory | null = null;
  readonly #volume: Volume;
  readonly #places = new Map<number, Place>();

  constructor(
    volume: Volume,
    id: FileId,
    descriptor: Descriptor,
    o: { readonly stored: boolean; readonly writeDelayNs: number },
  ) {
    this.#volume = volume;
    this.id = id;
    this.descriptor = descriptor;
    this.storedBytes = o.stored ? descriptor.sizeBytes : -1;
    this.map = new BlockMap(volume, descriptor);
    this.start = volume.space.startOf(id.number);
    this.object = volume.cache.object(`${volume.keyPrefix}:file.${id.number}.${id.generation}`, this, {
      writeDelayNs: o.writeDelayNs,
    });
  }

  get isDirectory(): boolean {
    return this.descriptor.type === 'directory';
  }

  /** Nothing of it waits to go to the disk. */
  get clean(): boolean {
    return (
      this.dirtySinceNs < 0 && this.object.dirtyBlocks === 0 && this.map.clean && this.freed.length === 0
    );
  }

  /** A block is being changed: this is where it goes. Say so before the change and after it, since a write-back may come in between. */
  place(block: number, address: number, fragments: number): void {
    this.#places.set(block, { address, fragments });
  }

  /** A dirty block has become shorter. */
  shorten(block: number, fragments: number): void {
    const place = this.#places.get(block);
    if (place !== undefined) this.place(block, place.address, fragments);
  }

  /** A block is not of this file after all. */
  forgetPlace(block: number): void {
    this.#places.delete(block);
  }

  /** Blocks from this one on are no longer of this file. */
  forgetPlaces(from: number): void {
    for (const block of [...this.#places.keys()]) if (block >= from) this.#places.delete(block);
  }

  // ---- for the block cache ----

  *fetch(block: number): Task<Uint8Array> {
    const { sizeBytes } = this.descriptor;
    const address = yield* this.map.find(block);
    if (address === none) return new Uint8Array(0);
    const bytes = yield* this.#volume.readFragments({ address, fragments: fragmentsIn(sizeBytes, block) });
    return bytes.subarray(0, Math.max(0, Math.min(blockBytes, sizeBytes - block * blockBytes)));
  }

  *writeBack(block: number, bytes: Uint8Array): Task<void> {
    const place = this.#places.get(block);
    if (place === undefined) return; // cut off meanwhile
    const length = place.fragments * fragmentBytes;
    let whole = bytes.subarray(0, length);
    if (bytes.length < length) {
      whole = new Uint8Array(length);
      whole.set(bytes);
    }
    yield* this.#volume.writeFragments(place.address, whole);
    // Not when the block has been written again, though it may have been cut off in between.
    if (this.#places.get(block) === place) this.#places.delete(block);
  }
}
