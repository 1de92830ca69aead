/**
 * The structures of a disk for people, field by field: label, summary, header, bitmaps, then each file's descriptor with
 * what it leads to. Ends on any bytes: regions are read as far as the disk goes, and an index block is shown once.
 */
import { type DiskImage, type DumpedRecord, fileTypes } from '@backplane/slots';
import { decodeUtf8, describe, type Layout, type Row } from '@backplane/wire';
import {
  bitsPerBlock,
  blockBytes,
  chunkBytes,
  type DescriptorRecord,
  type DomainHeader,
  descriptorRecord,
  descriptorsPerBlock,
  directBlocks,
  directoryRecord,
  diskLabel,
  domainHeader,
  fragmentBytes,
  fragmentsPerBlock,
  freeFlag,
  none,
  pointer,
  pointersPerBlock,
  summary,
} from './layouts.ts';

export function* dumpOfs(image: DiskImage): Iterable<DumpedRecord> {
  if (blockBytes % image.sectorBytes !== 0) return;
  const label = image.sectors > 0 ? diskLabel.tryDecode(image.read(0, 1)) : undefined;
  if (label === undefined) return;
  const dump = new Dump(image);
  yield* dump.sector('disk label', diskLabel, 0);
  yield* dump.sector('summary', summary, label.summarySector);
  yield* dump.sector('domain header', domainHeader, label.domainSector);
  if (label.domainSector >= image.sectors) return;
  const header = domainHeader.tryDecode(image.read(label.domainSector, 1));
  if (header !== undefined) yield* dump.regions(header);
}

class Dump {
  readonly #image: DiskImage;
  readonly #sectorsPerBlock: number;
  readonly #shown = new Set<number>();

  constructor(image: DiskImage) {
    this.#image = image;
    this.#sectorsPerBlock = blockBytes / image.sectorBytes;
  }

  *sector<T>(what: string, layout: Layout<T>, sector: number): Iterable<DumpedRecord> {
    if (sector >= this.#image.sectors) return;
    const bytes = this.#image.read(sector, 1);
    yield { what, sector, at: 0, rows: () => describe(layout, bytes) };
  }

  *regions(h: DomainHeader): Iterable<DumpedRecord> {
    yield* this.#bitmap('descriptor bitmap', h.descriptorMapBlock, h.descriptorMapBlocks);
    yield* this.#bitmap('fragment bitmap', h.dataMapBlock, h.dataMapBlocks);
    for (let b = 0; b < h.descriptorBlocks; b++) {
      const bytes = this.#block(h.descriptorBlock + b);
      if (bytes === null) return;
      for (let i = 0; i < descriptorsPerBlock; i++) {
        const at = i * descriptorRecord.size;
        const { magic, flags } = descriptorRecord.get;
        if (magic(bytes, at) === 0 && flags(bytes, at) === 0) continue;
        const number = b * descriptorsPerBlock + i;
        const what = `${flags(bytes, at) === freeFlag ? 'free descriptor' : 'descriptor'} ${number}`;
        yield this.#record(what, h.descriptorBlock + b, at, () => describe(descriptorRecord, bytes, at));
        if (flags(bytes, at) !== freeFlag) yield* this.#file(h, number, descriptorRecord.decode(bytes, at));
      }
    }
  }

  *#bitmap(what: string, first: number, blocks: number): Iterable<DumpedRecord> {
    for (let b = 0; b < blocks; b++) {
      const bytes = this.#block(first + b);
      if (bytes === null) return;
      yield this.#record(`${what} ${b}`, first + b, 0, () => [bitsRow(bytes)]);
    }
  }

