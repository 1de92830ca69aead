/** A small cluster for tests: hosts with a transport on one switch. They crash and boot as the chassis lets machines do. */
import {
  CLUSTER_EPOCH_SECONDS,
  Engine,
  type Executor,
  type Scope,
  type Task,
  type Thread,
  Timer,
} from '@backplane/engine';
import { type HostId, hostId, type MachineCosts, type Processors, type Transport } from '@backplane/slots';
import { type TestMachine, testMachine } from '@backplane/slots/testing';
import { type SunRpcOptions, sunRpc } from '../src/index.ts';
import { Switch } from './switch.ts';

export interface WorldOptions {
  readonly seed?: number;
  readonly costs?: Partial<MachineCosts>;
  readonly rpc?: SunRpcOptions;
}

/** A processor for each piece of work: nobody waits for anybody. */
const freely = (scope: Scope): Processors & Executor => ({
  count: 1,
  interrupt: (ns, _category, done) => (ns === 0 ? done() : new Timer(scope, 'interrupt', done).set(ns)),
  execute: (_thread, ns, _category, paid) => new Timer(scope, 'work', paid).set(ns),
  run: (_processor, ns, _category, done) => new Timer(scope, 'work', done).set(ns),
  preempt: () => 0,
  idle: () => true,
  busyNs: () => 0,
});

export class World {
  readonly engine: Engine;
  readonly net: Switch;
  readonly options: WorldOptions;
  #hosts = 0;

  constructor(options: WorldOptions = {}) {
    this.options = options;
    this.engine = new Engine({ seed: options.seed ?? 1 });
    this.net = new Switch(this.engine);
  }

  /** A host that runs. */
  host(name: string, rpc: SunRpcOptions = {}): Host {
    const host = new Host(this, name, ++this.#hosts, { ...this.options.rpc, ...rpc });
    host.boot();
    return host;
  }

  run(untilNs?: number): void {
    this.engine.run(untilNs);
  }

  after(forNs: number): void {
    this.engine.run(this.engine.nowNs + forNs);
  }

  /** Runs a task in the cluster's own scope, and the cluster until the task has ended. */
  drive<T>(body: () => Task<T>): T {
    const results: T[] = [];
    const { engine } = this;
    engine.root.spawn(
      'driver',
      (function* (): Task<void> {
        results.push(yield* body());
        engine.stop();
      })(),
    );
    engine.run();
    if (results.length === 0) throw new Error('the driver has not ended: everything waits');
    return results[0] as T;
  }
}

interface Boot {
  readonly machine: TestMachine;
  readonly transport: Transport;
}

export class Host {
  readonly name: string;
  readonly id: HostId;
  bootId = 0;
  readonly #world: World;
  readonly #rpc: SunRpcOptions;
  #boot: Boot | null = null;
  readonly #setUps: ((transport: Transport, host: Host) => void)[] = [];

  constructor(world: World, name: string, number: number, rpc: SunRpcOptions) {
    this.#world = world;
    this.name = name;
    this.id = hostId(number);
    this.#rpc = rpc;
  }

  get transport(): Transport {
    return this.#running.transport;
  }

  get machine(): TestMachine {
    return this.#running.machine;
  }

  get #running(): Boot {
    if (this.#boot === null) throw new Error(`${this.name} is off`);
    return this.#boot;
  }

  metric(name: string): number {
    return this.machine.metric(`rpc.${name}`) ?? Number.NaN;
  }

  /** Applies to this boot and to all later ones. */
  setUp(f: (transport: Transport, host: Host) => void): void {
    this.#setUps.push(f);
    if (this.#boot !== null) f(this.transport, this);
  }

  spawn<T>(name: string, body: Task<T>): Thread<T> {
    return this.machine.scope.spawn(name, body);
  }

  boot(): void {
    const { engine, net, options } = this.#world;
    this.bootId = Math.max(this.bootId + 1, CLUSTER_EPOCH_SECONDS + Math.floor(engine.nowNs / 1e9));
    const machine = testMachine({
      engine,
      name: this.name,
      host: this.id,
      bootId: this.bootId,
      costs: options.costs ?? {},
    });
    const processors = freely(machine.scope);
    machine.scope.executor = processors;
    const board = sunRpc(this.#rpc);
    const granted = { internet: net.internet(this.id), processors, wrapped: new Map() };
    const transport = board.create(granted as never, machine); // boundary: what a chassis grants
    this.#boot = { machine, transport };
    for (const f of this.#setUps) f(transport, this);
    if (board.start !== undefined) machine.scope.spawn('start', board.start(transport));
  }

  crash(): void {
    this.machine.scope.crash();
    this.#boot = null;
    this.#world.net.detach(this.id);
  }

  reboot(): void {
    this.crash();
    this.boot();
  }
}
