/** A machine with an array over drives that are slow by the sector, so that a crash cuts every request somewhere. */
import { ms, type Scope, sleep, type Task, us } from '@backplane/engine';
import { type Disk, type DiskExtent, type DiskRule, KernelError, type Undo } from '@backplane/slots';
import { type TestMachine, testMachine } from '@backplane/slots/testing';
import { type DiskArray, type RaidOptions, raid } from '../src/index.ts';

const sectorBytes = 512;

/** A drive that does everything at once for everybody: whoever needs an order keeps it himself. */
export class SlowDisk implements Disk {
  readonly name = 'slow';
  readonly sectorBytes: number = sectorBytes;
  readonly sectors: number;
  readonly medium: Uint8Array;
  broken = false;
  reads = 0;
  writes = 0;
  sectorsRead = 0;
  sectorsWritten = 0;
  barriers = 0;

  constructor(sectors: number) {
    this.sectors = sectors;
    this.medium = new Uint8Array(sectors * sectorBytes);
  }

  *read(sector: number, count: number): Task<Uint8Array> {
    this.reads++;
    this.sectorsRead += count;
    yield* sleep(us(100) + count * us(10));
    if (this.broken) throw new KernelError('ioError');
    return this.inspect(sector, count);
  }

  *write(sector: number, data: Uint8Array): Task<void> {
    this.writes++;
    this.sectorsWritten += data.length / sectorBytes;
    yield* sleep(us(100));
    for (let at = 0; at < data.length; at += sectorBytes) {
      yield* sleep(us(10));
      if (this.broken) throw new KernelError('ioError');
      this.medium.set(data.subarray(at, at + sectorBytes), sector * sectorBytes + at);
    }
  }

  *barrier(): Task<void> {
    this.barriers++;
  }

  inspect(sector: number, count: number): Uint8Array {
    return this.medium.slice(sector * sectorBytes, (sector + count) * sectorBytes);
  }

  extents(): readonly DiskExtent[] {
    return [{ sector: 0, data: this.medium }];
  }

  load(sector: number, data: Uint8Array): void {
    this.medium.set(data, sector * sectorBytes);
  }

  addRule(_rule: DiskRule): Undo {
    return () => {};
  }
}

export class World {
  readonly machine: TestMachine;
  readonly disks: readonly SlowDisk[];
  readonly array: DiskArray;
  /** The boot: dies at a crash, unlike the array. */
  boot: Scope;
  readonly #board: ReturnType<typeof raid>;

  constructor(members: number, sectors: number, options: Omit<RaidOptions, 'of'> = {}, seed = 1) {
    this.machine = testMachine({ seed });
    this.disks = Array.from({ length: members }, () => new SlowDisk(sectors));
    const of = this.disks.map((_, i) => `disk.${i + 1}`);
    this.#board = raid({ ...options, of });
    const wrapped = new Map(this.disks.map((disk, i) => [`disk.${i + 1}`, disk]));
    this.array = this.#board.create({ wrapped } as never, this.machine) as DiskArray;
    this.boot = this.machine.scope.child('boot');
  }

  get engine(): TestMachine['engine'] {
    return this.machine.engine;
  }

  /** A thread of the machine, to its end. */
  run<T>(body: Task<T>): T {
    const ended: { value?: T } = {};
    this.boot.spawn(
      'test',
      (function* (): Task<void> {
        ended.value = yield* body;
      })(),
    );
    for (let steps = 0; !('value' in ended); steps++) {
      if (steps > 1e6) throw new Error('the thread never ended');
      this.engine.run(this.engine.nowNs + ms(1));
    }
    return ended.value as T; // boundary: just seen to be there
  }

  /** Power off and on. */
  crash(): void {
    this.boot.crash();
    this.#board.reset?.(this.array);
    this.boot = this.machine.scope.child('boot');
  }

  metric(name: string): number {
    return this.machine.metric(`raid.client.${name}`) ?? Number.NaN;
  }

  /** Rows in which the exclusive or over all members is not zero. */
  unfitRows(unitSectors: number, rows: number): readonly number[] {
    const unitBytes = unitSectors * sectorBytes;
    return Array.from({ length: rows }, (_, row) => row).filter((row) => {
      for (let i = row * unitBytes; i < (row + 1) * unitBytes; i++) {
        let sum = 0;
        for (const { medium } of this.disks) sum ^= medium[i] ?? 0;
        if (sum !== 0) return true;
      }
      return false;
    });
  }

  /** Logical content, sector by sector: the number that each is full of; -1 for one that is mixed. */
  values(bytes: Uint8Array): readonly number[] {
    return Array.from({ length: bytes.length / sectorBytes }, (_, s) => {
      const words = new Uint32Array(bytes.slice(s * sectorBytes, (s + 1) * sectorBytes).buffer);
      const [first = 0] = words;
      return words.every((w) => w === first) ? first : -1;
    });
  }
}

/** So many sectors, each full of a number. */
export function full(count: number, value: number): Uint8Array {
  return new Uint8Array(new Uint32Array((count * sectorBytes) / 4).fill(value).buffer);
}
