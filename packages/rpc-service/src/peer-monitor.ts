/**
 * Who is alive, and who has rebooted. A transport tells what it hears, and of whom it hears nothing although it asked; this
 * keeps the state of each host and runs the boards' handlers in the order that the contract of the slot promises. What is
 * heard at all, and when a silent host is asked for a sign of life, is the transport's policy (`Pings`).
 *
 *   state     event                                action                                           next
 *   unknown   heard                                note the boot                                    alive
 *   alive     heard, same boot                     note the time                                    alive
 *   alive     heard, another boot                  onDead handlers; then as booting                 booting
 *   booting   heard, active                        wake who waits; onReboot handlers, if watched    alive
 *   dead      heard, active                        the same: a partition looks like a crash         alive
 *   any       heard, not active                    it talks, and is not ready                       booting
 *   any       fell silent                          onDead handlers                                  dead
 *
 * - While the onDead handlers for a host's earlier life run, no request of it is served: who executes requests waits for
 *   the funeral. The client's side does not wait.
 * - onReboot handlers run after the onDead handlers. One that throws `peerDown` ends the row; if the host fell silent
 *   while they ran, all are run again when it is next heard.
 * - The end of a partition counts as a reboot: who was thought dead may have thought the same of us.
 * - A host that was never heard and does not answer is called dead too.
 *
 * Lost in a crash: everything.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import { type HostId, isKernelError, type Machine, type Peers, type Undo } from '@backplane/slots';

export type PeerState = 'unknown' | 'alive' | 'booting' | 'dead';
type Handler = (host: HostId) => Task<void>;

/** Asks watched hosts for signs of life. What comes of it, the transport tells the monitor. */
export interface Pings {
  add(host: HostId): void;
  remove(host: HostId): void;
  /** Once, at once; nothing happens while the host is being asked. */
  now(host: HostId): void;
}

export interface PeerMonitorParts {
  readonly machine: Machine;
  readonly pings: Pings;
  /** Told at once that a host's life is over, before any handler. */
  readonly died?: (host: HostId) => void;
}

/** What the monitor knows of one host. */
class PeerRecord {
  state: PeerState = 'unknown';
  bootId = 0;
  heardNs = Number.NEGATIVE_INFINITY;
  watchers = 0;
  /** onDead handlers run, and whether they have to run once more. */
  mourned = false;
  diedAgain = false;
  /** onReboot handlers are to run when it is alive, and whether they do. */
  recover = false;
  recovering = false;
  readonly alive: WaitQueue = new WaitQueue();
  readonly buried: WaitQueue = new WaitQueue();
}

export class PeerMonitor implements Peers {
  static {
    tasks(PeerMonitor);
  }

  readonly #machine: Machine;
  readonly #pings: Pings;
  readonly #died: (host: HostId) => void;
  /** By number of the host, which is small. */
  readonly #records: (PeerRecord | undefined)[] = [];
  readonly #onDead: Handler[] = [];
  readonly #onReboot: Handler[] = [];

  constructor({ machine, pings, died }: PeerMonitorParts) {
    this.#machine = machine;
    this.#pings = pings;
    this.#died = died ?? (() => {});
  }

  // ---- what the transport tells ----

  /**
   * The host lives. Called for every message, so the common case is short.
   *
   * @param bootId of its newest life; 0 when it does not know that yet
   * @param active false: it talks, and does not serve yet
   */
  heard(host: HostId, bootId: number, active = true): void {
    const r = this.#record(host);
    r.heardNs = this.#machine.engine.nowNs;
    if (bootId === r.bootId && r.state === 'alive' && active && !r.recover) return; // the common case
    if (bootId === 0) return;
    const rebooted = r.bootId !== 0 && r.bootId !== bootId;
    r.bootId = bootId;
    if (rebooted) {
      r.recover = true;
      if (r.state === 'alive' || r.state === 'booting') this.#mourn(host, r);
      if (r.state === 'alive') this.#enter(host, r, 'booting');
    } else if (r.state === 'dead') r.recover = true;
    if (!active) this.#enter(host, r, 'booting');
    else {
      this.#enter(host, r, 'alive');
      r.alive.wakeAll();
      this.#recover(host, r);
    }
  }

