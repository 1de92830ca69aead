/**
 * Looks a disk over from outside: is everything that it says of itself true? For tests, tools and images. It shares the
 * layouts with the storage and the repair and none of their code, and it changes nothing.
 *
 * A disk passes after `recover`, after `sync` while nothing changes, and after an orderly halt. Between those, what is only in
 * memory is missing: the bitmaps above all.
 */
import { fileTypes } from '@backplane/slots';
import { AuditNames } from './audit-names.ts';
import {
  allocatedFlag,
  bitsPerBlock,
  blockBytes,
  type DescriptorRecord,
  type DomainHeader,
  descriptorMagic,
  descriptorRecord,
  descriptorsPerBlock,
  directBlocks,
  diskLabel,
  domainHeader,
  fragmentBytes,
  fragmentsPerBlock,
  freeFlag,
  headerMagic,
  isSealed,
  labelMagic,
  none,
  pointer,
  pointersPerBlock,
  rootNumber,
  summary,
  summaryMagic,
} from './layouts.ts';

export interface Finding {
  /** A stable word for the sort of thing that is wrong: `duplicate`, `links`, `bitmap`, ... */
  readonly kind: string;
  /** Where: `descriptor 17`, `directory 2`. */
  readonly where: string;
  readonly text: string;
}

type Read = (sector: number, count: number) => Uint8Array;

/** @param read gives the sectors as they are on the medium: `(sector, count) => disk.inspect(sector, count)` */
export function auditOfs(read: Read): Finding[] {
  const audit = new Audit(read);
  audit.all();
  return audit.findings;
}

class Audit {
  readonly findings: Finding[] = [];
  readonly #read: Read;
  #sectorBytes = 512;
  #header: DomainHeader | null = null;
  readonly #files = new Map<number, DescriptorRecord>();
  /** Fragment to the file that has it. */
  readonly #owners = new Map<number, number>();

  constructor(read: Read) {
    this.#read = read;
  }

  all(): void {
    if (!this.#label() || !this.#summary()) return;
    this.#descriptors();
    const names = new AuditNames(
      this.#files,
      (address) => this.#dataBlock(address),
      (kind, where, text) => this.#report(kind, where, text),
    );
    const directories = new Map<number, readonly number[]>();
    for (const [number, d] of this.#files) {
      const addresses = this.#blocks(number, d);
      if (fileTypes[d.type] === 'directory') directories.set(number, addresses);
    }
    names.all(directories);
    this.#bitmaps();
  }

  #report(kind: string, where: string, text: string): false {
    this.findings.push({ kind, where, text });
    return false;
  }

