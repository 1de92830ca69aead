/**
 * Roll-forward: what the log has after the last checkpoint, taken over group by group.
 *
 *   descriptor in a group          the map leads to it
 *   create                         an empty file, until a descriptor of it follows
 *   free                           the number is free
 *   link, unlink, rename           names and link counts, at the end
 *
 * Names are applied last, in the order of their records, to the directories as their last blocks in the log have them. A
 * block may already show what a record says; entering or taking away a name once more changes nothing. What a group brings
 * counts only when the group is whole, so every file is as it was at one moment and every name is there or not.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import { newDescriptor } from './descriptor.ts';
import { wholeBlock } from './descriptor-blocks.ts';
import type { DescriptorMap } from './descriptor-map.ts';
import { decodeNameChanges, type NameChange, type Named, type Renamed } from './directory-log.ts';
import type { Handle } from './handle.ts';
import type { Handles } from './handles.ts';
import { BlockKind, blockHeader, descriptorBytes, descriptorRecord, none, sectorBytes } from './layouts.ts';
import type { LoggedBlock } from './partial-write.ts';
import { type Place, sectorOf, sectorsOf } from './place.ts';
import type { SegmentUsage } from './usage.ts';

export interface RollForwardParts {
  readonly map: DescriptorMap;
  readonly usage: SegmentUsage;
  readonly handles: Handles;
  readonly touch: (h: Handle) => void;
  /** Processor time for one file that is found in the log. */
  readonly fileNs: number;
}

export interface Recovered {
  readonly files: number;
  readonly names: number;
}

/** What a number led to at the checkpoint. */
interface Before {
  readonly sector: number;
  readonly places: readonly Place[];
}

export class RollForward {
  static {
    tasks(RollForward);
  }

  readonly #parts: RollForwardParts;
  /** Files that the log has something of. */
  readonly #before = new Map<number, Before>();
  readonly #changes: NameChange[] = [];
  /** The last record that made each number a file. */
  readonly #created = new Map<number, Named>();

  constructor(parts: RollForwardParts) {
    this.#parts = parts;
  }

  /** @throws KernelError `ioError` */
  *apply(blocks: readonly LoggedBlock[]): Task<Recovered> {
    for (const b of blocks)
      if (b.owner.kind === BlockKind.directoryLog) yield* this.#records(b);
      else if (b.owner.kind === BlockKind.descriptors) yield* this.#descriptors(b);
    yield* this.#account();
    this.#remake();
    for (const change of this.#changes) yield* this.#name(change);
    return { files: this.#before.size, names: this.#changes.length };
  }

  // ---- the map ----

  *#records(b: LoggedBlock): Task<void> {
    const { map } = this.#parts;
    for (const change of decodeNameChanges(b.bytes) ?? []) {
      const { file, generation } = change;
      if (!map.isNumber(file)) continue;
      this.#changes.push(change);
      if (change.operation === 'create') {
        yield* this.#remember(file);
        map.allocate(file, generation);
        map.accessed(file, change.timeNs);
        this.#created.set(file, change);
      } else if (change.operation === 'free' && isFile(map, file, generation)) {
        yield* this.#remember(file);
        map.release(file);
      }
    }
  }

  *#descriptors(b: LoggedBlock): Task<void> {
    const { map } = this.#parts;
    const block = wholeBlock(b.bytes);
    if (block === undefined) return;
    const count = blockHeader.get.count(block, 0);
    for (let slot = 0; slot < count; slot++) {
      const { number, generation, truncations } = descriptorRecord.decode(
        block,
        blockHeader.size + slot * descriptorBytes,
      );
      if (!map.isNumber(number)) continue;
      yield* this.#remember(number);
      if (!isFile(map, number, generation)) map.allocate(number, generation);
      map.truncated(number, truncations);
      map.place(number, sectorOf(b.place), slot);
    }
  }

  /** What the number leads to; asked before that changes for the first time. */
  *#remember(number: number): Task<void> {
    if (this.#before.has(number)) return;
    const { map, fileNs } = this.#parts;
    charge(fileNs);
    const sector = map.sector(number);
    let places: readonly Place[] = [];
    if (sector !== none) {
      const h = yield* this.#load(number);
      places = h.index.places();
      // The map is about to lead elsewhere.
      this.#parts.handles.forget(h);
    }
    this.#before.set(number, { sector, places });
  }

