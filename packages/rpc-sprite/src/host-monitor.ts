/**
 * The host monitor: who is alive, who has rebooted (Welch 1990, chapter 6; `src/kernel/recov/recovery.c`). It learns from
 * the packets that arrive anyway; a call without an answer, and a packet with another boot identifier, are its only signs.
 *
 *   state     event                                action                                           next
 *   unknown   heard                                note the boot                                    alive
 *   alive     heard, same boot                     note the time                                    alive
 *   alive     heard, another boot                  onDead handlers; then as booting                 booting
 *   booting   heard, active                        wake who waits; onReboot handlers, if watched    alive
 *   dead      heard, active                        the same: a partition looks like a crash         alive
 *   any       heard, not active                    it talks, and is not ready                       booting
 *   any       a call fell silent                   onDead handlers                                  dead
 *
 * - "Heard" is a whole request or reply, as in Sprite; not a fragment, not an acknowledgement.
 * - No request of a host is served while the onDead handlers for its earlier life run: the server processes wait. The
 *   client's side does not wait.
 * - onReboot handlers run after the onDead handlers. One that throws `peerDown` ends the row; if the host fell silent
 *   while they ran, all are run again when it is next heard.
 * - A host that was never heard and does not answer is called dead too.
 *
 * Lost in a crash: everything.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import { type HostId, isKernelError, type Machine, type Peers, type Undo } from '@backplane/slots';
import { limits } from './layout.ts';
import { PingList } from './ping-list.ts';

export type PeerState = 'unknown' | 'alive' | 'booting' | 'dead';
type Handler = (host: HostId) => Task<void>;

/** What the monitor knows of one host. */
class HostRecord {
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

export class HostMonitor implements Peers {
  static {
    tasks(HostMonitor);
  }

  readonly #machine: Machine;
  readonly #listening: boolean;
  readonly #died: (host: HostId) => void;
  readonly #records: (HostRecord | undefined)[] = new Array<HostRecord | undefined>(limits.hosts).fill(
    undefined,
  );
  readonly #onDead: Handler[] = [];
  readonly #onReboot: Handler[] = [];
  readonly #pings: PingList;

  /**
   * @param listening false: only pings and failed calls tell of other hosts
   * @param died      told at once, before any handler
   * @param ping      sends an echo and returns when it was answered; throws `peerDown`
   */
  constructor(
    machine: Machine,
    listening: boolean,
    pingNs: number,
    died: (host: HostId) => void,
    ping: (host: HostId) => Task<void>,
  ) {
    this.#machine = machine;
    this.#listening = listening;
    this.#died = died;
    this.#pings = new PingList(machine, pingNs, (host) => this.#record(host).heardNs, ping);
  }

  // ---- what the transport tells ----

  /** A whole request or reply has come from the host. */
  note(host: HostId, bootId: number, notActive: boolean): void {
    const r = this.#record(host);
    if (!this.#listening && r.state === 'alive') return;
    this.#heard(host, r, bootId, notActive);
  }

  /** The host has answered a ping. */
  answered(host: HostId, bootId: number): void {
    if (!this.#listening) this.#heard(host, this.#record(host), bootId, false);
  }

  /** A call to the host got no answer. */
  fellSilent(host: HostId): void {
    const r = this.#record(host);
    if (r.state === 'dead') return;
    this.#enter(host, r, 'dead');
    this.#mourn(host, r);
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

  // ---- the states ----

  #heard(host: HostId, r: HostRecord, bootId: number, notActive: boolean): void {
    r.heardNs = this.#machine.engine.nowNs;
    if (bootId === r.bootId && r.state === 'alive' && !notActive && !r.recover) return; // the common case
    if (bootId === 0) return;
    const rebooted = r.bootId !== 0 && r.bootId !== bootId;
    r.bootId = bootId;
    if (rebooted) {
      r.recover = true;
      if (r.state === 'alive' || r.state === 'booting') this.#mourn(host, r);
      if (r.state === 'alive') this.#enter(host, r, 'booting');
    } else if (r.state === 'dead') r.recover = true;
    if (notActive) this.#enter(host, r, 'booting');
    else {
      this.#enter(host, r, 'alive');
      r.alive.wakeAll();
      this.#recover(host, r);
    }
  }

  #enter(host: HostId, r: HostRecord, state: PeerState): void {
    if (r.state === state) return;
    r.state = state;
    const { engine, scope } = this.#machine;
    if (engine.trace.on) engine.trace.emit('rpc.peer', scope, { host, state, bootId: r.bootId });
  }

  // ---- handlers ----

  #mourn(host: HostId, r: HostRecord): void {
    this.#died(host);
    if (this.#onDead.length === 0) return;
    if (r.mourned) r.diedAgain = true;
    else {
      r.mourned = true;
      this.#machine.scope.spawn('peer died', this.#bury(host, r));
    }
  }

  *#bury(host: HostId, r: HostRecord): Task<void> {
    do {
      r.diedAgain = false;
      for (const f of [...this.#onDead]) yield* f(host);
    } while (r.diedAgain);
    r.mourned = false;
    r.buried.wakeAll();
  }

  /** Runs the onReboot handlers if they are due. */
  #recover(host: HostId, r: HostRecord): void {
    if (!r.recover || r.recovering) return;
    if (r.watchers === 0 || this.#onReboot.length === 0) r.recover = false;
    else {
      r.recovering = true;
      this.#machine.scope.spawn('peer rebooted', this.#reopen(host, r));
    }
  }

  *#reopen(host: HostId, r: HostRecord): Task<void> {
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

  #record(host: HostId): HostRecord {
    let r = this.#records[host];
    if (r === undefined) {
      r = new HostRecord();
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