  #block(block: number): Uint8Array {
    const perBlock = blockBytes / this.#sectorBytes;
    return this.#read(block * perBlock, perBlock);
  }

  // ---- label, header, summary ----

  #label(): boolean {
    const first = this.#read(0, 1);
    this.#sectorBytes = first.length;
    const label = diskLabel.tryDecode(first);
    if (label === undefined || label.magic !== labelMagic || !isSealed(first))
      return this.#report('label', 'disk', 'there is no valid disk label');
    const sector = this.#read(label.domainSector, 1);
    const h = domainHeader.tryDecode(sector);
    if (h === undefined || h.magic !== headerMagic || !isSealed(sector))
      return this.#report('header', 'disk', 'there is no valid domain header');
    const end = (h.dataBlock + h.dataBlocks) * (blockBytes / label.sectorBytes);
    const fits =
      label.sectorBytes === first.length &&
      end <= label.sectors &&
      h.descriptors === h.descriptorBlocks * descriptorsPerBlock &&
      h.descriptorMapBlocks * bitsPerBlock >= h.descriptors &&
      h.dataMapBlocks * bitsPerBlock >= h.dataBlocks * fragmentsPerBlock &&
      h.descriptorMapBlock + h.descriptorMapBlocks <= h.descriptorBlock &&
      h.descriptorBlock + h.descriptorBlocks <= h.dataMapBlock &&
      h.dataMapBlock + h.dataMapBlocks <= h.dataBlock;
    if (!fits) return this.#report('header', 'disk', 'the regions do not fit together');
    this.#header = h;
    return true;
  }

  #summary(): boolean {
    const sector = this.#read(blockBytes / this.#sectorBytes, 1);
    const s = summary.tryDecode(sector);
    return s?.magic === summaryMagic && isSealed(sector)
      ? true
      : this.#report('summary', 'disk', 'there is no valid summary');
  }

  // ---- files ----

  #descriptors(): void {
    const h = this.#header;
    for (let b = 0; h !== null && b < h.descriptorBlocks; b++) {
      const bytes = this.#block(h.descriptorBlock + b);
      for (let i = 0; i < descriptorsPerBlock; i++)
        this.#descriptor(b * descriptorsPerBlock + i, bytes, i * descriptorRecord.size);
    }
  }

  #descriptor(number: number, bytes: Uint8Array, at: number): void {
    const where = `descriptor ${number}`;
    const magic = descriptorRecord.get.magic(bytes, at);
    const flags = descriptorRecord.get.flags(bytes, at);
    if (magic === 0 && flags === 0) return;
    if (magic !== descriptorMagic) this.#report('descriptor', where, 'wrong magic number');
    else if (flags === allocatedFlag && number >= rootNumber) {
      const d = descriptorRecord.decode(bytes, at);
      if (fileTypes[d.type] === undefined) this.#report('descriptor', where, `type ${d.type}`);
      else this.#files.set(number, d);
    } else if (flags !== freeFlag) this.#report('descriptor', where, `flags ${flags}`);
  }

  /** Every block that a file leads to, in order; holes are `none`. Reports what it leads to wrongly. */
  #blocks(number: number, d: DescriptorRecord): number[] {
    const where = `descriptor ${number}`;
    const blocks = Math.ceil(d.sizeBytes / blockBytes);
    const found: number[] = [];
    const claim = (address: number, fragments: number): number => {
      if (address === none) return none;
      const within = address % fragmentsPerBlock;
      const end = (this.#header?.dataBlocks ?? 0) * fragmentsPerBlock;
      if (within + fragments > fragmentsPerBlock || address + fragments > end) {
        this.#report('pointer', where, `leads to ${address}`);
        return none;
      }
      for (let i = 0; i < fragments; i++) {
        const other = this.#owners.get(address + i);
        if (other !== undefined)
          this.#report('duplicate', where, `fragment ${address + i} is ${other}'s, too`);
        this.#owners.set(address + i, number);
      }
      return address;
    };
    const beyond = (address: number, what: string): void => {
      if (address !== none) this.#report('beyond', where, `${what} leads beyond the end of the file`);
    };
    const index = (address: number, from: number, span: number): void => {
      const here = claim(address, fragmentsPerBlock);
      const bytes = here === none ? null : this.#dataBlock(here);
      for (let slot = 0; slot < pointersPerBlock; slot++) {
        const to = bytes === null ? none : pointer.get.to(bytes, slot * pointer.size);
        const at = from + slot * span;
        if (at >= blocks) beyond(to, 'an index block');
        else if (span > 1) index(to, at, 1);
        else found.push(claim(to, fragmentsPerBlock));
      }
    };
    for (const [n, address] of d.direct.entries()) {
      if (n >= blocks) {
        beyond(address, `pointer ${n}`);
        continue;
      }
      const bytes = n === blocks - 1 ? d.sizeBytes - n * blockBytes : blockBytes;
      found.push(claim(address, Math.ceil(bytes / fragmentBytes)));
    }
    const [single = none, double = none, triple = none] = d.indirect;
    if (blocks > directBlocks) index(single, directBlocks, 1);
    else beyond(single, 'the index block');
    const doubleFrom = directBlocks + pointersPerBlock;
    if (blocks > doubleFrom) index(double, doubleFrom, pointersPerBlock);
    else beyond(double, 'the double index block');
    beyond(triple, 'the triple index block');
    return found.slice(0, blocks);
  }

  #dataBlock(address: number): Uint8Array {
    return this.#block((this.#header?.dataBlock ?? 0) + Math.floor(address / fragmentsPerBlock));
  }

  // ---- bitmaps ----

  #bitmaps(): void {
    const h = this.#header;
    if (h === null) return;
    this.#bitmap(
      'descriptor',
      h.descriptorMapBlock,
      h.descriptors,
      (n) => n < rootNumber || this.#files.has(n),
    );
    this.#bitmap('fragment', h.dataMapBlock, h.dataBlocks * fragmentsPerBlock, (n) => this.#owners.has(n));
  }

  #bitmap(what: string, firstBlock: number, bits: number, used: (n: number) => boolean): void {
    for (let b = 0; b * bitsPerBlock < bits; b++) {
      const bytes = this.#block(firstBlock + b);
      const end = Math.min(bits - b * bitsPerBlock, bitsPerBlock);
      for (let i = 0; i < end; i++) {
        const set = ((bytes[i >>> 3] ?? 0) & (0x80 >>> (i & 7))) !== 0;
        const n = b * bitsPerBlock + i;
        if (set !== used(n))
          this.#report(
            'bitmap',
            `${what} ${n}`,
            set ? 'marked, and nobody has it' : 'in use, and not marked',
          );
      }
    }
  }
}
