/**
 * A disk written by hand from the layouts: a small tree, a checkpoint in the first region, and a group after it. What is
 * to be wrong with it is said in `Wishes`, which change records before they are sealed; so everything else stays true.
 */
import { type DiskImage, type FileType, fileTypes } from '@backplane/slots';
import { crc32, encodeUtf8 } from '@backplane/wire';
import {
  address,
  allocatedFlag,
  BlockKind,
  blockBytes,
  blockHeader,
  blockRecord,
  type Checkpoint,
  checkpoint,
  checkpointMagic,
  cleanFlag,
  type DescriptorRecord,
  type DirectoryLogRecord,
  descriptorRecord,
  descriptorsMagic,
  directoryLogMagic,
  directoryLogRecord,
  directoryMagic,
  directoryRecord,
  fileRecord,
  groupEndFlag,
  indexMagic,
  type MapEntry,
  mapEntriesPerBlock,
  mapEntry,
  mapMagic,
  type Pointer,
  pointer,
  pointersPerBlock,
  regionSector,
  type Summary,
  type Superblock,
  seal,
  sectorBytes,
  summary,
  summaryMagic,
  superblock,
  superblockCopySector,
  superblockMagic,
  superblockSector,
  type UsageEntry,
  usageEntry,
  usageMagic,
} from '../src/layouts.ts';

export interface Wishes {
  superblock?(s: Superblock): Superblock;
  copy?(s: Superblock): Superblock;
  descriptor?(d: DescriptorRecord): DescriptorRecord;
  entries?(directory: number, e: readonly Entry[]): readonly Entry[];
  map?(n: number, e: MapEntry): MapEntry;
  usage?(segment: number, e: UsageEntry): UsageEntry;
  /** Of each partial write, by its number. */
  summary?(s: Summary): Summary;
  checkpoint?(c: Checkpoint): Checkpoint;
  /** Of index blocks: what stands in the header, and each pointer. */
  index?(owner: number, p: Pointer, slot: number): Pointer;
  operation?(r: DirectoryLogRecord): DirectoryLogRecord;
}

export interface Entry {
  readonly name: string;
  readonly file: number;
  readonly generation: number;
}

interface Block {
  readonly kind: number;
  readonly file: number;
  readonly generation: number;
  readonly block: number;
  readonly level: number;
  readonly bytes: Uint8Array;
}

const nowhere: Pointer = { sector: 0, sectors: 0, form: 0 };
const segmentSectors = 128;
const logSector = 96;
export const segments = 20;
const filesMax = 2 * mapEntriesPerBlock;
const sectors = logSector + segments * segmentSectors;

/** Numbers of the files. */
export const numbers = { root: 2, folder: 3, file: 4, large: 5, link: 6, twice: 7, open: 8 } as const;

export class Image implements DiskImage {
  readonly sectorBytes: number = sectorBytes;
  readonly sectors: number;
  readonly bytes: Uint8Array;
  /** Sectors of structures by what they are. */
  readonly places: Map<string, number> = new Map();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.sectors = Math.floor(bytes.length / sectorBytes);
  }

  read(sector: number, count: number): Uint8Array {
    if (!(sector >= 0 && count >= 0 && sector + count <= this.sectors))
      throw new Error(`sectors ${sector}+${count} of ${this.sectors} were read`);
    return this.bytes.subarray(sector * sectorBytes, (sector + count) * sectorBytes);
  }

  place(what: string): number {
    const sector = this.places.get(what);
    if (sector === undefined) throw new Error(`nothing is called ${what}`);
    return sector;
  }
}

export function buildImage(wishes: Wishes = {}): Image {
  return new Builder(wishes).all();
}

class Builder {
  readonly #wishes: Wishes;
  readonly #image = new Image(new Uint8Array(sectors * sectorBytes));
  readonly #map = new Map<number, MapEntry>();
  readonly #live = new Map<number, number>();
  #segment = 0;
  #offset = 0;
  #number = 1;
  #previous = 0;

  constructor(wishes: Wishes) {
    this.#wishes = wishes;
  }

  all(): Image {
    this.#superblocks();
    this.#tree();
    const addresses = this.#tables();
    this.#checkpoint(addresses);
    this.#afterwards();
    return this.#image;
  }

