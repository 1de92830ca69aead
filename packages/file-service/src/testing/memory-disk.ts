/**
 * A disk in main memory, simple and treacherous: requests take their time at once and end in any order, and a power
 * failure leaves a random part of each write that was under way, sector by sector.
 */
import { Gate, type RandomStream, sleep, type Task, tasks } from '@backplane/engine';
import { type Disk, type DiskExtent, type DiskRule, KernelError, type Undo } from '@backplane/slots';

export class MemoryDisk implements Disk {
  static {
    tasks(MemoryDisk);
  }

  readonly name: string = 'memory disk';
  readonly sectorBytes: number;
  readonly sectors: number;
  reads = 0;
  writes = 0;
  /** Called before each write takes effect: for crashes at every write. */
  beforeWrite: ((sector: number, data: Uint8Array) => void) | null = null;
  /** Writes for which this says yes wait until the gate opens; later ones overtake them. */
  holding: ((sector: number) => boolean) | null = null;
  readonly gate: Gate = new Gate();
  held = 0;
  readonly #bytes: Uint8Array;
  readonly #random: RandomStream;
  readonly #latencyNs: number;
  readonly #underWay = new Set<{ readonly sector: number; readonly data: Uint8Array }>();
  #rules: readonly DiskRule[] = [];

  constructor(
    random: RandomStream,
    o: { readonly sectors: number; readonly latencyNs?: number; readonly sectorBytes?: number },
  ) {
    this.#random = random;
    this.sectors = o.sectors;
    this.sectorBytes = o.sectorBytes ?? 512;
    this.#latencyNs = o.latencyNs ?? 0;
    this.#bytes = new Uint8Array(this.sectors * this.sectorBytes);
  }

  *read(sector: number, count: number): Task<Uint8Array> {
    this.#check(sector, count);
    yield* this.#wait();
    this.reads++;
    this.#judge('read', sector, count);
    return this.inspect(sector, count);
  }

  *write(sector: number, data: Uint8Array): Task<void> {
    if (data.length % this.sectorBytes !== 0) throw new Error('not whole sectors');
    this.#check(sector, data.length / this.sectorBytes);
    // Whoever changes what it has handed over is found out.
    const write = { sector, data: data.slice() };
    this.#underWay.add(write);
    yield* this.#wait();
    if (this.holding?.(sector) === true) {
      this.held++;
      yield* this.gate.pass();
    }
    this.beforeWrite?.(sector, data);
    this.#underWay.delete(write);
    this.writes++;
    this.#judge('write', sector, data.length / this.sectorBytes);
    if (data.some((b, i) => b !== write.data[i])) throw new Error('bytes were changed under a write');
    this.load(sector, data);
  }

  *barrier(): Task<void> {}

  extents(): readonly DiskExtent[] {
    return [{ sector: 0, data: this.#bytes }];
  }

  inspect(sector: number, count: number): Uint8Array {
    return this.#bytes.slice(sector * this.sectorBytes, (sector + count) * this.sectorBytes);
  }

  addRule(rule: DiskRule): Undo {
    this.#rules = [...this.#rules, rule];
    return () => {
      this.#rules = this.#rules.filter((r) => r !== rule);
    };
  }

  load(sector: number, data: Uint8Array): void {
    this.#bytes.set(data, sector * this.sectorBytes);
  }

  /** Power off: each sector of what was under way is old or new. */
  reset(): void {
    for (const { sector, data } of this.#underWay)
      for (let i = 0; i * this.sectorBytes < data.length; i++)
        if (this.#random.chance(0.5))
          this.load(sector + i, data.subarray(i * this.sectorBytes, (i + 1) * this.sectorBytes));
    this.#underWay.clear();
  }

  /** All of it: for a second machine with the same disk. */
  image(): Uint8Array {
    return this.#bytes.slice();
  }

  *#wait(): Task<void> {
    if (this.#latencyNs > 0) yield* sleep(1 + this.#random.below(2 * this.#latencyNs));
  }

  #check(sector: number, count: number): void {
    if (!(sector >= 0 && count > 0 && sector + count <= this.sectors))
      throw new KernelError('noSuchSector', `${sector}+${count} of ${this.sectors}`);
  }

  #judge(operation: 'read' | 'write', sector: number, count: number): void {
    for (const rule of this.#rules)
      if (rule.judge(operation, sector, count) === 'error') throw new KernelError('ioError', rule.name);
  }
}
