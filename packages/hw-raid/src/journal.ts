/**
 * Where a member is lost, a check unit is all that is known of a data unit, and a power failure between the writes of one
 * row would change bytes that nobody has written. So what a write will put on a member goes to that member's journal
 * first; when all of them have it, it goes to the rows, and after a power failure it is put there again. One write at a
 * time: the journals together hold the last one.
 *
 *   after a power failure                       action
 *   every journal has its part of the write     put all parts where they belong
 *   one of them lacks it, or a part of it       nothing: no row has been touched
 *
 * A journal of another era is void: which members count, and so how rows have to be written, has changed since.
 */
import { Mutex } from '@backplane/engine';
import { crc32, type Layout, layout, u32 } from '@backplane/wire';
import type { Geometry } from './geometry.ts';
import type { Content } from './members.ts';
import { bitsOf, maskOf } from './note.ts';

const magic = 0x4a52_4e4c;
/** Rows that fit into the journals. */
export const journalRows = 16;
/** The note, and the header of the journal. */
const headSectors = 2;
const sectorBytes = 512;

interface JournalHeader {
  readonly magic: number;
  readonly checksum: number;
  readonly contentChecksum: number;
  readonly era: number;
  readonly serial: number;
  readonly members: number;
  readonly sector: number;
  readonly sectors: number;
}
const journalHeader: Layout<JournalHeader> = /* @__PURE__ */ layout(
  'arrayJournal',
  {
    magic: u32('4a524e4c, "JRNL"', { base: 16 }),
    checksum: u32('of the sector with zero in this place, CRC-32', { base: 16 }),
    contentChecksum: u32('of the sectors that follow, CRC-32', { base: 16 }),
    era: u32('in which it counts'),
    serial: u32('of the write: the same on all members that have a part of it'),
    members: u32('bit n: member n has a part', { base: 16 }),
    sector: u32('of this member, where its part belongs'),
    sectors: u32('which follow'),
  },
  { size: sectorBytes, doc: 'the second sector behind the rows of each member' },
);

/** Sectors behind the rows of each member: note, journal. */
export const reservedSectors = (unitSectors: number): number => headSectors + unitSectors * journalRows;

/** A part of a write of which every other part is in its journal, too, if it is whole. */
export interface JournalPart {
  readonly member: number;
  /** Where it belongs. */
  readonly sector: number;
  readonly sectors: number;
  readonly contentChecksum: number;
}

export class Journal {
  readonly lock: Mutex = new Mutex();
  /** Of the header; the content follows. The note is before it. */
  readonly sector: number;
  #serial = 0;

  constructor({ rows, unitSectors }: Geometry) {
    this.sector = rows * unitSectors + 1;
  }

  /** What goes to the journals. @param contents at most one for a member */
  encode(era: number, contents: readonly Content[]): readonly Content[] {
    const serial = ++this.#serial;
    const members = maskOf(contents.map((c) => c.member));
    return contents.map(({ member, sector, bytes }) => {
      const header: JournalHeader = {
        magic,
        checksum: 0,
        contentChecksum: crc32(bytes),
        era,
        serial,
        members,
        sector,
        sectors: bytes.length / sectorBytes,
      };
      const record = new Uint8Array(sectorBytes + bytes.length);
      journalHeader.encode({ ...header, checksum: checksumOf(header) }, record);
      record.set(bytes, sectorBytes);
      return { member, sector: this.sector, bytes: record };
    });
  }

  /** The parts of the last write, by the headers that could be read; none, if a journal lacks its own. */
  parts(heads: ReadonlyMap<number, Uint8Array>, era: number): readonly JournalPart[] {
    const found = new Map<number, JournalHeader>();
    for (const [member, bytes] of heads) {
      const h = journalHeader.decode(bytes);
      if (h.magic !== magic || h.checksum !== checksumOf(h)) continue;
      // Never the same number twice, or parts of two writes would pass for one.
      this.#serial = Math.max(this.#serial, h.serial);
      if (h.era === era) found.set(member, h);
    }
    const last = Math.max(...[...found.values()].map((h) => h.serial), 0);
    const of = [...found.values()].find((h) => h.serial === last);
    const parts: JournalPart[] = [];
    for (const member of bitsOf(of?.members ?? 0)) {
      const h = found.get(member);
      if (h === undefined || h.serial !== last) return [];
      parts.push({ member, sector: h.sector, sectors: h.sectors, contentChecksum: h.contentChecksum });
    }
    return parts;
  }

  /** What belongs where; nothing, if a part is not whole. */
  whole(parts: readonly JournalPart[], contents: readonly (Uint8Array | null)[]): readonly Content[] {
    const whole: Content[] = [];
    for (const [i, { member, sector, contentChecksum }] of parts.entries()) {
      const bytes = contents[i] ?? null;
      if (bytes === null || crc32(bytes) !== contentChecksum) return [];
      whole.push({ member, sector, bytes });
    }
    return whole;
  }
}

const checksumOf = (h: JournalHeader): number => crc32(journalHeader.encode({ ...h, checksum: 0 }));