  #superblocks(): void {
    const s: Superblock = {
      magic: superblockMagic,
      checksum: 0,
      version: 2,
      flags: 0,
      sectorBytes,
      sectors,
      blockBytes,
      segmentSectors,
      segments,
      logSector,
      regionSectors: 8,
      filesMax,
      createNs: 7n,
    };
    const wished = this.#wishes.superblock?.(s) ?? s;
    this.#put(superblockSector, seal(superblock.encode(wished)));
    this.#put(superblockCopySector, seal(superblock.encode(this.#wishes.copy?.(wished) ?? wished)));
  }

  #put(sector: number, bytes: Uint8Array): void {
    this.#image.bytes.set(bytes, sector * sectorBytes);
  }

  // ---- the tree ----

  #tree(): void {
    const n = numbers;
    const text = content(5000, 1);
    const [a, b] = this.#write([
      data(n.file, 0, text.subarray(0, blockBytes)),
      data(n.file, 1, text.subarray(blockBytes)),
    ]);
    const many = Array.from({ length: 13 }, (_, i) => content(512, i));
    const large = this.#write(many.map((bytes, i) => data(n.large, i, bytes)));
    const index = this.#write([this.#index(n.large, 10, large.slice(10))]);
    this.#image.places.set('index', index[0]?.sector ?? 0);
    const [target] = this.#write([data(n.link, 0, encodeUtf8('folder/file'))]);
    const root = this.#directory(n.root, [
      { name: 'folder', file: n.folder, generation: 1 },
      { name: 'large', file: n.large, generation: 1 },
      { name: 'link', file: n.link, generation: 1 },
      { name: 'twice', file: n.twice, generation: 1 },
    ]);
    const folder = this.#directory(n.folder, [
      { name: 'file', file: n.file, generation: 1 },
      { name: 'again', file: n.twice, generation: 1 },
    ]);
    const directory = { type: 'directory', sizeBytes: blockBytes } as const;
    this.#descriptors([
      this.#record(n.root, { ...directory, links: 3, parent: n.root, direct: root }),
      this.#record(n.folder, { ...directory, links: 2, parent: n.root, direct: folder }),
      this.#record(n.file, { sizeBytes: 5000, direct: [a, b] }),
      this.#record(n.large, {
        sizeBytes: 12 * blockBytes + 512,
        direct: large.slice(0, 10),
        indirect: index,
      }),
      this.#record(n.link, { type: 'symlink', sizeBytes: 11, direct: [target] }),
      this.#record(n.twice, { links: 2 }),
      this.#record(n.open, { links: 0 }),
    ]);
  }

  #record(
    number: number,
    o: {
      readonly type?: FileType;
      readonly sizeBytes?: number;
      readonly links?: number;
      readonly parent?: number;
      readonly direct?: readonly (Pointer | undefined)[];
      readonly indirect?: readonly (Pointer | undefined)[];
    },
  ): DescriptorRecord {
    const d: DescriptorRecord = {
      number,
      generation: 1,
      truncations: 0,
      type: fileTypes.indexOf(o.type ?? 'file'),
      mode: 0o644,
      uid: 0,
      gid: 0,
      links: o.links ?? 1,
      parent: o.parent ?? 0,
      version: 2,
      sizeBytes: o.sizeBytes ?? 0,
      blockSectors: 8,
      deviceHost: 0,
      deviceType: 0,
      deviceUnit: 0,
      modifyNs: 1n,
      changeNs: 1n,
      createNs: 1n,
      accessNs: 1n,
      direct: Array.from({ length: 10 }, (_, i) => o.direct?.[i] ?? nowhere),
      indirect: Array.from({ length: 3 }, (_, i) => o.indirect?.[i] ?? nowhere),
    };
    return this.#wishes.descriptor?.(d) ?? d;
  }

  #descriptors(records: readonly DescriptorRecord[]): void {
    const bytes = headed(descriptorsMagic, { count: records.length }, records.length * descriptorRecord.size);
    for (const [i, d] of records.entries())
      descriptorRecord.encode(d, bytes, blockHeader.size + i * descriptorRecord.size);
    const [at] = this.#write([
      { kind: BlockKind.descriptors, file: 0, generation: 0, block: 0, level: 0, bytes: seal(bytes) },
    ]);
    this.#image.places.set('descriptors', at?.sector ?? 0);
    for (const [slot, d] of records.entries())
      this.#map.set(slot + numbers.root, {
        sector: at?.sector ?? 0,
        slot,
        flags: allocatedFlag | (d.links === 0 ? 1 : 0),
        generation: 1,
        truncations: 0,
        accessNs: 1n,
      });
    this.#count(-(at?.sectors ?? 0) * sectorBytes + records.length * descriptorRecord.size);
  }

  #index(owner: number, from: number, pointers: readonly Pointer[]): Block {
    const bytes = headed(indexMagic, { owner, index: from, count: 1 }, pointersPerBlock * pointer.size);
    for (const [i, p] of pointers.entries())
      pointer.encode(this.#wishes.index?.(owner, p, i) ?? p, bytes, blockHeader.size + i * pointer.size);
    return { kind: BlockKind.index, file: owner, generation: 1, block: from, level: 1, bytes: seal(bytes) };
  }

  #directory(number: number, made: readonly Entry[]): readonly Pointer[] {
    const entries = this.#wishes.entries?.(number, made) ?? made;
    const bytes = headed(
      directoryMagic,
      { owner: number, count: entries.length },
      blockBytes - blockHeader.size,
    );
    let at = blockHeader.size;
    for (const { name, file, generation } of entries) {
      const text = encodeUtf8(name);
      directoryRecord.encode({ file, generation, nameBytes: text.length }, bytes, at);
      bytes.set(text, at + directoryRecord.size);
      at += directoryRecord.size + text.length;
    }
    const pointers = this.#write([data(number, 0, seal(bytes))]);
    this.#image.places.set(`directory ${number}`, pointers[0]?.sector ?? 0);
    return pointers;
  }

  // ---- tables and checkpoint ----

  /** Map and usage blocks; their addresses. */
  #tables(): readonly number[] {
    const map = [0, 1].map((n) => {
      const bytes = headed(mapMagic, { index: n, count: mapEntriesPerBlock }, blockBytes - blockHeader.size);
      for (let i = 0; i < mapEntriesPerBlock; i++) {
        const number = n * mapEntriesPerBlock + i;
        const e = this.#map.get(number) ?? { ...freeEntry };
        mapEntry.encode(this.#wishes.map?.(number, e) ?? e, bytes, blockHeader.size + i * mapEntry.size);
      }
      return { kind: BlockKind.map, file: 0, generation: 0, block: n, level: 0, bytes: seal(bytes) };
    });
    // The usage table counts itself.
    this.#count(3 * blockBytes);
    const usage = headed(usageMagic, { count: segments }, blockBytes - blockHeader.size);
    for (let s = 0; s < segments; s++) {
      const liveBytes = this.#live.get(s) ?? 0;
      const isClean = s !== this.#segment && s !== this.#segment + 1 && liveBytes === 0;
      const e = { liveBytes, flags: isClean ? cleanFlag : 0, youngestNs: 1n, writtenNs: 1n };
      usageEntry.encode(this.#wishes.usage?.(s, e) ?? e, usage, blockHeader.size + s * usageEntry.size);
    }
    this.#count(-3 * blockBytes);
    const table = { kind: BlockKind.usage, file: 0, generation: 0, block: 0, level: 0, bytes: seal(usage) };
    const addresses = this.#write([...map, table]).map((p) => p.sector);
    for (const [i, what] of ['map 0', 'map 1', 'usage'].entries())
      this.#image.places.set(what, addresses[i] ?? 0);
    return addresses;
  }

  #checkpoint(addresses: readonly number[]): void {
    const c: Checkpoint = {
      magic: checkpointMagic,
      checksum: 0,
      serial: 5,
      flags: 0,
      timeNs: 9n,
      mounts: 1,
      segment: this.#segment,
      offset: this.#offset,
      next: this.#segment + 1,
      number: this.#number,
      previous: this.#previous,
      sequence: 40,
      mapBlocks: 2,
      usageBlocks: 1,
    };
    const bytes = new Uint8Array(sectorBytes);
    checkpoint.encode(this.#wishes.checkpoint?.(c) ?? c, bytes);
    for (const [i, sector] of addresses.entries())
      address.encode({ sector }, bytes, checkpoint.size + i * address.size);
    this.#put(regionSector, seal(bytes));
  }

  /** A group after the checkpoint: a new file is entered in the directory operation log. */
  #afterwards(): void {
    const name = encodeUtf8('new');
    const r: DirectoryLogRecord = {
      operation: 1,
      type: 0,
      mode: 0o644,
      sequence: 40,
      timeNs: 10n,
      file: 9,
      generation: 1,
      links: 1,
      uid: 0,
      gid: 0,
      directory: numbers.root,
      directoryGeneration: 1,
      directoryLinks: 3,
      nameBytes: name.length,
      oldNameBytes: 0,
    };
    const bytes = headed(directoryLogMagic, { count: 1 }, directoryLogRecord.size + name.length);
    directoryLogRecord.encode(this.#wishes.operation?.(r) ?? r, bytes, blockHeader.size);
    bytes.set(name, blockHeader.size + directoryLogRecord.size);
    this.#write([
      { kind: BlockKind.directoryLog, file: 0, generation: 0, block: 0, level: 0, bytes: seal(bytes) },
    ]);
  }

  // ---- the log ----

  #count(bytes: number): void {
    this.#live.set(this.#segment, (this.#live.get(this.#segment) ?? 0) + bytes);
  }

  /** A partial write with these blocks, which ends a group. */
  #write(blocks: readonly Block[]): readonly Pointer[] {
    const payload = blocks.reduce((n, b) => n + sectorsOf(b), 0);
    if (this.#offset + payload + 3 > segmentSectors) {
      this.#segment++;
      this.#offset = 0;
    }
    const first = logSector + this.#segment * segmentSectors + this.#offset;
    const pointers: Pointer[] = [];
    let at = first + 1;
    for (const b of blocks) {
      this.#put(at, b.bytes);
      pointers.push({ sector: at, sectors: sectorsOf(b), form: 0 });
      at += sectorsOf(b);
    }
    const summaryBytes = summary.size + blocks.length * (fileRecord.size + blockRecord.size);
    const tail = Math.ceil(Math.max(0, summaryBytes - sectorBytes) / sectorBytes);
    const text = new Uint8Array((1 + tail) * sectorBytes);
    const s: Summary = {
      magic: summaryMagic,
      checksum: 0,
      previous: this.#previous,
      number: this.#number,
      segment: this.#segment,
      offset: this.#offset,
      next: this.#segment + 1,
      sectors: 1 + payload + tail,
      bytes: summaryBytes,
      blocksChecksum: crc32(this.#image.read(first + 1, payload)),
      records: blocks.length,
      flags: groupEndFlag,
      mounts: 1,
      timeNs: 3n,
    };
    summary.encode(this.#wishes.summary?.(s) ?? s, text);
    let to = summary.size;
    for (const b of blocks) {
      const { kind, file, generation, block, level } = b;
      fileRecord.encode({ kind, blocks: 1, file, generation, truncations: 0, modifyNs: 1n }, text, to);
      to += fileRecord.size;
      blockRecord.encode({ block, sectors: sectorsOf(b), form: 0, level }, text, to);
      to += blockRecord.size;
    }
    seal(text);
    this.#put(first, text.subarray(0, sectorBytes));
    this.#put(at, text.subarray(sectorBytes));
    this.#image.places.set(`summary ${this.#number}`, first);
    this.#previous = summary.get.checksum(text, 0);
    this.#number++;
    this.#offset += s.sectors;
    const counted = blocks.filter((b) => b.kind < BlockKind.directoryLog);
    this.#count(counted.reduce((n, b) => n + sectorsOf(b) * sectorBytes, 0));
    return pointers;
  }
}

const freeEntry: MapEntry = { sector: 0, slot: 0, flags: 0, generation: 0, truncations: 0, accessNs: 0n };

const sectorsOf = (b: Block): number => Math.ceil(b.bytes.length / sectorBytes);

const data = (file: number, block: number, bytes: Uint8Array): Block => ({
  kind: BlockKind.data,
  file,
  generation: 1,
  block,
  level: 0,
  bytes,
});

/** A block in whole sectors with its header, to be sealed when its records are in it. */
function headed(
  magic: number,
  h: { readonly owner?: number; readonly index?: number; readonly count: number },
  recordBytes: number,
): Uint8Array {
  const length = Math.ceil((blockHeader.size + recordBytes) / sectorBytes) * sectorBytes;
  const { owner = 0, index = 0, count } = h;
  const generation = owner === 0 ? 0 : 1;
  return blockHeader.encode({ magic, checksum: 0, owner, generation, index, count }, new Uint8Array(length));
}

function content(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed * 31 + i * 7) & 0xff);
}
