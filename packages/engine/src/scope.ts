/**
 * A scope owns threads and timers, and scopes within it: a cluster, a machine, one boot of its kernel, a program.
 *
 *   state        event                                     next
 *   alive        cancel                                    cancelled: every thread cleans up, no timer is armed
 *   cancelled    last thread, timer and child are gone     dead
 *   any          crash                                     dead: nothing it owned runs again
 *
 * - `crash` is a power failure: O(threads + armed timers), no statement, no `finally`, no disposer. Waits and timers
 *   are dropped at once, so what only they reached is free. Who waits elsewhere for the end of a crashed thread wakes.
 * - `cancel` is for a living kernel: a killed process, a lost race. Clean-up may still spawn, block and set timers.
 * - Dead is for ever. A rebooted machine is a new child. A scope that is done with is crashed, so that its parent
 *   forgets it.
 * - Call `crash` from a timer or from a thread elsewhere; a thread that crashes its own scope runs on to its next
 *   suspension. Locks must not span machines: a dead owner never releases.
 */
import type { Agenda } from './agenda.ts';
import { Chain } from './chain.ts';
import type { Engine } from './engine.ts';
import type { Entry } from './entry.ts';
import { deadScope, foreignEngine } from './errors.ts';
import type { Executor } from './ledger.ts';
import type { Task } from './task.ts';
import { Thread } from './thread.ts';
import type { WaitList } from './wait-list.ts';

const ALIVE = 0;
const CANCELLED = 1;
const DEAD = 2;

export class Scope {
  readonly engine: Engine;
  readonly name: string;
  /** Names from the root's child down to this scope: "client/boot2". */
  readonly path: string;
  /** Counted in order of creation; goes into the event log. */
  readonly id: number;
  /** @internal */
  readonly agenda: Agenda;
  /** @internal The executor in force: the nearest ancestor's, kept here so that nobody searches. */
  seller: Executor | null;

  private readonly parent: Scope | null;
  private readonly children: Set<Scope> = new Set();
  private readonly owned: Chain = new Chain();
  private state = ALIVE;
  private ownExecutor: Executor | null = null;

  /** Scopes are made by `child`; the root by its engine. */
  constructor(engine: Engine, agenda: Agenda, parent: Scope | null, name: string) {
    this.engine = engine;
    this.agenda = agenda;
    this.parent = parent;
    this.name = name;
    this.path = parent === null || parent.parent === null ? name : `${parent.path}/${name}`;
    this.id = agenda.scopes++;
    this.seller = parent === null ? null : parent.seller;
    if (parent === null) return;
    if (parent.state === DEAD) this.state = DEAD;
    else parent.children.add(this);
  }

  /** Neither crashed nor cancelled. */
  get alive(): boolean {
    return this.state === ALIVE;
  }

  /** @internal */
  get dead(): boolean {
    return this.state === DEAD;
  }

  /** A scope within this one; dead from the start if this one is. */
  child(name: string): Scope {
    return new Scope(this.engine, this.agenda, this, name);
  }

  /** Starts a thread at the present instant, after all that is ready. In a dead scope it has ended already. */
  spawn<T>(name: string, body: Task<T>): Thread<T> {
    const t = new Thread<T>(this, name, body);
    if (this.state === DEAD) t.forget();
    else {
      this.owned.add(t);
      this.agenda.ready.push(t);
    }
    return t;
  }

  /**
   * Moves a thread, with all it waits for, to this scope: process migration.
   *
   * @throws EngineError DEAD_SCOPE, FOREIGN_ENGINE
   */
  adopt(t: Thread): void {
    if (t.agenda !== this.agenda) throw foreignEngine(t.where);
    if (this.state === DEAD) throw deadScope(`${t.where} cannot move to`, this.path);
    if (t.ended || t.scope === this) return;
    t.scope.drop(t);
    t.moveTo(this);
    this.owned.add(t);
  }

  /** Power off. Nothing that this scope or a scope within it owns runs again. */
  crash(): void {
    const orphans: WaitList[] = [];
    this.extinguish(orphans);
    this.parent?.lose(this);
    for (const waiting of orphans) waiting.wakeAll(undefined);
  }

  /** Every thread leaves its wait and runs its `finally` blocks, which may block; timers are disarmed. */
  cancel(): void {
    if (this.state === DEAD) return;
    this.state = CANCELLED;
    for (let e = this.owned.first; e !== null; ) {
      const { after } = e; // a timer leaves the chain
      e.cancel();
      e = after;
    }
    for (const c of this.children) c.cancel();
    this.letGo();
  }

  /** Who sells processor time to the threads of this scope; inherited from the parent when null. */
  get executor(): Executor | null {
    return this.ownExecutor;
  }

  set executor(executor: Executor | null) {
    this.ownExecutor = executor;
    this.inherit();
  }

  /** Its threads that have not ended, in order of arrival; for listings of who waits where. */
  threads(): Thread[] {
    const found: Thread[] = [];
    for (let e = this.owned.first; e !== null; e = e.after) if (e instanceof Thread) found.push(e);
    return found;
  }

  // ---- for entries ----

  /** @internal */
  own(e: Entry): void {
    this.owned.add(e);
  }

  /** @internal */
  drop(e: Entry): void {
    this.owned.remove(e);
    if (this.state === CANCELLED) this.letGo();
  }

  // ---- between scopes ----

  private inherit(): void {
    this.seller = this.ownExecutor ?? this.parent?.seller ?? null;
    for (const c of this.children) c.inherit();
  }

  private extinguish(orphans: WaitList[]): void {
    this.state = DEAD;
    for (const c of this.children) c.extinguish(orphans);
    this.children.clear();
    for (let e = this.owned.first; e !== null; e = this.owned.first) e.die(orphans);
  }

  /** A cancelled scope that owns nothing any more is dead. */
  private letGo(): void {
    if (this.state !== CANCELLED || this.owned.first !== null || this.children.size > 0) return;
    this.state = DEAD;
    this.parent?.lose(this);
  }

  private lose(child: Scope): void {
    this.children.delete(child);
    this.letGo();
  }
}
