/**
 * What an array does in the background, a few rows at a time under their lock: writing the rows of a replaced member again,
 * and making check units fit after a power failure. It takes the share of time that it is given and rests for the others.
 */
import { sleep, type Task, tasks, WaitQueue } from '@backplane/engine';
import { dataOf } from './compose.ts';
import type { Geometry, Slab } from './geometry.ts';
import type { Content, Members } from './members.ts';
import type { Note } from './note.ts';
import type { RowLocks } from './row-locks.ts';
import { xorOf } from './xor.ts';

export interface RepairCounts {
  rowsRebuilt: number;
  rowsResynchronised: number;
}

/** Sectors of each member at a time. */
const stepSectors = 128;
const sectorBytes = 512;

export class Repair {
  static {
    tasks(Repair);
  }

  readonly #members: Members;
  readonly #note: Note;
  readonly #locks: RowLocks;
  readonly #geometry: Geometry;
  readonly #now: () => number;
  readonly #share: number;
  readonly #counts: RepairCounts;
  readonly #stepRows: number;
  readonly #rebuilt = new WaitQueue();

  constructor(
    members: Members,
    note: Note,
    locks: RowLocks,
    geometry: Geometry,
    o: { readonly share: number; readonly now: () => number },
    counts: RepairCounts,
  ) {
    this.#members = members;
    this.#note = note;
    this.#locks = locks;
    this.#geometry = geometry;
    this.#share = o.share;
    this.#now = o.now;
    this.#counts = counts;
    this.#stepRows = Math.max(1, Math.floor(stepSectors / geometry.unitSectors));
  }

  /** One member after the other. False: it has failed again, or the others could not be read. */
  *rebuild(member: number): Task<boolean> {
    const members = this.#members;
    while (members.rebuilding !== null) yield* this.#rebuilt.wait();
    if (!members.lost.has(member)) return true;
    members.rebuilding = member;
    members.rebuiltRows = 0;
    const whole = yield* this.#eachStep(0, this.#geometry.rows, (slab) => this.#rebuildRows(member, slab));
    if (whole) {
      members.restore(member);
      this.#note.whole();
    } else if (members.rebuilding === member) members.rebuilding = null;
    this.#rebuilt.wakeAll();
    yield* this.#note.settle();
    return whole && !members.lost.has(member);
  }

  /** Sees to the regions that an earlier life has left in the note. Ends early when a member is lost: then checks are needed as they are. */
  *resynchronise(): Task<void> {
    for (const { region, row, end } of this.#note.stale()) {
      const rows = Math.min(end, this.#geometry.rows);
      if (!(yield* this.#eachStep(row, rows, (slab) => this.#fit(slab)))) return;
      this.#note.settled(region);
    }
  }

  *#eachStep(first: number, end: number, step: (slab: Slab) => Task<boolean>): Task<boolean> {
    for (let row = first; row < end; row += this.#stepRows) {
      const rows = Math.min(this.#stepRows, end - row);
      const startNs = this.#now();
      const lock = yield* this.#locks.acquire(row, rows);
      let done: boolean;
      try {
        done = yield* step({ row, rows, from: 0, to: this.#geometry.unitSectors });
      } finally {
        this.#locks.release(lock);
      }
      if (!done) return false;
      const tookNs = this.#now() - startNs;
      yield* sleep(Math.round((tookNs * (1 - this.#share)) / this.#share));
    }
    return true;
  }

  *#rebuildRows(member: number, slab: Slab): Task<boolean> {
    const g = this.#geometry;
    const members = this.#members;
    let held = yield* members.readSlab(slab);
    while (held === 'again') held = yield* members.readSlab(slab);
    if (held === 'failed') return false;
    const unitBytes = g.unitSectors * sectorBytes;
    const bytes = new Uint8Array(slab.rows * unitBytes);
    for (let i = 0; i < slab.rows; i++) {
      const units = dataOf(g, slab.row + i, held, i * unitBytes, unitBytes);
      const unit = g.unitOn(slab.row + i, member);
      bytes.set(unit < 0 ? xorOf(unitBytes, units) : (units[unit] ?? []), i * unitBytes);
    }
    yield* members.write([{ member, sector: g.slabSector(slab), bytes }]);
    if (members.rebuilding !== member) return false;
    members.rebuiltRows = slab.row + slab.rows;
    this.#counts.rowsRebuilt += slab.rows;
    return true;
  }

  *#fit(slab: Slab): Task<boolean> {
    const g = this.#geometry;
    const members = this.#members;
    if (members.degraded) return false;
    const held = yield* members.readSlab(slab);
    if (typeof held === 'string') return false;
    const unitBytes = g.unitSectors * sectorBytes;
    const wrong: Content[] = [];
    for (let i = 0; i < slab.rows; i++) {
      const row = slab.row + i;
      const sum = xorOf(unitBytes, dataOf(g, row, held, i * unitBytes, unitBytes));
      for (let c = 0; c < g.checkUnits; c++) {
        const member = g.checkMember(row, c);
        const found = held.get(member)?.subarray(i * unitBytes, (i + 1) * unitBytes);
        if (found?.some((b, at) => b !== sum[at]) === true)
          wrong.push({ member, sector: row * g.unitSectors, bytes: sum });
      }
    }
    this.#counts.rowsResynchronised += slab.rows;
    return yield* members.write(wrong);
  }
}
