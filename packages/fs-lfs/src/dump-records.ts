/** Records of variable length in a dump: entries of directories, operations on names, and what a summary lists. */
import type { DumpedRecord } from '@backplane/slots';
import { decodeUtf8, describe, type Layout, type Row } from '@backplane/wire';
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
    const from = at;
    const name = bytes.subarray(from + directoryRecord.size, end);
    yield place(`entry of directory ${number}`, sector, from, () => [
      ...describe(directoryRecord, bytes, from),
      nameRow('name', directoryRecord.size, name),
    ]);
    at = end;
  }
}

/** @param bytes of a directory log block at that sector */
export function* directoryLogRows(sector: number, bytes: Uint8Array): Iterable<DumpedRecord> {
  const count = blockHeader.get.count(bytes, 0);
  for (let i = 0, at = blockHeader.size; i < count; i++) {
    const r = directoryLogRecord.tryDecode(bytes, at);
    if (r === undefined) return;
    const from = at;
    const isRename = r.operation === DirectoryOperation.rename;
    const rename = from + directoryLogRecord.size + r.nameBytes;
    const oldName = rename + renamePart.size;
    const text = (path: string, first: number, length: number): Row =>
      nameRow(path, first - from, bytes.subarray(first, first + length));
    yield place(`directory operation ${r.sequence}`, sector, from, () => [
      ...describe(directoryLogRecord, bytes, from),
      text('name', from + directoryLogRecord.size, r.nameBytes),
      ...(isRename
        ? [...moved(renamePart, bytes, rename, from), text('oldName', oldName, r.oldNameBytes)]
        : []),
    ]);
    at = isRename ? oldName + r.oldNameBytes : rename;
  }
}

/** The summary, and a record for each file in it, with its blocks. */
export function* partialWriteRows(w: PartialWrite, remark: string): Iterable<DumpedRecord> {
  const { number, sectors } = w.summary;
  yield {
    what: `summary of partial write ${number}${remark}`,
    sector: w.sector,
    at: 0,
    rows: () => describe(summary, w.text),
  };
  const rest = w.sector + sectors - sectorsFor(w.text.length - sectorBytes);
  let at = summary.size;
  for (let r = 0; r < w.summary.records; r++) {
    const from = at;
    const blocks = fileRecord.get.blocks(w.text, from);
    at += fileRecord.size + blocks * blockRecord.size;
    // What is over a sector stands after the blocks.
    const sector = from < sectorBytes ? w.sector : rest + Math.floor(from / sectorBytes) - 1;
    const file = fileRecord.get.file(w.text, from);
    const rows = (): readonly Row[] => [
      ...describe(fileRecord, w.text, from),
      ...blockRows(w.text, from, blocks),
    ];
    yield { what: `file ${file} in partial write ${number}`, sector, at: from % sectorBytes, rows };
  }
}

const place = (what: string, sector: number, at: number, rows: DumpedRecord['rows']): DumpedRecord => ({
  what,
  sector: sector + Math.floor(at / sectorBytes),
  at: at % sectorBytes,
  rows,
});

/** The blocks that a file's record lists. @param from where that record stands in the text of the summary */
function blockRows(text: Uint8Array, from: number, blocks: number): readonly Row[] {
  return Array.from({ length: blocks }, (_, i) => {
    const at = from + fileRecord.size + i * blockRecord.size;
    return moved(blockRecord, text, at, from).map((row) => ({ ...row, path: `block[${i}].${row.path}` }));
  }).flat();
}

/** A part of a record that begins at `from`. */
const moved = <T>(part: Layout<T>, bytes: Uint8Array, at: number, from: number): readonly Row[] =>
  describe(part, bytes, at).map((row) => ({ ...row, offset: row.offset + at - from }));

function nameRow(path: string, offset: number, bytes: Uint8Array): Row {
  const value = decodeUtf8(bytes);
  return { path, offset, width: bytes.length, kind: 'utf8', doc: '', value, text: JSON.stringify(value) };
}
