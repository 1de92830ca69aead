/**
 * A disk with non-volatile memory in front of it. A write has been stored when it is in the memory, which is at once; what is
 * read is what the memory has, over what the disk has.
 *
 * Writes come in by one door, in the order in which they are made. A write that is too large for the memory goes past it to
 * the disk; a barrier waits for those, and whoever comes after it waits behind it.
 *
 * Lost at power off: what was before the door. Kept: the memory, the disk, the counts, the rules.
 */
import { charge, Mutex, type Scope, settle, type Task, tasks } from '@backplane/engine';
import { Busy, type Disk, type DiskExtent, type DiskRule, type Machine, type Undo } from '@backplane/slots';
import { Destager, type DestagerCounts, type DestagerOptions } from './destager.ts';
import { failed, noSuchSector, wrongLength } from './errors.ts';
import { SectorMemory } from './memory.ts';

export interface WriteBufferOptions extends DestagerOptions {
  readonly capacitySectors: number;
  /** A write of more sectors goes past the memory. */
  readonly largestSectors: number;
}

export interface WriteBufferCounts extends DestagerCounts {
  writesAbsorbed: number;
  /** That were in the memory when they were written again: the disk never sees them. */
  sectorsOverwritten: number;
  writesPast: number;
}

export class WriteBuffer implements Disk {
  static {
    tasks(WriteBuffer);
  }

  readonly name: string;
  readonly sectorBytes: number;
  readonly sectors: number;
  readonly counts: WriteBufferCounts = {
    writesAbsorbed: 0,
    sectorsOverwritten: 0,
    writesPast: 0,
    destages: 0,
    bytesDestaged: 0,
    destageErrors: 0,
  };
  readonly memory: SectorMemory;
  readonly #machine: Machine;
  readonly #disk: Disk;
  readonly #o: WriteBufferOptions;
  #scope: Scope;
  #destager: Destager;
  #door = new Mutex();
  /** Replaced, never changed: a rule may take itself back while it judges. */
  #rules: readonly DiskRule[] = [];

  constructor(machine: Machine, disk: Disk, o: WriteBufferOptions) {
    this.#machine = machine;
    this.#disk = disk;
    this.#o = o;
    this.name = `${disk.name}, with memory`;
    this.sectorBytes = disk.sectorBytes;
    this.sectors = disk.sectors;
    this.memory = new SectorMemory(o.capacitySectors, disk.sectorBytes);
    this.#scope = machine.scope.child('nvram');
    this.#destager = new Destager(this.#scope, this.memory, disk, o, this.counts);
  }

  *read(sector: number, count: number): Task<Uint8Array> {
    this.#check(sector, count);
    yield* settle();
    this.#judge('read', sector, count);
    this.#destager.look();
    const held = this.memory.range(sector, count);
    const bytes =
      held.length < count
        ? (yield* this.#disk.read(sector, count)).slice()
        : new Uint8Array(count * this.sectorBytes);
    // As it was before: what has gone to the disk meanwhile may have passed under the head just after it was read.
    for (const [s, { bytes: own }] of held) bytes.set(own, (s - sector) * this.sectorBytes);
    this.#copied(held.length * this.sectorBytes);
    return bytes;
  }

  *write(sector: number, data: Uint8Array): Task<void> {
    const count = this.#wholeSectors(data);
    this.#check(sector, count);
    yield* settle();
    this.#judge('write', sector, count);
    const stored =
      count > this.#o.largestSectors ? yield* this.#past(sector, data) : yield* this.#absorb(sector, data);
    if (!stored) throw failed(this.name, 'write', sector);
  }

  *barrier(): Task<void> {
    yield* settle();
    const door = this.#door;
    yield* door.acquire();
    try {
      yield* this.#destager.allPast();
    } finally {
      door.release();
    }
  }

  inspect(sector: number, count: number): Uint8Array {
    this.#check(sector, count);
    const bytes = this.#disk.inspect(sector, count).slice();
    this.memory.cover(sector, bytes);
    return bytes;
  }

  extents(): readonly DiskExtent[] {
    const found: DiskExtent[] = [];
    const own = this.memory.sorted();
    let next = 0;
    /** What the memory alone has, up to a sector. */
    const ownUpTo = (end: number): void => {
      while (next < own.length) {
        const sector = own[next] ?? end;
        if (sector >= end) return;
        const { held } = this.memory.runAt(sector, end - sector, () => false);
        found.push({ sector, data: this.inspect(sector, held.length) });
        next += held.length;
      }
    };
    for (const { sector, data } of this.#disk.extents()) {
      const end = sector + data.length / this.sectorBytes;
      ownUpTo(sector);
      const covered = data.slice();
      this.memory.cover(sector, covered);
      found.push({ sector, data: covered });
      while ((own[next] ?? end) < end) next++;
    }
    ownUpTo(this.sectors);
    return found;
  }

  load(sector: number, data: Uint8Array): void {
    const count = this.#wholeSectors(data);
    this.#check(sector, count);
    this.#disk.load(sector, data);
    for (const [s, held] of this.memory.range(sector, count)) this.memory.drop(s, held);
  }

  addRule(rule: DiskRule): Undo {
    let added = true;
    this.#rules = [...this.#rules, rule];
    return () => {
      if (!added) return;
      added = false;
      this.#rules = this.#rules.toSpliced(this.#rules.indexOf(rule), 1);
    };
  }

  /** Power off. The disk has been reset before. */
  reset(): void {
    this.#scope.crash();
    this.#scope = this.#machine.scope.child('nvram');
    this.#destager = new Destager(this.#scope, this.memory, this.#disk, this.#o, this.counts);
    this.#door = new Mutex();
  }

  *#absorb(sector: number, data: Uint8Array): Task<boolean> {
    const count = data.length / this.sectorBytes;
    const door = this.#door;
    yield* door.acquire();
    try {
      for (;;) {
        const more = count - this.memory.range(sector, count).length;
        if (this.memory.used + more <= this.memory.capacity) break;
        if (!(yield* this.#destager.room())) return false;
      }
      // The processor moves the bytes; they are stored when the last one is there.
      this.#copied(data.length);
      yield* settle();
      this.counts.writesAbsorbed++;
      this.counts.sectorsOverwritten += this.memory.put(sector, data, this.#machine.engine.nowNs);
      this.#destager.look();
      return true;
    } finally {
      door.release();
    }
  }

  *#past(sector: number, data: Uint8Array): Task<boolean> {
    const door = this.#door;
    yield* door.acquire();
    this.counts.writesPast++;
    // It goes to its end even when whoever made it does not.
    const write = this.#scope.spawn('past the memory', this.#destager.pastMemory(sector, data));
    door.release();
    return yield* write.join();
  }

  #copied(bytes: number): void {
    charge(Math.round(bytes * this.#machine.type.costs.copyNsPerByte), Busy.files);
  }

  #judge(operation: 'read' | 'write', sector: number, count: number): void {
    if (this.#rules.some((rule) => rule.judge(operation, sector, count) === 'error'))
      throw failed(this.name, operation, sector);
  }

  #wholeSectors(data: Uint8Array): number {
    const count = data.length / this.sectorBytes;
    if (!Number.isInteger(count) || count === 0) throw wrongLength(this.name, data.length, this.sectorBytes);
    return count;
  }

  /** @throws KernelError `noSuchSector` */
  #check(sector: number, count: number): void {
    if (
      !(Number.isInteger(sector) && Number.isInteger(count) && sector >= 0 && count > 0) ||
      sector + count > this.sectors
    )
      throw noSuchSector(this.name, sector, count, this.sectors);
  }
}
