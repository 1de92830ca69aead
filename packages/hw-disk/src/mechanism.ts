/**
 * The mechanism of a drive: one arm, one request at a time, one timer.
 *
 *   state    event       action                                                    next
 *   resting  request     lay it out in time (or find it in the buffer), arm timer   working
 *   working  request     queue it                                                   working
 *   working  timer       the bytes move; interrupt the processor                    reporting
 *   reporting request    queue it                                                   reporting
 *   reporting served     hand it over as done; take the next by the policy          working or resting
 *   any      power off   tell which sectors of a write had begun; forget the rest   resting
 *
 * The next request is started by the interrupt that reports the one before, so on a drive without a buffer the sector that
 * follows has passed by then, however soon it is asked for: one contiguous block in each revolution.
 *
 * A request takes the controller's overhead, the seek, the wait until its first sector comes round, and the transfer at the
 * rate of the platters; the head switch, or the next cylinder, and the wait again at each end of a track. The platters turn
 * on whatever happens: their position is a function of the time and of a phase that the seed draws.
 */
import { type Engine, type Scope, type Task, Timer, tasks, WaitQueue } from '@backplane/engine';
import { Geometry } from './geometry.ts';
import { LookAhead } from './look-ahead.ts';
import type { DriveFigures } from './profile.ts';
import type { Request } from './request.ts';
import { type Policy, RequestQueue } from './request-queue.ts';
import { SeekCurve } from './seek-curve.ts';
import { type Arm, Timeline } from './timeline.ts';

const nsPerMs = 1e6;

export interface MechanismCounts {
  busyNs: number;
  seekNs: number;
  rotationNs: number;
  /** Most requests that waited or were under way at once. */
  queueMax: number;
}

export class Mechanism {
  static {
    tasks(Mechanism);
  }

  readonly counts: MechanismCounts = { busyNs: 0, seekNs: 0, rotationNs: 0, queueMax: 0 };
  readonly #engine: Engine;
  readonly #transferred: (r: Request) => void;
  readonly #interrupt: (served: () => void) => void;
  readonly #geometry: Geometry;
  readonly #seeks: SeekCurve;
  readonly #headSwitchNs: number;
  readonly #overheadNs: number;
  readonly #busNsPerSector: number;
  readonly #queue: RequestQueue;
  readonly #buffer: LookAhead;
  readonly #timer: Timer;
  readonly #arm: Arm = { cylinder: 0, head: 0 };
  #working: Request | null = null;
  /** The processor has not yet heard of the last request's end. */
  #reporting = false;
  #timeline: Timeline | null = null;
  #epoch = 0;
  readonly #progress = new WaitQueue();

  /** @param transferred called at the instant at which the last sector of a request has passed the head */
  constructor(
    scope: Scope,
    figures: DriveFigures,
    o: {
      readonly policy: Policy;
      readonly sectors: number;
      readonly sectorBytes: number;
      readonly phase: (revolutionNs: number) => number;
      /** Interrupts the processor, which calls back when it has served the interrupt. */
      readonly interrupt: (served: () => void) => void;
    },
    transferred: (r: Request) => void,
  ) {
    this.#engine = scope.engine;
    this.#transferred = transferred;
    this.#interrupt = o.interrupt;
    const revolutionNs = Math.round(60e9 / figures.rpm);
    this.#geometry = new Geometry(figures, revolutionNs, o.phase(revolutionNs));
    this.#seeks = new SeekCurve({
      cylinders: figures.cylinders,
      singleNs: figures.singleSeekMs * nsPerMs,
      averageNs: figures.averageSeekMs * nsPerMs,
      fullNs: figures.fullSeekMs * nsPerMs,
    });
    this.#headSwitchNs = Math.round(figures.headSwitchMs * nsPerMs);
    this.#overheadNs = Math.round(figures.overheadMs * nsPerMs);
    this.#busNsPerSector =
      figures.busBytesPerSecond === 0 ? 0 : Math.round((o.sectorBytes * 1e9) / figures.busBytesPerSecond);
    this.#queue = new RequestQueue(o.policy);
    this.#buffer = new LookAhead(
      this.#geometry,
      figures.bufferSectors,
      o.sectors,
      (t, sector, count, arm, fromNs) => this.#lay(t, sector, count, arm, fromNs),
    );
    this.#timer = new Timer(scope, 'disk', () => this.#finish());
  }

  submit(r: Request): void {
    r.epoch = this.#epoch;
    r.cylinder = this.#geometry.cylinderOf(r.sector);
    this.#queue.push(r);
    const queued = this.#queue.length + (this.#working === null ? 0 : 1);
    if (queued > this.counts.queueMax) this.counts.queueMax = queued;
    if (this.#working === null && !this.#reporting) this.#begin();
  }

  /** Returns when all that was submitted before is done; what is submitted later begins no earlier than that. */
  *barrier(): Task<void> {
    const before = this.#epoch++;
    while (Math.min(this.#working?.epoch ?? Infinity, this.#queue.epoch) <= before)
      yield* this.#progress.wait();
  }

  /** Power off. Returns the write that was cut, and how many of its sectors had come under the head. */
  reset(): { readonly request: Request; readonly begun: number } | undefined {
    const cut = this.#working;
    const begun = this.#timeline?.begunBy(this.#engine.nowNs) ?? 0;
    if (cut !== null) this.counts.busyNs += this.#engine.nowNs - cut.startNs;
    this.#timer.cancel();
    this.#queue.clear();
    this.#buffer.drop();
    this.#working = null;
    this.#reporting = false;
    this.#timeline = null;
    return cut?.operation === 'write' ? { request: cut, begun } : undefined;
  }

  #begin(): void {
    const r = this.#queue.take(this.#arm.cylinder);
    this.#working = r ?? null;
    if (r === undefined) return;
    const { nowNs } = this.#engine;
    r.startNs = nowNs;
    if (r.operation === 'read' && this.#buffer.holds(r.sector, r.count)) {
      const busNs = r.count * this.#busNsPerSector;
      r.fromBuffer = true;
      this.#timer.setAt(
        Math.max(nowNs + this.#overheadNs + busNs, this.#buffer.availableNs(r.sector + r.count - 1)),
      );
      return;
    }
    this.#buffer.drop();
    const t = new Timeline(this.#geometry, nowNs);
    this.#lay(t, r.sector, r.count, this.#arm, nowNs + this.#overheadNs);
    r.seekNs = t.seekNs;
    r.rotationNs = t.rotationNs;
    this.#timeline = t;
    this.#timer.setAt(t.endNs);
  }

  #finish(): void {
    const r = this.#working;
    if (r === null) return;
    const { nowNs } = this.#engine;
    this.counts.busyNs += nowNs - r.startNs;
    this.counts.seekNs += r.seekNs;
    this.counts.rotationNs += r.rotationNs;
    this.#timeline = null;
    this.#working = null;
    if (r.operation === 'read') this.#buffer.follow(r.sector + r.count, this.#arm, nowNs);
    this.#transferred(r);
    this.#reporting = true;
    this.#interrupt(() => {
      this.#reporting = false;
      r.end();
      if (this.#working === null) this.#begin();
      if (this.#progress.length > 0) this.#progress.wakeAll();
    });
  }

  #lay(t: Timeline, sector: number, count: number, arm: Arm, fromNs: number): void {
    t.add(sector, count, arm, { fromNs, seeks: this.#seeks, headSwitchNs: this.#headSwitchNs });
  }
}
