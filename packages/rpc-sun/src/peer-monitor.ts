/**
 * Who is alive, and who has rebooted. Sun's transport leaves that to status monitors above it; here it learns from the
 * messages that arrive anyway, whose credentials and verifiers name the life of their sender, and from null calls that get
 * no answer.
 *
 *   state     event                          action                                          next
 *   unknown   heard                          note the boot                                   alive
 *   alive     heard, another boot            onDead handlers, then onReboot, if watched      alive
 *   alive     no answer                      onDead handlers                                 dead
 *   unknown   no answer                      onDead handlers                                 dead
 *   dead      heard                          wake who waits; onReboot, if watched            alive
 *
 * - No request of a host is executed while the onDead handlers for its earlier life run: the daemons wait. The client's
 *   side does not wait.
 * - A partition looks like a crash, and its end like a reboot: who was thought dead may have thought the same of us.
 * - An onReboot handler that throws `peerDown` ends the row; if the host fell silent while they ran, all are run again
 *   when it is next heard.
 *
 * Lost in a crash: everything.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import { type HostId, isKernelError, type Machine, type Peers, type Undo } from '@backplane/slots';
import type { PeerTable } from './lives.ts';
import { WatchList } from './watch-list.ts';

type Handler = (host: HostId) => Task<void>;

/** What the monitor knows of one host. */
class Standing {
  state: 'unknown' | 'alive' | 'dead' = 'unknown';
  bootId = 0;
  watchers = 0;
  /** onDead handlers run, and whether they have to run once more. */
  mourned = false;
  diedAgain = false;
  /** onReboot handlers are to run, and whether they do. */
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
  readonly #ping: (host: HostId) => void;
  readonly #standings = new Map<HostId, Standing>();
  readonly #onDead: Handler[] = [];
  readonly #onReboot: Handler[] = [];
  readonly #watched: WatchList;

  /** @param ping starts a null call, unless one is under way; its ending comes back as `heard` or `fellSilent` */
  constructor(machine: Machine, peers: PeerTable, pingNs: number, ping: (host: HostId) => void) {
    this.#machine = machine;
    this.#ping = ping;
    this.#watched = new WatchList(machine, pingNs, (host) => peers.of(host).heardNs, ping);
  }

  // ---- what the transport tells ----

  /** A message has come from this life of the host, which is its newest. */
  heard(host: HostId, bootId: number): void {
    const s = this.#standing(host);
    if (bootId === s.bootId && s.state === 'alive') return; // the common case
    const rebooted = s.bootId !== 0 && s.bootId !== bootId;
    s.bootId = bootId;
    if (rebooted || s.state === 'dead') s.recover = true;
    if (rebooted && s.state === 'alive') this.#mourn(host, s);
    this.#enter(host, s, 'alive');
    s.alive.wakeAll();
    this.#recover(host, s);
  }

  /** The host does not answer. */
  fellSilent(host: HostId): void {
    const s = this.#standing(host);
    if (s.state === 'dead') return;
    this.#enter(host, s, 'dead');
    this.#mourn(host, s);
  }

  /** Are onDead handlers running for the host's earlier life? Then its requests wait for `funeral`. */
  mourns(host: HostId): boolean {
    return this.#standings.get(host)?.mourned === true;
  }

  *funeral(host: HostId): Task<void> {
    const s = this.#standing(host);
    while (s.mourned) yield* s.buried.wait();
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
    const s = this.#standing(host);
    if (s.watchers++ === 0) this.#watched.add(host);
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      if (--s.watchers === 0) this.#watched.remove(host);
    };
  }

  /** True when it was heard since it was last thought dead. A host that was never heard is not known to be alive. */
  isAlive(host: HostId): boolean {
    return host === this.#machine.host || this.#standings.get(host)?.state === 'alive';
  }

  *awaitAlive(host: HostId): Task<void> {
    if (this.isAlive(host)) return;
    const unwatch = this.watch(host);
    try {
      this.#ping(host);
      while (!this.isAlive(host)) yield* this.#standing(host).alive.wait();
    } finally {
      unwatch();
    }
  }

  // ---- handlers ----

  #enter(host: HostId, s: Standing, state: Standing['state']): void {
    if (s.state === state) return;
    s.state = state;
    const { engine, scope } = this.#machine;
    if (engine.trace.on) engine.trace.emit('rpc.peer', scope, { host, state, bootId: s.bootId });
  }

  #mourn(host: HostId, s: Standing): void {
    if (this.#onDead.length === 0) return;
    if (s.mourned) s.diedAgain = true;
    else {
      s.mourned = true;
      this.#machine.scope.spawn('peer died', this.#bury(host, s));
    }
  }

  *#bury(host: HostId, s: Standing): Task<void> {
    do {
      s.diedAgain = false;
      for (const f of [...this.#onDead]) yield* f(host);
    } while (s.diedAgain);
    s.mourned = false;
    s.buried.wakeAll();
  }

  /** Runs the onReboot handlers if they are due. */
  #recover(host: HostId, s: Standing): void {
    if (!s.recover || s.recovering) return;
    if (s.watchers === 0 || this.#onReboot.length === 0) s.recover = false;
    else {
      s.recovering = true;
      this.#machine.scope.spawn('peer rebooted', this.#reopen(host, s));
    }
  }

  *#reopen(host: HostId, s: Standing): Task<void> {
    while (s.recover && s.state === 'alive') {
      while (s.mourned) yield* s.buried.wait();
      s.recover = false;
      try {
        for (const f of [...this.#onReboot]) yield* f(host);
      } catch (e) {
        // If this host is meant, it is dead now, and all of them run when it is heard again.
        if (!isKernelError(e, 'peerDown')) throw e;
      }
    }
    s.recovering = false;
  }

  #standing(host: HostId): Standing {
    let s = this.#standings.get(host);
    if (s === undefined) {
      s = new Standing();
      this.#standings.set(host, s);
    }
    return s;
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
