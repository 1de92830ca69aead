/** The part of the audit that follows pointers: every fragment has one owner, and nothing leads beyond the end of its file. */
import type { Findings } from '@backplane/file-service';
import type { Regions } from './audit-regions.ts';
import {
  blockBytes,
  type DescriptorRecord,
  directBlocks,
  fragmentBytes,
  fragmentsPerBlock,
  none,
  pointer,
  pointersPerBlock,
} from './layouts.ts';

/** Number of a block in its file, and its address. Holes are not among them. */
export type FileBlock = readonly [block: number, address: number];

export class AuditBlocks {
  readonly #regions: Regions;
  readonly #findings: Findings;
  /** Fragment to the file that has it. */
  readonly #owners = new Map<number, number>();

  constructor(regions: Regions, findings: Findings) {
    this.#regions = regions;
    this.#findings = findings;
  }

  isOwned(fragment: number): boolean {
    return this.#owners.has(fragment);
  }

  /** Claims everything that a file leads to, and reports what it leads to wrongly. Returns its blocks, in order. */
  claimAll(number: number, d: DescriptorRecord): FileBlock[] {
    const walk = new Walk(this, number, d, Math.ceil(d.sizeBytes / blockBytes));
    walk.all();
    return walk.found;
  }

  /**
   * Gives the fragments of a block to a file. `again`: somebody has one of them already, so that what it holds has been
   * read; `no`: it leads nowhere.
   */
  claim(number: number, address: number, fragments: number): 'first' | 'again' | 'no' {
    const where = `descriptor ${number}`;
    const within = address % fragmentsPerBlock;
    const end = this.#regions.header.dataBlocks * fragmentsPerBlock;
    if (within + fragments > fragmentsPerBlock || address + fragments > end) {
      this.#findings.report('pointer', where, `leads to ${address}`);
      return 'no';
    }
    let first = true;
    for (let fragment = address; fragment < address + fragments; fragment++) {
      const other = this.#owners.get(fragment);
      if (other !== undefined) {
        first = false;
        this.#findings.report(
          'duplicate',
          where,
          `fragment ${fragment} is ${other}'s, too`,
          this.sector(address),
        );
      }
      this.#owners.set(fragment, number);
    }
    return first ? 'first' : 'again';
  }

  beyond(number: number, what: string): void {
    this.#findings.report('beyond', `descriptor ${number}`, `${what} leads beyond the end of the file`);
  }

  sector(address: number): number {
    return this.#regions.sectorOf(this.#regions.blockOf(address));
  }

  block(address: number): Uint8Array {
    return this.#regions.block(this.#regions.blockOf(address));
  }
}

/** The pointers of one file. An index block is read once, whoever leads to it: so the walk ends on any disk. */
class Walk {
  readonly found: FileBlock[] = [];
  readonly #owners: AuditBlocks;
  readonly #number: number;
  readonly #file: DescriptorRecord;
  readonly #blocks: number;

  constructor(owners: AuditBlocks, number: number, file: DescriptorRecord, blocks: number) {
    this.#owners = owners;
    this.#number = number;
    this.#file = file;
    this.#blocks = blocks;
  }

  all(): void {
    const { direct, indirect, sizeBytes } = this.#file;
    for (const [n, address] of direct.entries()) {
      const bytes = n === this.#blocks - 1 ? sizeBytes - n * blockBytes : blockBytes;
      this.#data(n, address, Math.ceil(bytes / fragmentBytes), `pointer ${n}`);
    }
    const [single = none, double = none, triple = none] = indirect;
    this.#index(single, directBlocks, 1, 'the index block');
    this.#index(double, directBlocks + pointersPerBlock, pointersPerBlock, 'the double index block');
    if (triple !== none) this.#owners.beyond(this.#number, 'the triple index block');
  }

  #data(n: number, address: number, fragments: number, what: string): void {
    if (address === none) return;
    if (n >= this.#blocks) this.#owners.beyond(this.#number, what);
    else if (this.#owners.claim(this.#number, address, fragments) !== 'no') this.found.push([n, address]);
  }

  /** @param from first block that it leads to. @param span blocks that each of its pointers leads to */
  #index(address: number, from: number, span: number, what: string): void {
    if (address === none) return;
    if (from >= this.#blocks) {
      this.#owners.beyond(this.#number, what);
      return;
    }
    if (this.#owners.claim(this.#number, address, fragmentsPerBlock) !== 'first') return;
    const bytes = this.#owners.block(address);
    for (let slot = 0; slot < pointersPerBlock; slot++) {
      const to = pointer.get.to(bytes, slot * pointer.size);
      const at = from + slot * span;
      if (span > 1) this.#index(to, at, 1, 'an index block');
      else this.#data(at, to, fragmentsPerBlock, 'an index block');
    }
  }
}
