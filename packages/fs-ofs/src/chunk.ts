/**
 * Directory chunks as in 4.3BSD: records that fill 512 bytes exactly, each with the length to the next one; a name never
 * crosses a chunk. A chunk is always written whole, packed from the front, and it lies within one sector: so a directory
 * changes by one entry or not at all, whenever the power fails.
 */
import { decodeUtf8, encodeUtf8 } from '@backplane/wire';
import { chunkBytes, directoryRecord } from './layouts.ts';

export interface Entry {
  readonly file: number;
  readonly name: string;
  /** The name as it is on the disk: bytes that are no UTF-8 are kept. */
  readonly nameBytes: Uint8Array;
}

export const entryOf = (name: string, file: number): Entry => ({ file, name, nameBytes: encodeUtf8(name) });

/** Bytes of a record with this name: at least one zero after the name, in whole words. */
export const recordBytes = (nameBytes: number): number =>
  directoryRecord.size + 4 * Math.floor(nameBytes / 4) + 4;

export const roomIn = (entries: readonly Entry[]): number =>
  entries.reduce((room, e) => room - recordBytes(e.nameBytes.length), chunkBytes);

export function encodeChunk(entries: readonly Entry[]): Uint8Array {
  const bytes = new Uint8Array(chunkBytes);
  if (entries.length === 0) {
    directoryRecord.encode({ file: 0, recordBytes: chunkBytes, nameBytes: 0 }, bytes, 0);
    return bytes;
  }
  let at = 0;
  for (const [i, e] of entries.entries()) {
    const own = i === entries.length - 1 ? chunkBytes - at : recordBytes(e.nameBytes.length);
    directoryRecord.encode({ file: e.file, recordBytes: own, nameBytes: e.nameBytes.length }, bytes, at);
    bytes.set(e.nameBytes, at + directoryRecord.size);
    at += own;
  }
  return bytes;
}

/** The entries of a chunk, as far as its records make sense; `sound` when they do to the end. */
export function decodeChunk(
  bytes: Uint8Array,
  from: number,
): { readonly entries: readonly Entry[]; readonly sound: boolean } {
  const entries: Entry[] = [];
  const end = from + chunkBytes;
  if (bytes.length < end) return { entries, sound: false };
  for (let at = from; at < end; ) {
    const r = directoryRecord.decode(bytes, at);
    const sound =
      r.recordBytes % 4 === 0 &&
      r.recordBytes >= recordBytes(r.file === 0 ? 0 : r.nameBytes) &&
      at + r.recordBytes <= end;
    if (!sound) return { entries, sound: false };
    if (r.file !== 0) {
      const start = at + directoryRecord.size;
      const nameBytes = bytes.slice(start, start + r.nameBytes);
      entries.push({ file: r.file, name: decodeUtf8(nameBytes), nameBytes });
    }
    at += r.recordBytes;
  }
  return { entries, sound: true };
}

/** Orders names by their bytes. */
export function compareNames(a: Entry, b: Entry): number {
  const length = Math.min(a.nameBytes.length, b.nameBytes.length);
  for (let i = 0; i < length; i++) {
    const difference = (a.nameBytes[i] ?? 0) - (b.nameBytes[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.nameBytes.length - b.nameBytes.length;
}