  *#file(h: DomainHeader, number: number, d: DescriptorRecord): Iterable<DumpedRecord> {
    const isDirectory = fileTypes[d.type] === 'directory';
    const data = function* (dump: Dump, block: number, address: number): Iterable<DumpedRecord> {
      const bytes = isDirectory ? Math.min(blockBytes, d.sizeBytes - block * blockBytes) : 0;
      if (bytes > 0) yield* dump.#directory(h, number, address, bytes);
    };
    for (const [n, address] of d.direct.entries()) yield* data(this, n, address);
    for (const [level, address] of d.indirect.entries()) {
      const from = directBlocks + (level === 0 ? 0 : pointersPerBlock);
      yield* this.#index(h, number, address, level + 1, from, data);
    }
  }

  *#index(
    h: DomainHeader,
    number: number,
    address: number,
    level: number,
    from: number,
    data: (dump: Dump, block: number, address: number) => Iterable<DumpedRecord>,
  ): Iterable<DumpedRecord> {
    const bytes = this.#fragmentBlock(h, address);
    if (bytes === null || this.#shown.has(address)) return;
    this.#shown.add(address);
    const to: number[] = Array.from({ length: pointersPerBlock }, (_, i) =>
      pointer.get.to(bytes, i * pointer.size),
    );
    const rows = (): readonly Row[] =>
      to.flatMap((leads, i) =>
        leads === none ? [] : [numberRow(`to[${i}]`, i * pointer.size, pointer.size, leads)],
      );
    yield this.#record(`index block of ${number}, level ${level}`, this.#blockOf(h, address), 0, rows);
    const span = level === 1 ? 1 : pointersPerBlock;
    for (const [i, leads] of to.entries())
      if (leads !== none)
        yield* level === 1
          ? data(this, from + i, leads)
          : this.#index(h, number, leads, level - 1, from + i * span, data);
  }

  *#directory(h: DomainHeader, number: number, address: number, sizeBytes: number): Iterable<DumpedRecord> {
    const bytes = this.#fragmentBlock(h, address);
    if (bytes === null) return;
    const within = (address % fragmentsPerBlock) * fragmentBytes;
    for (let chunk = 0; chunk < sizeBytes; chunk += chunkBytes)
      for (let at = 0; at < chunkBytes; ) {
        const place = within + chunk + at;
        const r = directoryRecord.tryDecode(bytes, place);
        if (r === undefined || r.recordBytes < directoryRecord.size) break;
        const name = bytes.subarray(place + directoryRecord.size).subarray(0, r.nameBytes);
        const rows = (): readonly Row[] => [
          ...describe(directoryRecord, bytes, place),
          nameRow(directoryRecord.size, name),
        ];
        yield this.#record(`entry of directory ${number}`, this.#blockOf(h, address), place, rows);
        at += r.recordBytes;
      }
  }

  #record(what: string, block: number, at: number, rows: DumpedRecord['rows']): DumpedRecord {
    const { sectorBytes } = this.#image;
    const sector = block * this.#sectorsPerBlock + Math.floor(at / sectorBytes);
    return { what, sector, at: at % sectorBytes, rows };
  }

  #blockOf(h: DomainHeader, address: number): number {
    return h.dataBlock + Math.floor(address / fragmentsPerBlock);
  }

  #fragmentBlock(h: DomainHeader, address: number): Uint8Array | null {
    return address === none ? null : this.#block(this.#blockOf(h, address));
  }

  #block(block: number): Uint8Array | null {
    const sector = block * this.#sectorsPerBlock;
    return sector + this.#sectorsPerBlock <= this.#image.sectors
      ? this.#image.read(sector, this.#sectorsPerBlock)
      : null;
  }
}

function ones(byte: number): number {
  let n = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) n++;
  return n;
}

function bitsRow(bytes: Uint8Array): Row {
  const set = bytes.reduce((n, byte) => n + ones(byte), 0);
  return {
    path: 'bits',
    offset: 0,
    width: blockBytes,
    kind: 'bytes',
    doc: 'the highest bit of a byte comes first',
    value: set,
    text: `${set} of ${bitsPerBlock} set`,
  };
}

const numberRow = (path: string, offset: number, width: number, value: number): Row => ({
  path,
  offset,
  width,
  kind: 'u32',
  doc: '',
  value,
  text: String(value),
});

function nameRow(offset: number, bytes: Uint8Array): Row {
  const name = decodeUtf8(bytes);
  return {
    path: 'name',
    offset,
    width: bytes.length,
    kind: 'utf8',
    doc: '',
    value: name,
    text: JSON.stringify(name),
  };
}
