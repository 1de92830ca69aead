/**
 * A cluster: one engine, one segment, its machines. Everything in it is a function of the description and the seed.
 *
 * The driver of a run (an experiment, a test) is a thread in the cluster's own scope, outside of every machine: it
 * may crash and boot machines, start programs on them and wait for them.
 */
import { Engine, type Scope, type Task, type Thread } from '@backplane/engine';
import { type AnySlots, type Natives, natives, type Place } from '@backplane/slots';
import { type Composition, compose } from './composition.ts';
import type { ClusterDescription, Installed } from './description.ts';
import { driverStuck, noSuchMachine } from './errors.ts';
import { ClusterMachine } from './machine.ts';
import { MetricReaders, MetricTotals } from './metrics.ts';
import { clusterScope } from './scopes.ts';

export interface ClusterOptions {
  /** Of everything that is left to chance. Default 1. */
  readonly seed?: number;
  /** For the remedies that errors propose. */
  readonly installed?: readonly Installed[];
}

export class Cluster {
  readonly engine: Engine;
  readonly composition: Composition;
  readonly medium: AnySlots['medium'];
  /** Owns the driver's threads. */
  readonly scope: Scope;
  /** What native programs are known by, to every machine. */
  readonly natives: Natives = natives();
  readonly machines: readonly ClusterMachine[];
  readonly #byName: ReadonlyMap<string, ClusterMachine>;
  readonly #metrics = new MetricReaders();

  /** @throws BackplaneError when the composition cannot work; nothing has been made then */
  constructor(description: ClusterDescription, options: ClusterOptions = {}) {
    this.composition = compose(description, options.installed);
    this.engine = new Engine({ seed: options.seed ?? 1 });
    this.scope = this.engine.root.child('driver');
    const { engine } = this;
    const wire = engine.root.child('medium');
    const place: Place = {
      name: 'medium',
      scope: wire,
      engine,
      metrics: this.#metrics,
      random: (purpose) => engine.random(purpose, 'medium'),
    };
    this.medium = description.medium.create(Object.freeze({ wrapped: new Map() }) as never, place);
    const container = clusterScope(this.medium);
    this.machines = this.composition.machines.map(
      (m) => new ClusterMachine(engine, this.natives, container, m),
    );
    this.#byName = new Map(this.machines.map((m) => [m.name, m]));
  }

  /** @throws BackplaneError with the nearest name when there is no such machine */
  machine(name: string): ClusterMachine {
    const machine = this.#byName.get(name);
    if (machine === undefined) throw noSuchMachine(name, [...this.#byName.keys()]);
    return machine;
  }

  /** Machines of a role, in order of description. */
  withRole(role: string): readonly ClusterMachine[] {
    return this.machines.filter((m) => m.role === role);
  }

  /** Switches every machine on and returns when all run. */
  *bootAll(): Task<void> {
    for (const m of this.machines) m.boot();
    for (const m of this.machines) yield* m.running();
  }

  /** Starts a driver; when it ends, `engine.run` returns, though daemons would go on for ever. */
  start<T>(name: string, driver: Task<T>): Thread<T> {
    return this.scope.spawn(name, stopAfter(this.engine, driver));
  }

  /**
   * Runs a driver to its end, the whole cluster with it.
   *
   * @returns what the driver returned
   * @throws BackplaneError `DRIVER_STUCK` when nothing is left to happen before its end
   */
  drive<T>(name: string, driver: Task<T>): T {
    const ended: { value?: T } = {};
    this.start(name, keep(driver, ended));
    this.engine.run();
    if (!('value' in ended)) throw driverStuck(name);
    return ended.value as T; // boundary: just seen to be there
  }

  /** Everything that the boards counted, over all machines and boots. */
  metrics(): Readonly<Record<string, number>> {
    const totals = new MetricTotals();
    this.#metrics.addTo(totals);
    for (const m of this.machines) totals.addAll(m.metrics());
    return totals.toRecord();
  }
}

function* keep<T>(driver: Task<T>, ended: { value?: T }): Task<void> {
  ended.value = yield* driver;
}

function* stopAfter<T>(engine: Engine, driver: Task<T>): Task<T> {
  try {
    return yield* driver;
  } finally {
    engine.stop();
  }
}
