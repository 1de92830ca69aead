/** Records of variable length in a dump: entries of directories, operations on names, and what a summary lists. */
import type { DumpedRecord } from '@backplane/slots';
import { decodeUtf8, describe, type Row } from '@backplane/wire';
import type { PartialWrite } from './audit-log.ts';
import { sectorsFor } from './audit-surface.ts';
import {
  blockHeader,
  blockRecord,
  DirectoryOperation,
  directoryLogRecord,
  directoryRecord,
  fileRecord,
  renamePart,
  sectorBytes,
  summary,
} from './layouts.ts';

/** @param bytes of a directory block at that sector */
export function* directoryRows(number: number, sector: number, bytes: Uint8Array): Iterable<DumpedRecord> {
  const count = blockHeader.get.count(bytes, 0);
  for (let i = 0, at = blockHeader.size; i < count; i++) {
    const r = directoryRecord.tryDecode(bytes, at);
    if (r === undefined) return;
    const end = at + directoryRecord.size + r.nameBytes;
    const name = nameRow('name', directoryRecord.size, bytes.subarray(at + directoryRecord.size, end));
    yield place(`entry of directory ${number}`, sector, at, [...describe(directoryRecord, bytes, at), name]);
    at = end;
  }
}

/** @param bytes of a directory log block at that sector */
export function* directoryLogRows(sector: number, bytes: Uint8Array): Iterable<DumpedRecord> {
  const count = blockHeader.get.count(bytes, 0);
  for (let i = 0, at = blockHeader.size; i < count; i++) {
    const r = directoryLogRecord.tryDecode(bytes, at);
    if (r === undefined) return;
    let end = at + directoryLogRecord.size;
    const text = (path: string, length: number): Row => {
      const row = nameRow(path, end - at, bytes.subarray(end, end + length));
      end += length;
      return row;
    };
    const rows = [...describe(directoryLogRecord, bytes, at), text('name', r.nameBytes)];
    if (r.operation === DirectoryOperation.rename) {
      const from = end - at;
      rows.push(...describe(renamePart, bytes, end).map((row) => ({ ...row, offset: row.offset + from })));
      end += renamePart.size;
      rows.push(text('oldName', r.oldNameBytes));
    }
    yield place(`directory operation ${r.sequence}`, sector, at, rows);
    at = end;
  }
}

/** The summary, and a record for each file in it, with its blocks. */
export function* partialWriteRows(w: PartialWrite, remark: string): Iterable<DumpedRecord> {
  const { number, sectors } = w.summary;
  yield {
    what: `summary of partial write ${number}${remark}`,
    sector: w.sector,
    at: 0,
    rows: describe(summary, w.text),
  };
  const rest = w.sector + sectors - sectorsFor(w.text.length - sectorBytes);
  let at = summary.size;
  for (let r = 0; r < w.summary.records; r++) {
    const from = at;
    const rows = [...describe(fileRecord, w.text, at)];
    const blocks = fileRecord.get.blocks(w.text, at);
    at += fileRecord.size;
    for (let i = 0; i < blocks; i++, at += blockRecord.size)
      for (const row of describe(blockRecord, w.text, at))
        rows.push({ ...row, path: `block[${i}].${row.path}`, offset: row.offset + at - from });
    // What is over a sector stands after the blocks.
    const sector = from < sectorBytes ? w.sector : rest + Math.floor(from / sectorBytes) - 1;
    const file = fileRecord.get.file(w.text, from);
    yield { what: `file ${file} in partial write ${number}`, sector, at: from % sectorBytes, rows };
  }
}

const place = (what: string, sector: number, at: number, rows: readonly Row[]): DumpedRecord => ({
  what,
  sector: sector + Math.floor(at / sectorBytes),
  at: at % sectorBytes,
  rows,
});

function nameRow(path: string, offset: number, bytes: Uint8Array): Row {
  const value = decodeUtf8(bytes);
  return { path, offset, width: bytes.length, kind: 'utf8', doc: '', value, text: JSON.stringify(value) };
}
