/**
 * What moves sectors from the memory to the disk: in one direction over the disk and again from its beginning, each time as
 * many as lie side by side, in one request.
 *
 *   state     event                                         next
 *   resting   fuller than the high mark, or somebody waits  moving
 *   resting   the oldest sector has come of age             moving
 *   moving    nothing of age, nobody waits, at the low mark resting
 *   moving    a request fails                               moving; these sectors stay, and are tried again later
 *
 * A sector that is written while it is on its way stays, for it is another one by then.
 */
import { type Scope, type Task, Timer, tasks, WaitQueue } from '@backplane/engine';
import { type Disk, isKernelError } from '@backplane/slots';
import type { Run, SectorMemory } from './memory.ts';

export interface DestagerOptions {
  readonly delayNs: number;
  readonly retryNs: number;
  readonly highSectors: number;
  readonly lowSectors: number;
  readonly runSectorsMax: number;
}
export interface DestagerCounts {
  /** Requests to the disk. */
  destages: number;
  bytesDestaged: number;
  destageErrors: number;
}

/** Sectors that a write past the memory is putting on the disk. */
interface Past {
  readonly sector: number;
  readonly end: number;
}

export class Destager {
  static {
    tasks(Destager);
  }

  readonly #scope: Scope;
  readonly #memory: SectorMemory;
  readonly #disk: Disk;
  readonly #o: DestagerOptions;
  readonly #counts: DestagerCounts;
  readonly #timer: Timer;
  /** Its last request has failed. */
  readonly #failing = new Set<number>();
  readonly #past = new Set<Past>();
  readonly #progress = new WaitQueue();
  #moving = false;
  #draining = false;
  #waiting = 0;
  #underWay: Past | null = null;
  /** Where the next run is looked for. */
  #position = 0;

  constructor(scope: Scope, memory: SectorMemory, disk: Disk, o: DestagerOptions, counts: DestagerCounts) {
    this.#scope = scope;
    this.#memory = memory;
    this.#disk = disk;
    this.#o = o;
    this.#counts = counts;
    this.#timer = new Timer(scope, 'destage', () => {
      this.#failing.clear();
      this.look();
    });
  }

  /** Something has come in, or the power on: begins, or sets the time at which it will. */
  look(): void {
    if (this.#moving) return;
    if (this.#due() && this.#next() !== undefined) {
      this.#moving = true;
      this.#scope.spawn('destage', this.#move());
    } else if (!this.#timer.armed) this.#setTimer();
  }

  /** Waits until something has been moved. False: nothing can be, the disk refuses it all. */
  *room(): Task<boolean> {
    this.#waiting++;
    try {
      this.look();
      if (!this.#moving && this.#past.size === 0) return false;
      yield* this.#progress.wait();
      return true;
    } finally {
      this.#waiting--;
    }
  }

  /** A write past the memory: nothing else of these sectors is on its way to the disk meanwhile. False: it has failed. */
  *pastMemory(sector: number, data: Uint8Array): Task<boolean> {
    const past = { sector, end: sector + data.length / this.#disk.sectorBytes };
    this.#past.add(past);
    while (this.#underWay !== null && overlap(this.#underWay, past)) yield* this.#progress.wait();
    const older = this.#memory.range(sector, past.end - sector);
    const stored = yield* this.#stored(sector, data);
    if (stored) for (const [s, held] of older) this.#memory.drop(s, held);
    this.#past.delete(past);
    this.#progress.wakeAll();
    this.look();
    return stored;
  }

  /** Returns when no write past the memory is under way. */
  *allPast(): Task<void> {
    while (this.#past.size > 0) yield* this.#progress.wait();
  }

  *#move(): Task<void> {
    while (this.#due()) {
      const run = this.#next();
      if (run === undefined) break;
      yield* this.#put(run);
    }
    this.#moving = false;
    this.#progress.wakeAll();
    this.#setTimer();
  }

  *#put({ sector, held }: Run): Task<void> {
    const { sectorBytes } = this.#disk;
    const data = new Uint8Array(held.length * sectorBytes);
    for (const [i, { bytes }] of held.entries()) data.set(bytes, i * sectorBytes);
    this.#position = sector + held.length;
    this.#underWay = { sector, end: this.#position };
    const stored = yield* this.#stored(sector, data);
    this.#underWay = null;
    this.#counts.destages++;
    if (stored) this.#counts.bytesDestaged += data.length;
    else this.#counts.destageErrors++;
    for (const [i, h] of held.entries())
      if (stored) this.#memory.moved(sector + i, h, this.#scope.engine.nowNs);
      else this.#failing.add(sector + i);
    this.#progress.wakeAll();
  }

  *#stored(sector: number, data: Uint8Array): Task<boolean> {
    try {
      yield* this.#disk.write(sector, data);
      return true;
    } catch (e) {
      if (isKernelError(e, 'ioError')) return false;
      throw e;
    }
  }

  #due(): boolean {
    const { used } = this.#memory;
    this.#draining = used > (this.#draining ? this.#o.lowSectors : this.#o.highSectors);
    const oldest = this.#memory.oldest(this.#failing);
    if (oldest === undefined) return false;
    return (
      this.#draining || this.#waiting > 0 || oldest.sinceNs + this.#o.delayNs <= this.#scope.engine.nowNs
    );
  }

  /** The next run in the direction of the last one, else the first; undefined: all that is left has to wait. */
  #next(): Run | undefined {
    const no = (s: number): boolean =>
      this.#failing.has(s) || [...this.#past].some((p) => p.sector <= s && s < p.end);
    const able = this.#memory.sorted().filter((s) => !no(s));
    const sector = able.find((s) => s >= this.#position) ?? able[0];
    return sector === undefined ? undefined : this.#memory.runAt(sector, this.#o.runSectorsMax, no);
  }

  #setTimer(): void {
    const retryNs = this.#failing.size > 0 ? this.#o.retryNs : Infinity;
    const oldest = this.#memory.oldest(this.#failing);
    const ageNs = oldest === undefined ? Infinity : this.#scope.engine.nowNs - oldest.sinceNs;
    // What is of age and still here waits for a write past the memory, whose end will look.
    const delayNs = ageNs < this.#o.delayNs ? this.#o.delayNs - ageNs : Infinity;
    const waitNs = Math.min(retryNs, delayNs);
    if (waitNs < Infinity) this.#timer.set(waitNs);
  }
}

const overlap = (a: Past, b: Past): boolean => a.sector < b.end && b.sector < a.end;
