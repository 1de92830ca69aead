/**
 * The client's half: reopening after a server's crash, one recovery for each server at a time (Welch 1990, chapter 6;
 * Baker and Ousterhout 1991).
 *
 *   state        event                                  action                                      next
 *   idle         the server is another boot, or         start a thread                              waiting
 *                somebody waits after silence or
 *                a stale handle
 *   waiting      the server is alive                    tell it that reopening begins               reopening
 *   reopening    all passes done                        tell it that reopening is complete          completing
 *   completing   the server knows of this reopening     wake who waits: "retry"                     idle
 *   completing   it does not: it has crashed, or        -                                           waiting
 *                called this host dead, in between
 *   any          silence, or it is not ready            -                                           waiting
 *   any          one who waits has waited long enough   wake that one: "give up"                    same
 *
 * A partition looks like a crash, and a reopening says what the client has, so running it once more than needed does no
 * harm. Nothing here polls: the transport says when the server is heard again.
 *
 * Rules of use: `await` from any thread, but not from within a pass. Lost in a crash: everything.
 */
import { seconds, sleep, type Task, tasks, WaitQueue } from '@backplane/engine';
import {
  type HostId,
  isKernelError,
  type Machine,
  type Recovery,
  type Transport,
  type Undo,
  type Verdict,
} from '@backplane/slots';
import { Passes, type Registration } from './passes.ts';
import { type Phase, recover } from './procedure.ts';
import { RecoveringClients } from './recovering-clients.ts';

/** One server that is being waited for or reopened; woken with true when it can be used again. */
type UnderWay = WaitQueue<true>;

const notReadyNs = /* @__PURE__ */ seconds(1);

export class ReopenRecovery implements Recovery {
  static {
    tasks(ReopenRecovery);
  }

  readonly #transport: Transport;
  readonly #machine: Machine;
  readonly #giveUpNs: number;
  readonly #passes = new Passes();
  readonly #clients = new RecoveringClients();
  readonly #underWay = new Map<HostId, UnderWay>();
  #recoveries = 0;
  #restarts = 0;
  #recoveringNs = 0;
  #gaveUp = 0;
  #refusals = 0;

  /** @param giveUpNs how long one waits for a server; Infinity for ever */
  constructor(transport: Transport, machine: Machine, giveUpNs: number) {
    this.#transport = transport;
    this.#machine = machine;
    this.#giveUpNs = giveUpNs;
    const clients = this.#clients;
    transport.serve(recover, function* (phase, from) {
      if (phase === 'complete') return clients.complete(from);
      clients.begin(from);
      return true;
    });
    transport.peers.onDead(function* (host) {
      clients.died(host);
    });
    transport.peers.onReboot((host) => this.#rebooted(host));
    const { metrics } = machine;
    metrics.register('recovery.recoveries', () => this.#recoveries);
    metrics.register('recovery.restarts', () => this.#restarts);
    metrics.register('recovery.seconds', () => this.#recoveringNs / 1e9);
    metrics.register('recovery.failedPasses', () => this.#passes.failures);
    metrics.register('recovery.gaveUp', () => this.#gaveUp);
    metrics.register('recovery.opensRefused', () => this.#refusals);
  }

  register(r: Registration): Undo {
    return this.#passes.register(r);
  }

  admits(client: HostId, bootId: number): boolean {
    const admitted = this.#clients.admits(client, bootId);
    if (!admitted) this.#refusals++;
    return admitted;
  }

  *await(server: HostId): Task<Verdict> {
    const woken = yield* this.#start(server).wait(this.#giveUpNs);
    if (woken === true) return 'retry';
    this.#gaveUp++;
    return 'give-up';
  }

  *#rebooted(server: HostId): Task<void> {
    this.#start(server);
  }

  #start(server: HostId): UnderWay {
    const before = this.#underWay.get(server);
    if (before !== undefined) return before;
    const started: UnderWay = new WaitQueue();
    this.#underWay.set(server, started);
    this.#machine.scope.spawn('recovery', this.#run(server, started));
    return started;
  }

  *#run(server: HostId, waiting: UnderWay): Task<void> {
    this.#recoveries++;
    for (;;) {
      yield* this.#transport.peers.awaitAlive(server);
      const startNs = this.#machine.engine.nowNs;
      const reopened = yield* this.#reopen(server);
      this.#recoveringNs += this.#machine.engine.nowNs - startNs;
      if (reopened) break;
      this.#restarts++;
    }
    this.#underWay.delete(server);
    waiting.wakeAll(true);
  }

  /** False when the server has gone meanwhile. */
  *#reopen(server: HostId): Task<boolean> {
    try {
      yield* this.#tell(server, 'begin');
      yield* this.#passes.run(server);
      return yield* this.#tell(server, 'complete');
    } catch (e) {
      if (!isKernelError(e)) throw e;
      // It talks, but is not ready to be told.
      if (e.kind !== 'peerDown') yield* sleep(notReadyNs);
      return false;
    }
  }

  /** A server that does not speak this protocol refuses no opens, and has nothing to be told. */
  *#tell(server: HostId, phase: Phase): Task<boolean> {
    try {
      return yield* this.#transport.call(server, recover, phase);
    } catch (e) {
      if (!isKernelError(e, 'unsupported')) throw e;
      return true;
    }
  }
}