  /** The host was asked, and did not answer. */
  fellSilent(host: HostId): void {
    const r = this.#record(host);
    if (r.state === 'dead') return;
    this.#enter(host, r, 'dead');
    this.#mourn(host, r);
  }

  // ---- what the transport asks ----

  /** When the host was last heard; infinitely long ago if never. */
  heardNs(host: HostId): number {
    return this.#records[host]?.heardNs ?? Number.NEGATIVE_INFINITY;
  }

  /** Are onDead handlers running for the host's earlier life? Then its requests wait for `funeral`. */
  mourns(host: HostId): boolean {
    return this.#records[host]?.mourned === true;
  }

  *funeral(host: HostId): Task<void> {
    const r = this.#record(host);
    while (r.mourned) yield* r.buried.wait();
  }

  // ---- what boards ask ----

  onDead(f: Handler): Undo {
    return added(this.#onDead, f);
  }

  onReboot(f: Handler): Undo {
    return added(this.#onReboot, f);
  }

  watch(host: HostId): Undo {
    if (host === this.#machine.host) return () => {};
    const r = this.#record(host);
    if (r.watchers++ === 0) this.#pings.add(host);
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      if (--r.watchers === 0) this.#pings.remove(host);
    };
  }

  /** True when it was heard since it was last thought dead. A host that was never heard is not known to be alive. */
  isAlive(host: HostId): boolean {
    return host === this.#machine.host || this.#records[host]?.state === 'alive';
  }

  *awaitAlive(host: HostId): Task<void> {
    if (this.isAlive(host)) return;
    const unwatch = this.watch(host);
    try {
      this.#pings.now(host);
      while (!this.isAlive(host)) yield* this.#record(host).alive.wait();
    } finally {
      unwatch();
    }
  }

  // ---- handlers ----

  #enter(host: HostId, r: PeerRecord, state: PeerState): void {
    if (r.state === state) return;
    r.state = state;
    const { engine, scope } = this.#machine;
    if (engine.trace.on) engine.trace.emit('rpc.peer', scope, { host, state, bootId: r.bootId });
  }

  #mourn(host: HostId, r: PeerRecord): void {
    this.#died(host);
    if (this.#onDead.length === 0) return;
    if (r.mourned) r.diedAgain = true;
    else {
      r.mourned = true;
      this.#machine.scope.spawn('peer died', this.#bury(host, r));
    }
  }

  *#bury(host: HostId, r: PeerRecord): Task<void> {
    do {
      r.diedAgain = false;
      for (const f of [...this.#onDead]) yield* f(host);
    } while (r.diedAgain);
    r.mourned = false;
    r.buried.wakeAll();
  }

  /** Runs the onReboot handlers if they are due. */
  #recover(host: HostId, r: PeerRecord): void {
    if (!r.recover || r.recovering) return;
    if (r.watchers === 0 || this.#onReboot.length === 0) r.recover = false;
    else {
      r.recovering = true;
      this.#machine.scope.spawn('peer rebooted', this.#reopen(host, r));
    }
  }

  *#reopen(host: HostId, r: PeerRecord): Task<void> {
    while (r.recover && r.state === 'alive') {
      while (r.mourned) yield* r.buried.wait();
      r.recover = false;
      try {
        for (const f of [...this.#onReboot]) yield* f(host);
      } catch (e) {
        // If this host is meant, it is dead now, and all of them run when it is heard again.
        if (!isKernelError(e, 'peerDown')) throw e;
      }
    }
    r.recovering = false;
  }

  #record(host: HostId): PeerRecord {
    let r = this.#records[host];
    if (r === undefined) {
      r = new PeerRecord();
      this.#records[host] = r;
    }
    return r;
  }
}

function added(handlers: Handler[], f: Handler): Undo {
  const entry: Handler = (host) => f(host); // the same handler may be added twice
  handlers.push(entry);
  return () => {
    const at = handlers.indexOf(entry);
    if (at >= 0) handlers.splice(at, 1);
  };
}