  /** Live bytes: those of the descriptors that were give way to those of the descriptors that are. */
  *#account(): Task<void> {
    const { map, usage } = this.#parts;
    for (const { sector, places } of this.#before.values()) {
      if (sector !== none) usage.remove(sector, descriptorBytes);
      for (const place of places) usage.remove(sectorOf(place), sectorsOf(place) * sectorBytes);
    }
    for (const number of this.#before.keys()) {
      if (!map.isAllocated(number) || map.sector(number) === none) continue;
      const h = yield* this.#load(number);
      const { modifyNs, accessNs } = h.descriptor;
      map.accessed(number, Math.max(accessNs, map.accessNs(number)));
      map.unlinked(number, h.descriptor.links === 0);
      usage.add(map.sector(number), descriptorBytes, modifyNs);
      for (const place of h.index.places())
        usage.add(sectorOf(place), sectorsOf(place) * sectorBytes, modifyNs);
    }
  }

  /** The file that the map has, with all of its index. */
  *#load(number: number): Task<Handle> {
    const { map, handles } = this.#parts;
    const h = yield* handles.hold({ domain: handles.domain, number, generation: map.generation(number) });
    handles.release(h);
    yield* h.index.loadAll();
    return h;
  }

  /** Files that were created and of which nothing else came into the log: empty ones. */
  #remake(): void {
    const { map, handles, touch } = this.#parts;
    for (const [number, c] of this.#created) {
      if (!isFile(map, number, c.generation) || map.sector(number) !== none) continue;
      const made = newDescriptor(
        { type: c.type, mode: c.mode, uid: c.uid, gid: c.gid },
        c.generation,
        c.timeNs,
      );
      const h = handles.enter(number, made);
      h.changed = true;
      touch(h);
      handles.release(h);
    }
  }

  // ---- names ----

  *#name(c: NameChange): Task<void> {
    if (c.operation === 'free') return;
    const to = yield* this.#directory(c.directory, c.directoryGeneration);
    const enters = c.operation !== 'unlink';
    if (to !== undefined) {
      if (enters) to.directory?.enter(c.name, c.file, c.generation);
      else to.directory?.leave(c.name);
      this.#counted(to, c.directoryLinks, c.timeNs, true);
    }
    if (c.operation === 'rename') yield* this.#leaveOld(c);
    const h = yield* this.#file(c.file, c.generation);
    if (h === undefined) return;
    if (enters && h.isDirectory) h.descriptor.parent = c.directory;
    this.#counted(h, c.links, c.timeNs, false);
  }

  *#leaveOld(c: Renamed): Task<void> {
    const { from, fromGeneration, fromLinks, replaced, replacedGeneration, replacedLinks } = c.from;
    const source = yield* this.#directory(from, fromGeneration);
    if (source !== undefined) {
      const samePlace = from === c.directory && c.oldName === c.name;
      if (!samePlace) source.directory?.leave(c.oldName);
      this.#counted(source, fromLinks, c.timeNs, true);
    }
    const lost = replaced === none ? undefined : yield* this.#file(replaced, replacedGeneration);
    if (lost !== undefined) this.#counted(lost, replacedLinks, c.timeNs, false);
  }

  #counted(h: Handle, links: number, timeNs: number, modified: boolean): void {
    const { map, touch } = this.#parts;
    const d = h.descriptor;
    d.links = links;
    d.changeNs = Math.max(d.changeNs, timeNs);
    if (modified) d.modifyNs = Math.max(d.modifyNs, timeNs);
    map.unlinked(h.id.number, links === 0);
    h.changed = true;
    touch(h);
  }

  *#directory(number: number, generation: number): Task<Handle | undefined> {
    const h = yield* this.#file(number, generation);
    if (h === undefined || !h.isDirectory) return undefined;
    yield* this.#parts.handles.open(h);
    return h;
  }

  /** The file, if it is still there at the end of the log. */
  *#file(number: number, generation: number): Task<Handle | undefined> {
    const { map, handles } = this.#parts;
    if (!map.isNumber(number) || !isFile(map, number, generation)) return undefined;
    const h = yield* handles.hold({ domain: handles.domain, number, generation });
    handles.release(h);
    return h;
  }
}

const isFile = (map: DescriptorMap, number: number, generation: number): boolean =>
  map.isAllocated(number) && map.generation(number) === generation;
