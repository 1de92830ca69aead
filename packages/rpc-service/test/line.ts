/**
 * A transport without packets, for tests of what lies above them: requests and replies take a millisecond each, to hosts
 * that may be off. It tells its monitors what it hears, and pings when it is told to.
 */
import { Engine, ms, sleep, type Task } from '@backplane/engine';
import {
  type HostId,
  hostId,
  isKernelError,
  KernelError,
  type MachineCosts,
  type Payload,
} from '@backplane/slots';
import { type TestMachine, testMachine } from '@backplane/slots/testing';
import {
  CallCounters,
  type Found,
  fellSilent,
  PeerMonitor,
  refusalKind,
  ServedCalls,
  ServedProcedures,
  TypedTransport,
} from '../src/index.ts';

export const traits = { board: 'a line', limits: { parametersBytes: 1024, dataBytes: 2000 }, pathNs: 5000 };
export const passNs: number = ms(1);

export class Line {
  readonly engine: Engine = new Engine({ seed: 1 });
  readonly hosts: Host[] = [];

  host(costs: Partial<MachineCosts> = {}): Host {
    const host = new Host(this, hostId(this.hosts.length + 1), costs);
    this.hosts.push(host);
    return host;
  }

  /** Runs a task of that host until nothing is left to do. What it throws, this throws. */
  drive<T>(host: Host, body: Task<T>): T {
    const results: T[] = [];
    host.machine.scope.spawn(
      'driver',
      (function* (): Task<void> {
        results.push(yield* body);
      })(),
    );
    try {
      this.engine.run();
    } catch (e) {
      throw e instanceof Error && e.cause !== undefined ? e.cause : e;
    }
    if (results.length === 0) throw new Error('the driver has not ended: everything waits');
    return results[0] as T;
  }
}

export class Host {
  readonly id: HostId;
  bootId = 1000;
  /** Hosts that were asked for a sign of life. */
  readonly pinged: HostId[] = [];
  readonly watched: Set<HostId> = new Set();
  on = true;
  readonly #line: Line;
  readonly #costs: Partial<MachineCosts>;
  #boot: Boot;

  constructor(line: Line, id: HostId, costs: Partial<MachineCosts>) {
    this.#line = line;
    this.id = id;
    this.#costs = costs;
    this.#boot = this.#booted();
  }

  get machine(): TestMachine {
    return this.#boot.machine;
  }

  get transport(): TypedTransport {
    return this.#boot.transport;
  }

  get monitor(): PeerMonitor {
    return this.#boot.monitor;
  }

  get procedures(): ServedProcedures {
    return this.#boot.procedures;
  }

  get calls(): ServedCalls {
    return this.#boot.calls;
  }

  reboot(): void {
    this.machine.scope.crash();
    this.bootId++;
    this.#boot = this.#booted();
  }

  #booted(): Boot {
    const { engine } = this.#line;
    const name = `host${this.id}`;
    const machine = testMachine({ engine, name, host: this.id, bootId: this.bootId, costs: this.#costs });
    const counters = new CallCounters();
    counters.register(machine);
    const procedures = new ServedProcedures(traits.board, name, { 7: 'seven' });
    const pings = {
      add: (host: HostId) => void this.watched.add(host),
      remove: (host: HostId) => void this.watched.delete(host),
      now: (host: HostId) => void this.pinged.push(host),
    };
    const monitor = new PeerMonitor({ machine, pings });
    const peers = { of: (host: HostId) => this.#line.hosts[host - 1] ?? { bootId: 0 } };
    const calls = new ServedCalls({ machine, traits, procedures, monitor, peers, counters });
    const courier = { call: this.#call.bind(this), ask: this.#ask.bind(this) };
    const open = (): void => {};
    const transport = new TypedTransport({
      machine,
      traits,
      courier,
      procedures,
      peers: monitor,
      counters,
      open,
    });
    return { machine, transport, monitor, procedures, calls };
  }

  *#call(to: HostId, procedure: number, payload: Payload): Task<Payload> {
    const there = this.#line.hosts[to - 1];
    yield* sleep(passNs);
    if (there?.on !== true) {
      this.monitor.fellSilent(to);
      throw fellSilent(to);
    }
    there.monitor.heard(this.id, this.bootId);
    const outcome = yield* there.calls.execute(this.id, this.bootId, procedure, 1, payload);
    yield* sleep(passNs);
    this.monitor.heard(to, there.bootId);
    if (typeof outcome !== 'string') return outcome;
    throw new KernelError(outcome === 'over' ? 'peerDown' : refusalKind(outcome));
  }

  *#ask(procedure: number, payload: Payload, windowNs: number, enough: number): Task<readonly Found[]> {
    const found: Found[] = [];
    for (const { id } of this.#line.hosts) {
      if (id === this.id || found.length === enough) continue;
      try {
        found.push({ from: id, payload: yield* this.#call(id, procedure, payload) });
      } catch (e) {
        if (!isKernelError(e)) throw e;
      }
    }
    yield* sleep(windowNs);
    return found;
  }
}

interface Boot {
  readonly machine: TestMachine;
  readonly transport: TypedTransport;
  readonly monitor: PeerMonitor;
  readonly procedures: ServedProcedures;
  readonly calls: ServedCalls;
}
