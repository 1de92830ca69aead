/**
 * One machine of the cluster and its lives.
 *
 *   state     event      action                                                            next
 *   off       boot       new boot scope, boards made, `start` in order under virtual time  booting
 *   booting   started    note it, wake who waits                                           running
 *   running   halt       `halt` in reverse order under virtual time, drop the scope        off
 *   any       crash      drop the boot scope without running any of its code, then         off
 *                        `reset` the hardware
 *
 * What survives a crash is what the hardware keeps: disks, NVRAM. Boot identifiers rise by at least one.
 */
import {
  CLUSTER_EPOCH_SECONDS,
  type Engine,
  type RandomStream,
  type Scope,
  type Task,
  WaitQueue,
} from '@backplane/engine';
import {
  type AnySlots,
  type HostId,
  hostId,
  type Machine,
  type MachineType,
  type Metrics,
  type Natives,
} from '@backplane/slots';
import type { Fitted, FittedMachine } from './composition.ts';
import { notRunning } from './errors.ts';
import { MetricReaders, MetricTotals } from './metrics.ts';
import { bootScope, type Container, machineScope } from './scopes.ts';
import type {} from './trace-kinds.ts';

export type MachineState = 'off' | 'booting' | 'running' | 'halting';

export class ClusterMachine {
  readonly name: string;
  readonly host: HostId;
  readonly role: string;
  readonly type: MachineType;
  readonly kernelName: string;
  readonly #engine: Engine;
  readonly #natives: Natives;
  readonly #scope: Scope;
  readonly #hardware: readonly Fitted[];
  readonly #kernel: readonly Fitted[];
  readonly #container: Container;
  readonly #hardwareMetrics = new MetricReaders();
  readonly #ended = new MetricTotals();
  readonly #changed = new WaitQueue();
  #state: MachineState = 'off';
  #boots = 0;
  #bootId = 0;
  #bootScope: Scope | null = null;
  #bootContainer: Container | null = null;
  #bootMetrics = new MetricReaders();

  constructor(engine: Engine, natives: Natives, cluster: Container, fitted: FittedMachine) {
    const { description, boards } = fitted;
    this.name = description.name;
    this.host = hostId(fitted.host);
    this.role = description.role;
    this.type = description.type;
    this.kernelName = description.kernel.name;
    this.#engine = engine;
    this.#natives = natives;
    this.#scope = engine.root.child(this.name);
    this.#hardware = boards.filter((f) => f.lifetime === 'machine');
    this.#kernel = boards.filter((f) => f.lifetime === 'boot');
    this.#container = machineScope(cluster, this.#hardware, this.#place(this.#scope, this.#hardwareMetrics));
  }

  get state(): MachineState {
    return this.#state;
  }

  /** Boots so far, this one included. */
  get boots(): number {
    return this.#boots;
  }

  get bootId(): number {
    return this.#bootId;
  }

  /** The boot's scope: what is spawned in it dies with the boot. */
  get scope(): Scope {
    if (this.#bootScope === null) throw notRunning(this.name, this.#state);
    return this.#bootScope;
  }

  /** A board of this machine by the name of its instance: `transport`, `disk.0`. Kernel boards only while it runs. */
  board<S extends keyof AnySlots & string>(slot: S, instance: string = slot): AnySlots[S] {
    const container = this.#bootContainer ?? this.#container;
    if (!container.hasRegistration(instance))
      throw notRunning(this.name, `without a board in "${instance}" while it is ${this.#state}`);
    return container.resolve<AnySlots[S]>(instance);
  }

  /** Switches the machine on. Returns at once; `running()` waits until every board has started. */
  boot(): void {
    if (this.#state !== 'off') return;
    this.#enter('booting');
    this.#boots++;
    this.#bootId = Math.max(this.#bootId + 1, CLUSTER_EPOCH_SECONDS + Math.floor(this.#engine.nowNs / 1e9));
    const scope = this.#scope.child(`boot${this.#boots}`);
    this.#bootScope = scope;
    this.#bootMetrics = new MetricReaders();
    this.#bootContainer = bootScope(this.#container, this.#kernel, this.#place(scope, this.#bootMetrics));
    scope.spawn('boot', this.#start(this.#bootContainer));
  }

  /** Returns when the machine runs: at once if it does. */
  *running(): Task<void> {
    while (this.#state !== 'running') yield* this.#changed.wait();
  }

  /** An orderly halt: the boards' own code runs, in reverse order of start. Returns when the machine is off. */
  *halt(): Task<void> {
    if (this.#state !== 'running' || this.#bootScope === null || this.#bootContainer === null)
      throw notRunning(this.name, this.#state);
    this.#enter('halting');
    const halting = this.#bootScope.spawn('halt', haltBoards(this.#kernel, this.#bootContainer));
    yield* halting.join();
    this.#powerOff();
  }

  /** Power off, from outside of the machine: nothing of its boards runs again, no clean-up. Does nothing when it is off. */
  crash(): void {
    if (this.#state !== 'off') this.#powerOff();
  }

  metrics(): MetricTotals {
    const totals = new MetricTotals();
    totals.addAll(this.#ended);
    this.#hardwareMetrics.addTo(totals);
    this.#bootMetrics.addTo(totals);
    return totals;
  }

  *#start(container: Container): Task<void> {
    for (const f of this.#kernel)
      if (f.board.start !== undefined)
        yield* f.board.start(container.resolve<AnySlots[typeof f.board.slot]>(f.instance));
    this.#enter('running');
  }

  #powerOff(): void {
    this.#bootMetrics.addTo(this.#ended);
    this.#bootMetrics = new MetricReaders();
    this.#bootScope?.crash();
    this.#bootScope = null;
    this.#bootContainer = null;
    for (const f of this.#hardware)
      f.board.reset?.(this.#container.resolve<AnySlots[typeof f.board.slot]>(f.instance));
    this.#enter('off');
  }

  #enter(state: MachineState): void {
    this.#state = state;
    const { trace } = this.#engine;
    if (trace.on) trace.emit('machine.state', this.#scope, { state });
    this.#changed.wakeAll();
  }

  /** What a board is told: the same machine, with the life that the board belongs to. */
  #place(scope: Scope, metrics: Metrics): Machine {
    return Object.freeze({
      name: this.name,
      host: this.host,
      role: this.role,
      type: this.type,
      bootId: this.#bootId,
      scope,
      engine: this.#engine,
      metrics,
      natives: this.#natives,
      random: (purpose: string): RandomStream => this.#engine.random(purpose, this.name),
    });
  }
}

function* haltBoards(kernel: readonly Fitted[], container: Container): Task<void> {
  for (const f of kernel.toReversed())
    if (f.board.halt !== undefined)
      yield* f.board.halt(container.resolve<AnySlots[typeof f.board.slot]>(f.instance));
}
