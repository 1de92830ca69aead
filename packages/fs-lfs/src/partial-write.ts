/**
 * A partial write on its way to the disk: blocks get their addresses as they are added, and at the end the summary is
 * written around them.
 */
import { crc32 } from '@backplane/wire';
import {
  type BlockKind,
  blockRecord,
  fileRecord,
  groupEndFlag,
  groupStartFlag,
  seal,
  sectorBytes,
  summary,
  summaryMagic,
} from './layouts.ts';
import { formOf, nowhere, type Place, placeOf, sectorOf, sectorsOf } from './place.ts';
import { putNs, toWire } from './times.ts';

/** Whose block it is, and how old: what a file record says. */
export interface Owner {
  readonly kind: BlockKind;
  /** 0 for blocks that are no file's. */
  readonly file: number;
  readonly generation: number;
  readonly truncations: number;
  readonly modifyNs: number;
}

/** Of a block that is no file's. */
export const nobody = (kind: BlockKind): Owner => ({
  kind,
  file: 0,
  generation: 0,
  truncations: 0,
  modifyNs: 0,
});

/** A block of a partial write. */
export interface LoggedBlock {
  readonly owner: Owner;
  readonly block: number;
  readonly level: number;
  readonly place: Place;
  /** As many bytes as were given; the rest of its sectors are zeros. */
  readonly bytes: Uint8Array;
}

/** What only the log knows when a partial write is closed. */
export interface Closing {
  readonly previous: number;
  readonly number: number;
  readonly segment: number;
  readonly next: number;
  readonly groupStart: boolean;
  readonly groupEnd: boolean;
  readonly mounts: number;
  readonly timeNs: number;
}

export class PartialWrite {
  /** First sector on the disk, and within its segment. */
  readonly sector: number;
  readonly offset: number;
  readonly blocks: LoggedBlock[] = [];
  /** Sectors up to the end of the segment. */
  readonly #room: number;
  #payload = 0;
  #summaryBytes: number = summary.size;
  #records = 0;
  #open: Owner | null = null;

  constructor(sector: number, offset: number, room: number) {
    this.sector = sector;
    this.offset = offset;
    this.#room = room;
  }

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  /** All of it, summary included. */
  get sectors(): number {
    return 1 + this.#payload + tailSectors(this.#summaryBytes);
  }

  /** Where a block of so many sectors goes; `nowhere` when it does not fit any more. */
  add(owner: Owner, block: number, level: number, bytes: Uint8Array, sectors: number, form: number): Place {
    const joins = this.#joins(owner);
    const summaryBytes = this.#summaryBytes + (joins ? 0 : fileRecord.size) + blockRecord.size;
    if (1 + this.#payload + sectors + tailSectors(summaryBytes) > this.#room) return nowhere;
    this.#summaryBytes = summaryBytes;
    if (!joins) {
      this.#records++;
      this.#open = owner;
    }
    const place = placeOf(this.sector + 1 + this.#payload, sectors, form);
    this.#payload += sectors;
    this.blocks.push({ owner: this.#open ?? owner, block, level, place, bytes });
    return place;
  }

  #joins(owner: Owner): boolean {
    const open = this.#open;
    return (
      open !== null &&
      open.file === owner.file &&
      open.kind === owner.kind &&
      open.generation === owner.generation &&
      open.truncations === owner.truncations &&
      open.modifyNs === owner.modifyNs
    );
  }

  /** All sectors as the disk gets them, and the checksum of the summary. */
  close(o: Closing): { readonly bytes: Uint8Array; readonly checksum: number } {
    const { sectors } = this;
    const bytes = new Uint8Array(sectors * sectorBytes);
    for (const b of this.blocks) bytes.set(b.bytes, (sectorOf(b.place) - this.sector) * sectorBytes);
    const payloadEnd = (1 + this.#payload) * sectorBytes;
    const text = new Uint8Array((1 + tailSectors(this.#summaryBytes)) * sectorBytes);
    summary.encode(
      {
        magic: summaryMagic,
        checksum: 0,
        previous: o.previous,
        number: o.number,
        segment: o.segment,
        offset: this.offset,
        next: o.next,
        sectors,
        bytes: this.#summaryBytes,
        blocksChecksum: crc32(bytes.subarray(sectorBytes, payloadEnd)),
        records: this.#records,
        flags: (o.groupStart ? groupStartFlag : 0) | (o.groupEnd ? groupEndFlag : 0),
        mounts: o.mounts,
        timeNs: toWire(o.timeNs),
      },
      text,
    );
    this.#writeRecords(text);
    seal(text);
    bytes.set(text.subarray(0, sectorBytes));
    bytes.set(text.subarray(sectorBytes), payloadEnd);
    return { bytes, checksum: summary.get.checksum(text, 0) };
  }

  #writeRecords(text: Uint8Array): void {
    let at = summary.size;
    let record = -1;
    let owner: Owner | null = null;
    let count = 0;
    for (const b of this.blocks) {
      if (b.owner !== owner) {
        if (record >= 0) fileRecord.set.blocks(text, record, count);
        ({ owner } = b);
        record = at;
        count = 0;
        putOwner(text, at, owner);
        at += fileRecord.size;
      }
      const { set } = blockRecord;
      set.block(text, at, b.block);
      set.sectors(text, at, sectorsOf(b.place));
      set.form(text, at, formOf(b.place));
      set.level(text, at, b.level);
      at += blockRecord.size;
      count++;
    }
    if (record >= 0) fileRecord.set.blocks(text, record, count);
  }
}

/** Field by field into zeros, since each file that goes into the log has one. How many blocks follow is not known yet. */
function putOwner(text: Uint8Array, at: number, owner: Owner): void {
  const { set, offset } = fileRecord;
  set.kind(text, at, owner.kind);
  set.file(text, at, owner.file);
  set.generation(text, at, owner.generation);
  set.truncations(text, at, owner.truncations);
  putNs(text, at + offset.modifyNs, owner.modifyNs);
}

/** Sectors of a summary after its first. */
export const tailSectors = (summaryBytes: number): number =>
  Math.ceil(Math.max(0, summaryBytes - sectorBytes) / sectorBytes);
