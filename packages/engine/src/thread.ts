/**
 * A thread: a stack of tasks, and what it waits for.
 *
 *   state      event                        action                                    next
 *   new        its turn                     start the body                            running
 *   running    a primitive queues it        keep the frames that suspended            blocked
 *   running    the last frame ends          wake who joins                            ended
 *   blocked    wake-up                      note what the waker brings                ready, or woken
 *   blocked    its instant                  leave the wait list                       running, or woken
 *   blocked    cancel                       each frame is to get return()             ready, or woken
 *   woken      own debt paid, waker's time                                            ready, or running
 *   ready      its turn                     resume the innermost frame                running
 *   any        crash                        leave everything, run nothing             ended
 *
 * Woken is who still has to wait although its wake-up came: until its debt is paid, or because the waker had accrued
 * time and so was ahead of the clock.
 *
 * Cancel strikes only where the thread is blocked; otherwise at its next block, so that a lock or a message already
 * handed to it is not lost. Each frame then gets `return()`, innermost first: its `finally` blocks run, and may block.
 * A thread that happens to be in a blocking `finally` when it is struck leaves that one, so what must be done whatever
 * happens comes first in it, or in a `finally` of its own.
 */
import { blocker, current } from './current.ts';
import { Entry, THREAD } from './entry.ts';
import { bareYield, type EngineError, forgottenYield, joinsItself, threadFailed } from './errors.ts';
import { Ledger } from './ledger.ts';
import type { Scope } from './scope.ts';
import { blocked, type Frame, frameName, type Op, R, resume, type Step, type Task, tasks } from './task.ts';
import { instantAfter } from './time.ts';
import { WaitList } from './wait-list.ts';

const NEW = 0;
const READY = 1;
const RUNNING = 2;
const BLOCKED = 3;
const WOKEN = 4;
const ENDED = 5;

/** What is still to be done about a thread that was cancelled, or crashed. */
const NONE = 0;
const CANCELLED = 1; // strike at its next block
const STRUCK = 2; // frames up to `unwinding` still get return()
const CRASHED = 3; // by its own doing: it runs on to its next suspension

/** What a thread takes back before it goes on: the lock, for one that comes out of a condition. */
export interface Retaken {
  /** False: not free, the thread is queued for it. */
  retake(t: Thread): boolean;
}

/** Stands for the frames of a thread that has ended. */
const noFrame: Frame = (function* (): Task<void> {})();

export class Thread<T = unknown> extends Entry {
  static {
    tasks(Thread);
  }

  private state = NEW;
  private doom = NONE;
  /** Index of the innermost frame that still gets return(); -1 for none. */
  private unwinding = -1;
  /** Times it suspended, `settle` excepted. */
  blocks = 0;
  /** The frame that is resumed, and those that wait for it, outermost first. */
  private frame: Frame;
  private callers: Frame[] | null = null;
  /** What the waker brings; after the end the result, or the error. */
  private value: unknown = undefined;
  /** @internal Accrued processor time; null as long as nothing was ever charged. */
  ledger: Ledger | null = null;
  /** @internal The list it waits in. */
  waitsIn: WaitList | null = null;
  /** Taken back before it goes on. */
  private retaken: Retaken | null = null;
  /** It waits for what it must have, cancelled or not. */
  private retaking = false;
  private failed = false;
  /** @internal Neighbours in the list it waits in. */
  waitsAfter: Thread | null = null;
  /** @internal */
  waitsBefore: Thread | null = null;
  private joiners: WaitList | null = null;
  /** The owner's slot: whatever a kernel hangs on its threads, such as the process. */
  local: unknown = undefined;

  /** Threads are made by `Scope.spawn`. */
  constructor(scope: Scope, name: string, body: Task<T>) {
    super(THREAD, scope, name);
    this.frame = body;
  }

  // ---- what anybody may ask and do ----

  get ended(): boolean {
    return this.state === ENDED || this.doom === CRASHED;
  }

  /** @internal "thread writer of client/boot2", for messages. */
  get where(): string {
    return `thread ${this.name} of ${this.scope.path}`;
  }

  /** The tasks on its stack, innermost first, each waiting for the one before it: "receive < call < read". */
  trace(): string {
    return this.ended
      ? '(ended)'
      : [this.frame, ...(this.callers ?? []).toReversed()].map(frameName).join(' < ');
  }

