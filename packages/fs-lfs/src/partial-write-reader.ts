/** A partial write as it came from the disk: whole, or not there. */
import { crc32 } from '@backplane/wire';
import {
  BlockKind,
  blockRecord,
  fileRecord,
  isSealed,
  type Summary,
  sectorBytes,
  summary,
  summaryMagic,
} from './layouts.ts';
import { type LoggedBlock, type Owner, tailSectors } from './partial-write.ts';
import { placeOf } from './place.ts';
import { fromWire } from './times.ts';

export interface LoggedWrite {
  readonly summary: Summary;
  readonly blocks: readonly LoggedBlock[];
}

/** How long the partial write says that it is; 0 when these are not the first sector of one. */
export function claimedSectors(first: Uint8Array, room: number): number {
  if (first.length < sectorBytes || summary.get.magic(first, 0) !== summaryMagic) return 0;
  const sectors = summary.get.sectors(first, 0);
  const tail = tailSectors(summary.get.bytes(first, 0));
  return sectors <= room && sectors >= 1 + tail ? sectors : 0;
}

/**
 * @param bytes the sectors that it claims
 * @param sector where they lie on the disk
 * @returns undefined unless both checksums fit and every record is within it
 */
export function readPartialWrite(bytes: Uint8Array, sector: number): LoggedWrite | undefined {
  const summaryBytes = summary.get.bytes(bytes, 0);
  const payloadEnd = bytes.length - tailSectors(summaryBytes) * sectorBytes;
  if (summaryBytes < summary.size || payloadEnd < sectorBytes) return undefined;
  const text = new Uint8Array(sectorBytes + bytes.length - payloadEnd);
  text.set(bytes.subarray(0, sectorBytes));
  text.set(bytes.subarray(payloadEnd), sectorBytes);
  if (!isSealed(text)) return undefined;
  const checksum = crc32(bytes.subarray(sectorBytes, payloadEnd));
  if (checksum !== summary.get.blocksChecksum(text, 0)) return undefined;
  return readSummary(text, sector, (from, to) => bytes.subarray(from, to));
}

/**
 * The same from the summary alone, which has been found whole: that the blocks are whole is not known.
 *
 * @param text its first sector and the rest of it
 * @param content bytes of the partial write
 */
export function readSummary(
  text: Uint8Array,
  sector: number,
  content: (from: number, to: number) => Uint8Array,
): LoggedWrite | undefined {
  const s = summary.decode(text);
  const end = (s.sectors - tailSectors(s.bytes)) * sectorBytes;
  const blocks = records(text.subarray(0, Math.min(s.bytes, text.length)), s, sector, end, content);
  return blocks === undefined ? undefined : { summary: s, blocks };
}

/** The partial writes that a segment begins with, whatever log they are of. @param all its sectors, from `start` on the disk */
export function* writesIn(all: Uint8Array, start: number): Iterable<LoggedWrite> {
  const segmentSectors = all.length / sectorBytes;
  for (let at = 0; at < segmentSectors; ) {
    const sectors = claimedSectors(all.subarray(at * sectorBytes), segmentSectors - at);
    if (sectors === 0) return;
    const write = readPartialWrite(all.subarray(at * sectorBytes, (at + sectors) * sectorBytes), start + at);
    if (write === undefined) return;
    yield write;
    at += sectors;
  }
}

function records(
  text: Uint8Array,
  s: Summary,
  sector: number,
  payloadEnd: number,
  content: (from: number, to: number) => Uint8Array,
): readonly LoggedBlock[] | undefined {
  const blocks: LoggedBlock[] = [];
  let at = summary.size;
  let within = 1;
  for (let r = 0; r < s.records; r++) {
    const f = fileRecord.tryDecode(text, at);
    const kind = f === undefined ? undefined : kinds.get(f.kind);
    if (f === undefined || kind === undefined) return undefined;
    at += fileRecord.size;
    const { file, generation, truncations } = f;
    const owner: Owner = { kind, file, generation, truncations, modifyNs: fromWire(f.modifyNs) };
    for (let i = 0; i < f.blocks; i++, at += blockRecord.size) {
      const b = blockRecord.tryDecode(text, at);
      if (b === undefined) return undefined;
      const end = (within + b.sectors) * sectorBytes;
      if (b.sectors === 0 || end > payloadEnd) return undefined;
      blocks.push({
        owner,
        block: b.block,
        level: b.level,
        place: placeOf(sector + within, b.sectors, b.form),
        bytes: content(within * sectorBytes, end),
      });
      within += b.sectors;
    }
  }
  return blocks;
}

const kinds: ReadonlyMap<number, BlockKind> = /* @__PURE__ */ new Map(
  Object.values(BlockKind).map((kind) => [kind, kind]),
);
