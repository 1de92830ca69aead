/**
 * The servers as this client sees them, and how it comes to terms with one that fell silent or has forgotten it (Welch
 * 1990, chapter 6).
 *
 *   server       event                                       action                                  next
 *   usable       silence, a stale handle                     wait for it in the background           in doubt
 *   in doubt     reopening begins                            opens wait; those under way end first   reopening
 *   reopening    all handles are reopened                    opens go on                             usable
 *   reopening    silence                                     opens go on                             in doubt
 *
 * While a server is in doubt nothing is written back to it: its dirty blocks stay where they are.
 *
 * A recovery board orders the reopening of all boards, and runs ours as one of its passes. Without one, this class waits
 * for the server and reopens by itself.
 */
import { seconds, sleep, type Task, tasks, WaitQueue } from '@backplane/engine';
import {
  type HostId,
  isKernelError,
  KernelError,
  type Machine,
  type Recovery,
  type Transport,
  type Verdict,
} from '@backplane/slots';

/** How long an operation that could not have a page frame waits for a server to come back that holds frames up. */
const frameWaitNs = /* @__PURE__ */ seconds(5);
/** Later than the server is done with a call that nobody waits for any more. */
const abandonedNs = /* @__PURE__ */ seconds(90);

class Server {
  /** Opens whose replies are not taken up yet. */
  opens = 0;
  reopening = false;
  /** Opens for writing that were never answered, since the last reopening. */
  unansweredWrites = 0;
  inDoubt = false;
  /** Somebody waits in the background. */
  doubted = false;
  /** Woken when an open has ended, and when reopening has. */
  readonly changed: WaitQueue = new WaitQueue();
  /** Without a recovery board: woken when the server is reopened. */
  underWay: WaitQueue | null = null;
}

export class Servers {
  static {
    tasks(Servers);
  }

  readonly #machine: Machine;
  readonly #transport: Transport;
  readonly #recovery: Recovery | undefined;
  readonly #servers = new Map<HostId, Server>();
  /** Woken when some server can be used again. */
  readonly #back: WaitQueue = new WaitQueue();
  #reopen: (host: HostId) => Task<void> = function* () {};

  constructor(machine: Machine, transport: Transport, recovery: Recovery | undefined) {
    this.#machine = machine;
    this.#transport = transport;
    this.#recovery = recovery;
  }

  // ---- opens ----

  /** Waits while the server's handles are being reopened; `opened` must follow. */
  *opening(host: HostId): Task<void> {
    const server = this.#of(host);
    while (server.reopening) yield* server.changed.wait();
    server.opens++;
  }

  opened(host: HostId): void {
    const server = this.#of(host);
    server.opens--;
    server.changed.wakeAll();
  }

  /** An open for writing has got no answer. */
  unanswered(host: HostId): void {
    this.#of(host).unansweredWrites++;
  }

  unansweredWrites(host: HostId): number {
    return this.#of(host).unansweredWrites;
  }

  /** So many of them are past: every file has been reopened since. */
  answeredWrites(host: HostId, count: number): void {
    this.#of(host).unansweredWrites -= count;
  }

  hasOpensUnderWay(host: HostId): boolean {
    return this.#of(host).opens > 0;
  }

  // ---- doubt ----

  isInDoubt(host: HostId): boolean {
    return this.#servers.get(host)?.inDoubt === true;
  }

  /** Something went wrong that nobody waits for: see to it in the background. */
  doubt(host: HostId): void {
    const server = this.#of(host);
    if (host === this.#machine.host) return;
    server.inDoubt = true;
    if (server.doubted) return;
    server.doubted = true;
    this.#machine.scope.spawn('await server', this.#awaitDoubted(host, server));
  }

  /**
   * Nobody knows whether the server has executed an open, a lock or a close: its program is gone. What this host has is told
   * later, when the server surely is done with it.
   */
  abandoned(host: HostId): void {
    this.#machine.scope.spawn('abandoned call', this.#doubtLater(host));
  }

  /** After silence, or a handle that the server does not know. @throws KernelError `noAnswer` when waiting is given up */
  *await(host: HostId): Task<void> {
    if (host === this.#machine.host) throw new KernelError('stale', 'not known to this host itself');
    this.doubt(host);
    if ((yield* this.settle(host)) === 'give-up') throw new KernelError('noAnswer', `host ${host}`);
  }

  /** Returns when the server is back and reopened. */
  *settle(host: HostId): Task<Verdict> {
    if (this.#recovery !== undefined) return yield* this.#recovery.await(host);
    const server = this.#of(host);
    if (server.underWay === null) {
      server.underWay = new WaitQueue();
      this.#machine.scope.spawn('reopen', this.#reopenAlone(host, server, server.underWay));
    }
    yield* server.underWay.wait();
    return 'retry';
  }

  /** No page frame, since dirty blocks of a server in doubt hold them: waits for that to change. */
  *awaitFrames(): Task<void> {
    yield* this.#back.wait(frameWaitNs);
  }

  // ---- reopening ----

  /** What is reopened, and how; needed before the first server can fall silent. */
  reopenWith(reopen: (host: HostId) => Task<void>): void {
    this.#reopen = reopen;
    const pass = (host: HostId): Task<void> => this.reopen(host);
    if (this.#recovery !== undefined)
      this.#recovery.register({ name: 'files', pass: 'handles', reopen: pass });
    else this.#transport.peers.onReboot((host) => this.#rebooted(host));
  }

  /** The pass over the handles of one server. @throws KernelError `peerDown`: it has gone again */
  *reopen(host: HostId): Task<void> {
    const server = this.#of(host);
    server.reopening = true;
    server.inDoubt = false;
    try {
      while (server.opens > 0) yield* server.changed.wait();
      yield* this.#reopen(host);
    } catch (e) {
      server.inDoubt = true;
      throw e;
    } finally {
      server.reopening = false;
      server.changed.wakeAll();
      this.#back.wakeAll();
    }
  }

  *#rebooted(host: HostId): Task<void> {
    this.doubt(host);
  }

  *#reopenAlone(host: HostId, server: Server, underWay: WaitQueue): Task<void> {
    for (;;) {
      yield* this.#transport.peers.awaitAlive(host);
      try {
        yield* this.reopen(host);
        break;
      } catch (e) {
        if (!isKernelError(e)) throw e;
        if (e.kind !== 'peerDown') yield* sleep(seconds(1));
      }
    }
    server.underWay = null;
    underWay.wakeAll();
  }

  *#awaitDoubted(host: HostId, server: Server): Task<void> {
    // Doubt may have come up again after the handles were reopened, and before this thread's turn.
    let verdict: Verdict = 'retry';
    while (server.inDoubt && verdict === 'retry') verdict = yield* this.settle(host);
    server.doubted = false;
  }

  *#doubtLater(host: HostId): Task<void> {
    yield* sleep(abandonedNs);
    this.doubt(host);
  }

  #of(host: HostId): Server {
    let server = this.#servers.get(host);
    if (server === undefined) {
      server = new Server();
      this.#servers.set(host, server);
    }
    return server;
  }
}
