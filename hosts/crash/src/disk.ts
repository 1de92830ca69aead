/** The disk under test: an image that takes no time, keeps a journal, and fails when it is told to. */
import type { Task } from '@backplane/engine';
import { type Disk, type DiskExtent, type DiskRule, KernelError, type Undo } from '@backplane/slots';
import { endless } from './errors.ts';
import type { Journal } from './journal.ts';
import { type Image, sectorBytes } from './medium.ts';

/** Which requests fail, reads and writes each counted from 0 since the disk was made. */
export interface DiskFaults {
  failsWrite?(index: number, sector: number, count: number): boolean;
  failsRead?(index: number, sector: number, count: number): boolean;
}

/** No storage needs so many requests for one of our workloads: it would go on for ever. */
const requestsMax = 20_000;

export class TestDisk implements Disk {
  readonly name: string = 'disk';
  readonly sectorBytes: number = sectorBytes;
  readonly sectors: number;
  readonly image: Image;
  reads = 0;
  writes = 0;
  barriers = 0;
  faults: DiskFaults | null = null;
  readonly #journal: Journal | null;
  #requests = 0;
  #rules: readonly DiskRule[] = [];

  constructor(image: Image, journal: Journal | null) {
    this.image = image;
    this.sectors = image.sectors;
    this.#journal = journal;
  }

  *read(sector: number, count: number): Task<Uint8Array> {
    this.#check('read', sector, count);
    const index = this.reads++;
    if (this.faults?.failsRead?.(index, sector, count) === true)
      throw new KernelError('ioError', `read of sectors ${sector}+${count}`);
    return this.image.read(sector, count);
  }

  *write(sector: number, data: Uint8Array): Task<void> {
    const count = data.length / sectorBytes;
    this.#check('write', sector, count);
    const index = this.writes++;
    const failed = this.faults?.failsWrite?.(index, sector, count) ?? false;
    // What failed is unknown: the first half of it was written.
    this.#put(sector, failed ? data.subarray(0, Math.floor(count / 2) * sectorBytes) : data);
    if (failed) throw new KernelError('ioError', `write of sectors ${sector}+${count}`);
  }

  *barrier(): Task<void> {
    this.barriers++;
    this.#journal?.barrier();
  }

  inspect(sector: number, count: number): Uint8Array {
    return this.image.read(sector, count);
  }

  extents(): readonly DiskExtent[] {
    return [{ sector: 0, data: this.image.read(0, this.sectors) }];
  }

  addRule(rule: DiskRule): Undo {
    this.#rules = [...this.#rules, rule];
    return () => {
      this.#rules = this.#rules.filter((r) => r !== rule);
    };
  }

  load(sector: number, data: Uint8Array): void {
    const own = data.slice();
    for (let i = 0; i * sectorBytes < own.length; i++)
      this.image.put(
        sector + i,
        this.image.medium.add(sector + i, own.subarray(i * sectorBytes, (i + 1) * sectorBytes)),
      );
  }

  #put(sector: number, data: Uint8Array): void {
    if (data.length === 0) return;
    // Whoever changes what it has handed over must not change the record.
    const own = data.slice();
    const versions: number[] = [];
    for (let i = 0; i * sectorBytes < own.length; i++) {
      const version = this.image.medium.add(sector + i, own.subarray(i * sectorBytes, (i + 1) * sectorBytes));
      versions.push(version);
      this.image.put(sector + i, version);
    }
    this.#journal?.write(sector, versions);
  }

  #check(operation: 'read' | 'write', sector: number, count: number): void {
    if (++this.#requests > requestsMax) throw endless('the storage', `${requestsMax} requests`);
    if (!(Number.isInteger(count) && sector >= 0 && count > 0 && sector + count <= this.sectors))
      throw new KernelError('noSuchSector', `${sector}+${count} of ${this.sectors}`);
    for (const rule of this.#rules)
      if (rule.judge(operation, sector, count) === 'error') throw new KernelError('ioError', rule.name);
  }
}
