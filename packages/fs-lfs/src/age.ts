/**
 * When what has changed goes into the log by itself: some time after it changed, sooner if somebody wants it on its way,
 * and with a checkpoint when the last one is old or far back in the log.
 */
import { seconds, type Task, Timer, tasks } from '@backplane/engine';
import { isKernelError, type Machine } from '@backplane/slots';
import type { DescriptorMap } from './descriptor-map.ts';
import type { Log } from './log.ts';

export interface AgeOptions {
  /** Age at which what has changed goes into the log by itself. */
  readonly writeDelaySeconds: number;
  readonly checkpointSeconds: number;
  /** Bytes in the log after which there is a checkpoint; 0: by time alone. */
  readonly checkpointBytes: number;
}

/** After an error that nobody heard of, the next try. */
const retrySeconds = 5;

export class Age {
  static {
    tasks(Age);
  }

  /** Tries of which nobody hears, and that failed. */
  errors = 0;
  readonly #parts: { readonly machine: Machine; readonly log: Log; readonly map: DescriptorMap };
  readonly #options: AgeOptions;
  readonly #work: (what: 'commit' | 'checkpoint') => Task<void>;
  readonly #timer: Timer;
  #working = false;
  /** Since when something waits; -1: nothing does. */
  #dirtySinceNs = -1;
  /** When somebody wants it written; `Infinity`: nobody does. */
  #soonNs = Infinity;
  /** After an error. */
  #notBeforeNs = 0;
  /** The last checkpoint, and the bytes that the log had then. */
  #checkpointNs: number;
  #checkpointBytes = 0;

  constructor(
    parts: { readonly machine: Machine; readonly log: Log; readonly map: DescriptorMap },
    options: AgeOptions,
    work: (what: 'commit' | 'checkpoint') => Task<void>,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#work = work;
    this.#checkpointNs = this.#nowNs;
    this.#timer = new Timer(parts.machine.scope, 'lfs.commit', () => this.#wake());
  }

  /** Something has changed that the next commit or checkpoint should have. */
  stir(): void {
    if (this.#dirtySinceNs >= 0) return;
    this.#dirtySinceNs = this.#nowNs;
    if (!this.#working) this.#arm();
  }

  /** What is dirty now is to go into the log after this time at the latest. */
  soon(delayNs: number): void {
    this.#soonNs = Math.min(this.#soonNs, this.#nowNs + delayNs);
    if (!this.#working) this.#arm();
  }

  /** The log has grown: perhaps there is more in it since the last checkpoint than recovery should have to read. */
  grown(): void {
    if (this.#isFarBack) this.#wake();
  }

  /** Everything is in the log, or what has become dirty meanwhile is not. */
  committed(isClean: boolean): void {
    this.#dirtySinceNs = isClean ? -1 : this.#nowNs;
  }

  checkpointed(): void {
    this.#checkpointNs = this.#nowNs;
    this.#checkpointBytes = this.#parts.log.counts.bytes;
  }

  get #nowNs(): number {
    return this.#parts.machine.engine.nowNs;
  }

  get #checkpointDueNs(): number {
    return this.#checkpointNs + seconds(this.#options.checkpointSeconds);
  }

  get #isFarBack(): boolean {
    const { checkpointBytes } = this.#options;
    return checkpointBytes > 0 && this.#parts.log.counts.bytes - this.#checkpointBytes >= checkpointBytes;
  }

  #arm(): void {
    const writeNs = this.#dirtySinceNs + seconds(this.#options.writeDelaySeconds);
    const firstNs = Math.min(writeNs, this.#checkpointDueNs, this.#soonNs);
    this.#timer.setAt(Math.max(this.#nowNs, this.#notBeforeNs, firstNs));
  }

  #wake(): void {
    if (this.#working) return;
    this.#working = true;
    this.#parts.machine.scope.spawn('lfs.commit', this.#run());
  }

  *#run(): Task<void> {
    const { log, map } = this.#parts;
    try {
      this.#soonNs = Infinity;
      const isDue = this.#nowNs >= this.#checkpointDueNs || this.#isFarBack;
      yield* this.#work(isDue ? 'checkpoint' : 'commit');
    } catch (e) {
      // What could not be stored waits and is tried again.
      if (!isKernelError(e)) throw e;
      this.errors++;
      this.#dirtySinceNs = this.#nowNs;
      this.#notBeforeNs = this.#nowNs + seconds(retrySeconds);
    } finally {
      this.#working = false;
      if (this.#dirtySinceNs >= 0) this.#arm();
      else if (log.counts.bytes > this.#checkpointBytes || map.changed.size > 0)
        this.#timer.setAt(Math.max(this.#nowNs + 1, this.#checkpointDueNs));
    }
  }
}