  /**
   * Waits for its end.
   *
   * @returns what its body returned; undefined if it was cancelled or crashed
   * @throws what its body threw (an error for which nobody waits stops the run instead), EngineError JOINS_ITSELF
   */
  *join(): Task<T> {
    if (!this.ended) {
      const t = blocker();
      if (t === this) throw joinsItself(this.where);
      this.joiners ??= new WaitList();
      yield* this.joiners.wait(t);
    }
    if (this.failed) throw this.value;
    return this.value as T; // boundary: the body returned it
  }

  /** The thread leaves its wait (or its next one) and runs its `finally` blocks; before its first step it just ends. */
  cancel(): void {
    if (this.ended || this.doom !== NONE) return;
    this.doom = CANCELLED;
    if (this.state === BLOCKED || this.state === NEW) this.strike();
  }

  /** Its last wait does not count as one: what it waited for was done at once, on its behalf, and nobody else ran. */
  keptProcessor(): void {
    this.blocks--;
  }

  // ---- for primitives ----

  /** @internal The running thread has been queued somewhere: it blocks. */
  block<V>(): Op<V> {
    this.blocks++;
    return this.suspend();
  }

  /** @internal It blocks, and begins to pay what it owes. */
  suspend<V>(): Op<V> {
    this.state = BLOCKED;
    if (this.ledger !== null && this.ledger.owedNs > 0) this.ledger.pay();
    return blocked();
  }

  /** @internal It is about to block, for at most `timeoutNs` of its own time; then the `yield*` gives `value`. */
  limit(timeoutNs: number, value: unknown): void {
    if (timeoutNs !== Infinity) {
      const { nowNs, queue } = this.agenda;
      queue.push(instantAfter(nowNs + (this.ledger?.owedNs ?? 0), timeoutNs), this);
    }
    this.value = value;
  }

  /** @internal It is about to block, and takes `retaken` back before it goes on. */
  takeBackLater(retaken: Retaken): void {
    this.retaken = retaken;
  }

  /** @internal Ends its wait; the `yield*` gives `value`. */
  wake(value: unknown): void {
    this.value = value;
    this.leave();
    const by = current.thread;
    if (this.ledger === null && (by === null || by.ledger === null)) this.makeReady();
    else this.dueAt(this.agenda.nowNs + (by?.ledger?.owedNs ?? 0));
  }

  /** @internal Ends its wait for a lock, which is its own now. */
  handOver(): void {
    this.retaking = false;
    this.wake(this.value);
  }

  // ---- for the ledger and the scope ----

  /** @internal Its accounts, opened at the first charge. */
  books(): Ledger {
    this.ledger ??= new Ledger(this);
    return this.ledger;
  }

  /** @internal The debt is paid, or will be at `ledger.paidNs` by itself. */
  debtPaid(ledger: Ledger): void {
    const { dueNs, paidNs, sleepNs } = ledger;
    if (this.state === WOKEN) {
      this.dueAt(dueNs);
    } else if (sleepNs >= 0) {
      ledger.sleepNs = -1;
      const atNs = instantAfter(paidNs, sleepNs);
      if (atNs > this.agenda.nowNs) this.agenda.queue.push(atNs, this);
      else this.dueAt(atNs);
    }
  }

  /** @internal */
  moveTo(scope: Scope): void {
    (this as { scope: Scope }).scope = scope; // boundary: read only for everybody else
  }

  // ---- waking up ----

  private leave(): void {
    if (this.waitsIn !== null) this.waitsIn.remove(this);
    if (this.slot >= 0) this.agenda.queue.cancel(this);
  }

  private makeReady(): void {
    this.state = READY;
    this.agenda.ready.push(this);
  }

  /** Its wake-up counts from `wakeNs`; it runs when its debt is paid, too. */
  private dueAt(wakeNs: number): void {
    const { agenda, ledger } = this;
    let atNs = wakeNs;
    if (ledger !== null) {
      ledger.sleepNs = -1;
      ledger.dueNs = wakeNs;
      if (ledger.paidNs > atNs) atNs = ledger.paidNs;
    }
    if (atNs <= agenda.nowNs) {
      this.makeReady();
    } else {
      this.state = WOKEN;
      if (atNs < Infinity) agenda.queue.push(atNs, this);
    }
  }

