/**
 * A kernel as a server: the requests of other kernels, each executed by a thread of a pool that grows on demand.
 *
 *   a request                                   action
 *   of nobody's kernel, or of an older life     no response
 *   before this host serves                     busy: it comes again
 *   the null procedure                          answer at once
 *   meant for another life of this host         refuse, and say when this life began
 *   no thread is free, and none may be made     busy: it comes again
 *   else                                        a thread executes it and responds
 *
 * To a question to everybody, only a result is an answer.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import { type Outcome, type PeerMonitor, refusalKind, type ServedCalls } from '@backplane/rpc-service';
import {
  codeOf,
  type Delivery,
  type EntityService,
  type HostId,
  isGroup,
  type Machine,
  ReplyCode,
} from '@backplane/slots';
import type { Counters } from './counters.ts';
import {
  bootIdIn,
  errorCode,
  hostOf,
  type LifeWords,
  lifeIn,
  nothing,
  nullProcedure,
  otherLife,
  payloadIn,
  responseMessage,
} from './kernel-messages.ts';
import { anyLife, instantWords, type PeerTable } from './lives.ts';
import type { ServedRequest } from './served-request.ts';

export interface KernelServerParts {
  readonly machine: Machine;
  readonly peers: PeerTable;
  readonly monitor: PeerMonitor;
  readonly counters: Counters;
  readonly calls: ServedCalls;
}

/** What a thread is to execute. */
interface Call {
  readonly request: ServedRequest;
  readonly host: HostId;
}

class Worker {
  call: Call | null = null;
  readonly handed: WaitQueue = new WaitQueue();
}

export class KernelServer implements EntityService {
  static {
    tasks(KernelServer);
  }

  readonly #parts: KernelServerParts;
  readonly #workersMax: number;
  readonly #life: LifeWords;
  readonly #idle: Worker[] = [];
  #workers = 0;
  #open = false;

  constructor(parts: KernelServerParts, workersMax: number) {
    const { machine } = parts;
    this.#parts = parts;
    this.#workersMax = workersMax;
    this.#life = { bootId: machine.bootId, began: instantWords(machine.engine.nowNs) };
    machine.metrics.register('rpc.servers', () => this.#workers, 'max');
  }

  /** From now on requests are executed. */
  open(): void {
    this.#open = true;
  }

  // ---- at interrupt level ----

  /** This host's servers deliver nothing but requests of theirs, which can be answered without a thread. */
  arrived(request: ServedRequest): Delivery {
    const { machine, peers, monitor, counters } = this.#parts;
    const { message: m } = request;
    const host = hostOf(request.client);
    const bootId = bootIdIn(m);
    if (host === undefined || host === machine.host || bootId === 0) {
      counters.malformed++;
      return dropped(request);
    }
    const peer = peers.of(host);
    if (bootId < peer.bootId) {
      counters.stale++;
      return dropped(request);
    }
    peer.bootId = bootId;
    peer.silent = false;
    monitor.heard(host, bootId);
    if (!this.#open) return 'busy';
    const toEverybody = isGroup(request.to);
    const life = lifeIn(m);
    if (codeOf(m) === nullProcedure) this.#answer(request, ReplyCode.ok);
    else if (life !== this.#life.bootId && !(life === anyLife && toEverybody)) {
      counters.refused++;
      if (toEverybody) return dropped(request);
      this.#answer(request, otherLife);
    } else {
      const worker = this.#idle.pop() ?? (this.#workers < this.#workersMax ? this.#make() : undefined);
      if (worker === undefined) {
        counters.noServer++;
        return 'busy';
      }
      worker.call = { request, host };
      worker.handed.wakeOne();
    }
    return 'taken';
  }

  #answer(request: ServedRequest, code: number): void {
    request.respondNow(responseMessage(code, this.#life, nothing));
  }

  // ---- threads ----

  #make(): Worker {
    const worker = new Worker();
    this.#parts.machine.scope.spawn(`vmtp worker ${this.#workers}`, this.#run(worker));
    this.#workers++;
    return worker;
  }

  *#run(worker: Worker): Task<void> {
    const { calls } = this.#parts;
    for (;;) {
      while (worker.call === null) yield* worker.handed.wait();
      const { request, host } = worker.call;
      const { message: m } = request;
      const { transaction } = request.path;
      const outcome = yield* calls.execute(host, bootIdIn(m), codeOf(m), transaction, payloadIn(m));
      const response = this.#response(outcome, isGroup(request.to));
      if (response === null) request.discard();
      else yield* request.respond(response);
      worker.call = null;
      this.#idle.push(worker);
    }
  }

  #response(outcome: Outcome, toEverybody: boolean): ReturnType<typeof responseMessage> | null {
    if (typeof outcome !== 'string') return responseMessage(ReplyCode.ok, this.#life, outcome);
    if (outcome === 'over' || toEverybody) return null;
    return responseMessage(errorCode(refusalKind(outcome)), this.#life, nothing);
  }
}

function dropped(request: ServedRequest): Delivery {
  request.discard();
  return 'taken';
}
