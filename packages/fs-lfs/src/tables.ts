/**
 * The map and the usage table on the disk: where their blocks are, and how a checkpoint puts those that have changed into
 * the log. Usage blocks come last and in one partial write, since each says how much is live where all of them lie.
 */
import type { Machine } from '@backplane/slots';
import { encodeState, type State } from './checkpoints.ts';
import type { DescriptorMap } from './descriptor-map.ts';
import type { Geometry } from './geometry.ts';
import { BlockKind, blockBytes, blockSectors, none } from './layouts.ts';
import type { Log } from './log.ts';
import { nobody } from './partial-write.ts';
import { sectorOf } from './place.ts';
import { type SegmentUsage, tableBlockBytes } from './usage.ts';

export interface TablesParts {
  readonly machine: Machine;
  readonly geometry: Geometry;
  readonly log: Log;
  readonly map: DescriptorMap;
  readonly usage: SegmentUsage;
  /** Times that the disk has been attached, this one included. */
  readonly mounts: number;
}

export class Tables {
  /** Of the last checkpoint that is on the disk. */
  serial: number;
  /** That the next directory log record has. */
  sequence: number;
  readonly #parts: TablesParts;
  readonly #mapSectors: number[];
  /** Blocks of the map that are on the disk. */
  #mapBlocks: number;
  #usageSectors: number[];

  /** @param state the checkpoint that was found */
  constructor(parts: TablesParts, state: State) {
    this.#parts = parts;
    this.serial = state.serial;
    this.sequence = state.sequence;
    this.#mapSectors = Array.from(
      { length: parts.geometry.mapBlocks },
      (_, i) => state.mapSectors[i] ?? none,
    );
    this.#mapBlocks = this.#mapSectors.filter((sector) => sector !== none).length;
    this.#usageSectors = [...state.usageSectors];
  }

  /** So many records of the directory log have been used. */
  advance(records: number): void {
    this.sequence = (this.sequence + records) >>> 0;
  }

  /** Where a block of the map is; `none` for nowhere. */
  mapSector(block: number): number {
    return this.#mapSectors[block] ?? none;
  }

  /** The most that a checkpoint writes of them. */
  get bytes(): number {
    const { map, geometry } = this.#parts;
    return (this.#mapBlocks + map.changed.size + geometry.usageBlocks) * tableBlockBytes;
  }

  usageSector(block: number): number {
    return this.#usageSectors[block] ?? none;
  }

  /** Map blocks, then usage blocks, which know of all the others and of themselves. Ends a group, without waiting. */
  put(detached: boolean): State {
    const { log, map, usage, geometry } = this.#parts;
    const serial = (this.serial + 1) >>> 0;
    for (const block of [...map.changed].sort((a, b) => a - b)) {
      const old = this.#mapSectors[block] ?? none;
      const sector = sectorOf(log.add(nobody(BlockKind.map), block, 0, map.encode(block)));
      if (old === none) this.#mapBlocks++;
      else usage.remove(old, tableBlockBytes);
      usage.add(sector, tableBlockBytes, 0);
      this.#mapSectors[block] = sector;
      map.changed.delete(block);
    }
    usage.ripen(serial);
    if (this.#usageSectors.length === 0) {
      this.#usageSectors = Array.from({ length: geometry.usageBlocks }, () => none);
      usage.changeAll();
    }
    log.ensure(geometry.usageBlocks * blockSectors + geometry.stateSectors, geometry.usageBlocks + 1);
    for (const [block, bytes] of this.#placeUsage()) usage.encode(block, bytes);
    usage.changed.clear();
    if (geometry.writeOnce)
      log.add(nobody(BlockKind.checkpoint), 0, 0, encodeState(this.#state(serial, detached)));
    log.endGroup();
    return this.#state(serial, detached);
  }

  #state(serial: number, detached: boolean): State {
    const { log, machine, mounts } = this.#parts;
    return {
      serial,
      detached,
      timeNs: machine.engine.nowNs,
      mounts,
      position: log.position,
      sequence: this.sequence,
      mapSectors: [...this.#mapSectors],
      usageSectors: [...this.#usageSectors],
    };
  }

  /** Every usage block that changes gets its place; that changes others, until there are no more. */
  #placeUsage(): ReadonlyMap<number, Uint8Array> {
    const { log, usage } = this.#parts;
    const buffers = new Map<number, Uint8Array>();
    for (;;) {
      const block = [...usage.changed].sort((a, b) => a - b).find((b) => !buffers.has(b));
      if (block === undefined) return buffers;
      const bytes = new Uint8Array(blockBytes);
      buffers.set(block, bytes);
      const old = this.#usageSectors[block] ?? none;
      const sector = sectorOf(log.add(nobody(BlockKind.usage), block, 0, bytes));
      if (old !== none) usage.remove(old, tableBlockBytes);
      usage.add(sector, tableBlockBytes, 0);
      this.#usageSectors[block] = sector;
    }
  }
}
