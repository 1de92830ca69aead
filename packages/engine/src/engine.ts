/**
 * The engine: runs what is on the agenda, one event after the other, and keeps the log.
 *
 * The same program with the same seed gives the same events on every machine: time is integer, ties are first in first
 * out, random streams are named, and nothing reads a real clock.
 */
import { Agenda } from './agenda.ts';
import { current } from './current.ts';
import { type Entry, TIMER } from './entry.ts';
import { badSeed, runInsideRun } from './errors.ts';
import { EventLog } from './event-log.ts';
import { type RandomStream, Streams } from './random.ts';
import { Scope } from './scope.ts';
import { instantAfter } from './time.ts';
import { Trace } from './trace.ts';

/** One event, for those who compare runs. The hash covers time, kind and the two numbers. */
export interface EngineEvent {
  readonly timeNs: number;
  readonly scopeName: string;
  /** In order of creation, from 0 (the root). */
  readonly scopeId: number;
  readonly kind: 'thread' | 'timer';
  readonly name: string;
  /** Of the thread or timer, in order of creation. */
  readonly id: number;
}

export class Engine {
  /** What the random streams are made from. */
  readonly seed: number;
  /** Owns everything. */
  readonly root: Scope;
  readonly trace: Trace;
  private readonly agenda: Agenda = new Agenda();
  private readonly log: EventLog = new EventLog();
  private readonly streams: Streams;
  private watcher: ((e: EngineEvent) => void) | null = null;
  private dispatched = 0;
  private running = false;
  private stopping = false;

  /**
   * @param o.seed whole number from 0 to 2^53 - 1; 0 when left out
   * @throws EngineError BAD_SEED
   */
  constructor(o: { readonly seed?: number } = {}) {
    const { seed = 0 } = o;
    if (!Number.isSafeInteger(seed) || seed < 0) throw badSeed(seed);
    this.seed = seed;
    this.streams = new Streams(seed);
    this.root = new Scope(this, this.agenda, null, 'root');
    this.trace = new Trace(this.agenda);
  }

  /** The present instant. */
  get nowNs(): number {
    return this.agenda.nowNs;
  }

  /** Events so far: timers fired and threads resumed. */
  get events(): number {
    return this.dispatched;
  }

  /**
   * Runs until nothing is queued, or `stop`, or through all that is due at `untilNs`, where the clock then stands.
   *
   * @throws EngineError THREAD_FAILED, TIMER_FAILED (an error that nobody caught; the run can be continued), BAD_TIME,
   *         RUN_INSIDE_RUN
   */
  run(untilNs: number = Infinity): void {
    if (this.running) throw runInsideRun();
    if (untilNs !== Infinity) instantAfter(0, untilNs);
    const { agenda } = this;
    if (untilNs < agenda.nowNs) return;
    const outer = current.thread; // of another engine, when runs are nested
    current.thread = null;
    this.running = true;
    this.stopping = false;
    try {
      this.loop(untilNs);
      if (untilNs < Infinity && !this.stopping) agenda.nowNs = untilNs;
    } finally {
      this.running = false;
      current.thread = outer;
    }
  }

  private loop(untilNs: number): void {
    const { ready, queue } = this.agenda;
    while (!this.stopping) {
      const thread = ready.shift();
      if (thread !== undefined) {
        if (thread.ended) continue;
        this.note(thread);
        thread.run();
        continue;
      }
      const atNs = queue.peekNs();
      if (atNs > untilNs || atNs === Infinity) return;
      this.agenda.nowNs = atNs;
      const entry = queue.pop();
      this.note(entry);
      entry.fire();
    }
  }

  /** Ends run() after the present event. */
  stop(): void {
    this.stopping = true;
  }

  private note(e: Entry): void {
    const { nowNs } = this.agenda;
    this.dispatched++;
    this.log.fold(nowNs, e.scope.id, e.kind, e.id);
    if (this.watcher !== null) this.show(this.watcher, e);
  }

  private show(watcher: (e: EngineEvent) => void, e: Entry): void {
    const { scope, name, id } = e;
    const kind = e.kind === TIMER ? 'timer' : 'thread';
    watcher({ timeNs: this.nowNs, scopeName: scope.name, scopeId: scope.id, kind, name, id });
  }

  /** Hash of all events so far: 64 hexadecimal digits. Equal runs have equal hashes. */
  traceHash(): string {
    return this.log.digest(this.dispatched);
  }

  /** Shows every event to `f`, just before it happens; null ends it. */
  watchEvents(f: ((e: EngineEvent) => void) | null): void {
    this.watcher = f;
  }

  /**
   * The stream of random numbers for a purpose ("ethernet.backoff") of an owner (a machine's name). Streams are
   * independent: what one draws never shifts another. Asked again, the same stream goes on.
   */
  random(purpose: string, owner: string = ''): RandomStream {
    return this.streams.get(purpose, owner);
  }
}
