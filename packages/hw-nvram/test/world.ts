/** A machine with memory in front of a drive that is slow by the sector, so that a crash cuts every request somewhere. */
import { ms, type Scope, sleep, type Task, us } from '@backplane/engine';
import { type Disk, type DiskExtent, type DiskRule, KernelError, type Undo } from '@backplane/slots';
import { type TestMachine, type TestMachineOptions, testMachine } from '@backplane/slots/testing';
import { type NvramOptions, nvram } from '../src/index.ts';

export const sectorBytes = 512;

/** Requests that touch the same sectors must not overlap: it would not know which is the later one. */
export class SlowDisk implements Disk {
  readonly name = 'slow';
  readonly sectorBytes: number = sectorBytes;
  readonly sectors: number;
  readonly medium: Uint8Array;
  /** First sector and count of each write that has begun. */
  readonly written: (readonly [number, number])[] = [];
  readonly #underWay = new Set<readonly [number, number]>();
  reads = 0;
  broken: (sector: number) => boolean = () => false;

  constructor(sectors: number) {
    this.sectors = sectors;
    this.medium = new Uint8Array(sectors * sectorBytes);
  }

  *read(sector: number, count: number): Task<Uint8Array> {
    this.reads++;
    // The bytes are those of a moment in the middle.
    yield* sleep(ms(2));
    const bytes = this.inspect(sector, count);
    yield* sleep(ms(2));
    return bytes;
  }

  *write(sector: number, data: Uint8Array): Task<void> {
    const count = data.length / sectorBytes;
    const request = [sector, count] as const;
    for (const [s, n] of this.#underWay)
      if (s < sector + count && sector < s + n) throw new Error(`two writes at once to sector ${sector}`);
    this.#underWay.add(request);
    this.written.push(request);
    yield* sleep(ms(3));
    for (let i = 0; i < count; i++) {
      yield* sleep(us(50));
      if (this.broken(sector + i)) {
        this.#underWay.delete(request);
        throw new KernelError('ioError');
      }
      this.medium.set(data.subarray(i * sectorBytes, (i + 1) * sectorBytes), (sector + i) * sectorBytes);
    }
    this.#underWay.delete(request);
  }

  *barrier(): Task<void> {}

  inspect(sector: number, count: number): Uint8Array {
    return this.medium.slice(sector * sectorBytes, (sector + count) * sectorBytes);
  }

  extents(): readonly DiskExtent[] {
    return [{ sector: 10, data: this.inspect(10, 20) }];
  }

  load(sector: number, data: Uint8Array): void {
    this.medium.set(data, sector * sectorBytes);
  }

  addRule(_rule: DiskRule): Undo {
    return () => {};
  }

  powerOff(): void {
    this.#underWay.clear();
  }
}

export class World {
  readonly machine: TestMachine;
  readonly behind: SlowDisk;
  readonly disk: Disk;
  /** The boot: dies at a crash, unlike the memory. */
  boot: Scope;
  readonly #board: ReturnType<typeof nvram>;

  constructor(sectors: number, options: NvramOptions = {}, machine: TestMachineOptions = {}) {
    this.machine = testMachine(machine);
    this.behind = new SlowDisk(sectors);
    this.#board = nvram(options);
    const wrapped = new Map([['disk.1', this.behind]]);
    this.disk = this.#board.create({ wrapped } as never, this.machine);
    this.boot = this.machine.scope.child('boot');
  }

  get engine(): TestMachine['engine'] {
    return this.machine.engine;
  }

  /** A thread of the machine, to its end. Returns what it brings; `tookNs` has how long it took. */
  run<T>(body: Task<T>): T {
    const ended: { value?: T } = {};
    const { engine } = this;
    this.boot.spawn(
      'test',
      (function* (): Task<void> {
        ended.value = yield* body;
      })(),
    );
    for (let steps = 0; !('value' in ended); steps++) {
      if (steps > 1e6) throw new Error('the thread never ended');
      engine.run(engine.nowNs + us(100));
    }
    return ended.value as T; // boundary: just seen to be there
  }

  tookNs(body: Task<unknown>): number {
    const { engine } = this;
    return this.run(
      (function* (): Task<number> {
        const startNs = engine.nowNs;
        yield* body;
        return engine.nowNs - startNs;
      })(),
    );
  }

  pass(forNs: number): void {
    this.engine.run(this.engine.nowNs + forNs);
  }

  /** Power off and on. */
  crash(): void {
    this.boot.crash();
    this.#board.reset?.(this.disk);
    this.behind.powerOff();
    this.boot = this.machine.scope.child('boot');
  }

  metric(name: string): number {
    return this.machine.metric(`nvram.client.${name}`) ?? Number.NaN;
  }

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