  /** @internal Its instant has come: a sleep or a limited wait ends, or the last thing for which a woken thread waited. */
  fire(): void {
    if (this.state === BLOCKED) {
      if (this.waitsIn !== null) this.waitsIn.remove(this);
      const { ledger, agenda } = this;
      if (ledger !== null && ledger.paidNs > agenda.nowNs) {
        this.dueAt(agenda.nowNs);
        return;
      }
    }
    this.run();
  }

  // ---- running ----

  /** @internal Runs until it suspends or ends. */
  run(): void {
    if (this.retaken !== null && !this.takeBack(this.retaken)) return;
    this.state = RUNNING;
    current.thread = this;
    R.done.value = this.value;
    this.value = undefined;
    let error: unknown;
    let failedIn: Frame[] | null = null; // the frames through which the error has passed
    for (;;) {
      const { frame } = this;
      try {
        const plain = failedIn === null && this.unwinding < 0;
        const step = plain ? resume(frame) : this.resumeOddly(failedIn !== null, error);
        if (!step.done) break;
        if (R.pending !== null) throw forgottenYield(this.where);
        R.done.value = step.value;
        failedIn = null;
      } catch (e) {
        if (R.pending !== null) this.unqueue();
        error = e;
        failedIn ??= [];
        failedIn.push(frame);
      }
      const caller = this.callers?.pop();
      if (caller === undefined) {
        this.end(failedIn, failedIn === null ? R.done.value : error);
        return;
      }
      this.frame = caller;
    }
    current.thread = null;
    if (R.fresh.length > 0) this.keepFresh();
    if (this.state === RUNNING || R.pending !== null) throw this.misused();
    if (this.doom !== NONE) this.meetDoom();
  }

  /** Resumes the innermost frame with an error, or with the order to clean up and end. */
  private resumeOddly(failed: boolean, error: unknown): Step {
    const { frame } = this;
    if (this.unwinding === this.depth) {
      this.unwinding--;
      if (!failed) return frame.return(undefined); // an error out of a `finally` takes its own way
    }
    return failed ? frame.throw(error) : resume(frame);
  }

  private get depth(): number {
    return this.callers === null ? 0 : this.callers.length;
  }

  /** Tasks have suspended for the first time: they go on the stack, and the frame that called them waits. */
  private keepFresh(): void {
    const { fresh } = R;
    this.callers ??= [];
    for (let f = fresh.pop(); f !== undefined; f = fresh.pop()) {
      this.callers.push(this.frame);
      this.frame = f;
    }
  }

  private takeBack(retaken: Retaken): boolean {
    this.retaken = null;
    if (retaken.retake(this)) return true;
    this.retaking = true;
    this.state = BLOCKED;
    return false;
  }

  /** A forgotten `yield*` has queued it, yet it runs on. */
  private unqueue(): void {
    R.pending = null;
    this.leave();
    this.state = RUNNING;
  }

  /** It has suspended, and was cancelled or crashed before. */
  private meetDoom(): void {
    if (this.doom === CANCELLED && this.state === BLOCKED) this.strike();
    else if (this.doom === CRASHED) this.forget();
  }

  private misused(): EngineError {
    const error = R.pending === null ? bareYield(this.where) : forgottenYield(this.where);
    R.pending = null;
    if (this.doom !== CRASHED) this.scope.drop(this);
    this.forget();
    return error;
  }

  // ---- ending ----

  private end(failedIn: Frame[] | null, value: unknown): void {
    current.thread = null;
    const { joiners, doom } = this;
    this.forget();
    if (doom === CRASHED) return;
    this.scope.drop(this);
    this.value = value;
    this.failed = failedIn !== null;
    if (joiners !== null && joiners.length > 0) joiners.wakeAll(undefined);
    else if (failedIn !== null) throw threadFailed(this.where, failedIn.map(frameName).join(' < '), value);
  }

  /** It is blocked, or new: every frame is to clean up and end, innermost first. */
  private strike(): void {
    this.doom = STRUCK;
    this.unwinding = this.depth;
    if (this.state === BLOCKED && !this.retaking) this.wake(undefined);
  }

  /** @internal */
  die(orphans: WaitList[]): void {
    this.scope.drop(this);
    if (this.joiners !== null) orphans.push(this.joiners);
    if (this.state === RUNNING) this.doom = CRASHED;
    else this.forget();
  }

  /** @internal Ended: lets go of all it held. */
  forget(): void {
    this.leave();
    this.state = ENDED;
    this.frame = noFrame;
    this.callers = null;
    this.value = undefined;
  }
}
