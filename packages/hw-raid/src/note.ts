/**
 * The note that each member carries behind its last row: which members are lost, and in which regions of the array
 * something may be under way. It is on every member that counts before the first write into a region begins, and long
 * after the last one has ended the region is struck out again. After a power failure the rows of the regions that are
 * noted are the only ones in which a check unit may not fit its data.
 *
 * The note is one sector, which a power failure leaves old or new. Of several that differ the one with the highest
 * sequence counts.
 */
import { type Scope, type Task, Timer, tasks, WaitQueue } from '@backplane/engine';
import { array, crc32, type Layout, layout, u8, u32 } from '@backplane/wire';
import type { Geometry, Slab } from './geometry.ts';
import type { Members } from './members.ts';

const regionsMax = 64;
const magic = 0x5241_4944;

export interface NoteRecord {
  readonly magic: number;
  readonly checksum: number;
  readonly sequence: number;
  readonly era: number;
  readonly lost: number;
  readonly regions: readonly number[];
}
const noteRecord: Layout<NoteRecord> = /* @__PURE__ */ layout(
  'arrayNote',
  {
    magic: u32('52414944, "RAID"', { base: 16 }),
    checksum: u32('of the sector with zero in this place, CRC-32', { base: 16 }),
    sequence: u32('the highest one counts'),
    era: u32('rises when a member is lost or comes back'),
    lost: u32('bit n: member n is lost', { base: 16 }),
    regions: array(u8(), regionsMax / 8, 'bit n % 8 of byte n / 8: something may be under way in region n'),
  },
  { size: 512, doc: 'the first sector behind the rows of each member' },
);

/** The newest of the notes that members carry; undefined: none has one. */
export function newestNote(sectors: readonly (Uint8Array | null)[]): NoteRecord | undefined {
  let newest: NoteRecord | undefined;
  for (const bytes of sectors) {
    if (bytes === null) continue;
    const found = noteRecord.decode(bytes);
    if (
      found.magic === magic &&
      found.checksum === checksumOf(found) &&
      found.sequence > (newest?.sequence ?? 0)
    )
      newest = found;
  }
  return newest;
}

const checksumOf = (r: NoteRecord): number => crc32(noteRecord.encode({ ...r, checksum: 0 }));

export const bitsOf = (mask: number): readonly number[] =>
  Array.from({ length: 32 }, (_, i) => i).filter((i) => ((mask >>> i) & 1) === 1);
export const maskOf = (bits: Iterable<number>): number => {
  let mask = 0;
  for (const bit of bits) mask |= 1 << bit;
  return mask >>> 0;
};

export class Note {
  static {
    tasks(Note);
  }

  readonly #members: Members;
  readonly #sector: number;
  readonly #regionRows: number;
  readonly #strikeNs: number;
  readonly #timer: Timer;
  readonly #noted = new Set<number>();
  /** Noted by an earlier life, and not yet seen to. */
  readonly #stale = new Set<number>();
  /** Writes under way, by region. */
  readonly #open = new Uint32Array(regionsMax);
  /** Written to since the last look. */
  readonly #used = new Set<number>();
  #sequence = 0;
  /** Changes so far, and how many of them the members have. */
  #version = 0;
  #storedVersion = 0;
  #storing = false;
  readonly #stored = new WaitQueue();

  constructor(scope: Scope, members: Members, geometry: Geometry, strikeNs: number) {
    this.#members = members;
    this.#sector = geometry.rows * geometry.unitSectors;
    this.#regionRows = Math.ceil(geometry.rows / regionsMax);
    this.#strikeNs = strikeNs;
    this.#timer = new Timer(scope, 'regions', () => {
      if (this.#strike()) scope.spawn('regions', this.settle());
    });
  }

  /** What an earlier life has left. */
  restore(found: NoteRecord): void {
    this.#sequence = found.sequence;
    for (const [i, byte] of found.regions.entries())
      for (const bit of bitsOf(byte)) {
        this.#noted.add(i * 8 + bit);
        this.#stale.add(i * 8 + bit);
      }
  }

  /** Rows in which an earlier life may have left check units that do not fit. */
  stale(): readonly { readonly region: number; readonly row: number; readonly end: number }[] {
    return [...this.#stale]
      .sort((a, b) => a - b)
      .map((region) => ({ region, row: region * this.#regionRows, end: (region + 1) * this.#regionRows }));
  }

  /** The rows of a region have been seen to. */
  settled(region: number): void {
    this.#stale.delete(region);
    this.#timer.set(this.#strikeNs);
  }

  /** Before a write into a slab begins. Where a member is lost there is nothing to note: the journal does more. */
  *begin(slab: Slab): Task<void> {
    for (const region of this.#regions(slab)) {
      this.#open[region] = (this.#open[region] ?? 0) + 1;
      if (this.#members.degraded || this.#noted.has(region)) continue;
      this.#noted.add(region);
      this.#version++;
    }
    yield* this.settle();
  }

  end(slab: Slab): void {
    for (const region of this.#regions(slab)) {
      this.#open[region] = (this.#open[region] ?? 0) - 1;
      this.#used.add(region);
    }
    if (!this.#timer.armed && this.#noted.size > 0) this.#timer.set(this.#strikeNs);
  }

  /** Which members count has changed: `settle` has to follow before anybody hears of it. */
  change(): void {
    this.#version++;
  }

  /** A member that was lost is whole again: all rows fit, but where something is under way. */
  whole(): void {
    this.#stale.clear();
    this.#noted.clear();
    for (const [region, count] of this.#open.entries()) if (count > 0) this.#noted.add(region);
    this.#version++;
  }

  /** Returns when the members have every change made so far. */
  *settle(): Task<void> {
    const version = this.#version;
    while (this.#storedVersion < version) {
      if (this.#storing) {
        yield* this.#stored.wait();
        continue;
      }
      this.#storing = true;
      const storing = this.#version;
      const bytes = this.#encode();
      // A member that fails here changes the note again.
      yield* this.#members.write(
        this.#members.trusted.map((member) => ({ member, sector: this.#sector, bytes })),
      );
      this.#storing = false;
      this.#storedVersion = storing;
      this.#stored.wakeAll();
    }
  }

  /** Strikes out regions that have been quiet. Returns whether there were any. */
  #strike(): boolean {
    if (this.#members.degraded) return false;
    const before = this.#noted.size;
    for (const region of [...this.#noted])
      if ((this.#open[region] ?? 0) === 0 && !this.#used.has(region) && !this.#stale.has(region))
        this.#noted.delete(region);
    this.#used.clear();
    if (this.#noted.size > this.#stale.size) this.#timer.set(this.#strikeNs);
    if (this.#noted.size === before) return false;
    this.#version++;
    return true;
  }

  #regions({ row, rows }: Slab): readonly number[] {
    const first = Math.floor(row / this.#regionRows);
    const last = Math.floor((row + rows - 1) / this.#regionRows);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  }

  #encode(): Uint8Array {
    const regions = new Uint8Array(regionsMax / 8);
    for (const r of this.#noted) regions[r >>> 3] = (regions[r >>> 3] ?? 0) | (1 << (r & 7));
    const record = {
      magic,
      checksum: 0,
      sequence: ++this.#sequence,
      era: this.#members.era,
      lost: maskOf(this.#members.lost),
      regions: [...regions],
    };
    return noteRecord.encode({ ...record, checksum: checksumOf(record) });
  }
}
