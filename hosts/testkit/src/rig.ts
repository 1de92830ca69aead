/** A cluster in which boards are tried: switched on from the start, and run for as long as a check has something to do. */
import { Cluster, type ClusterMachine, offered } from '@backplane/chassis';
import { seconds, type Task, type Thread } from '@backplane/engine';
import { type AnySlots, BackplaneError, type Board, type Kernel, type MachineType } from '@backplane/slots';
import * as neighbours from './neighbours.ts';

export interface RigOptions {
  readonly seed?: number;
  readonly type?: MachineType;
  readonly medium?: Board<'medium'>;
}

/** No check has anything to do for longer. */
const hoursMax = 6;

export class Rig {
  readonly cluster: Cluster;

  /** @param kernels by name of the machine */
  constructor(kernels: Readonly<Record<string, Kernel>>, { seed = 1, type, medium }: RigOptions = {}) {
    this.cluster = new Cluster(
      {
        medium: medium ?? neighbours.medium(),
        machines: Object.entries(kernels).map(([name, kernel]) => ({
          name,
          type: type ?? neighbours.machineType(),
          role: name,
          kernel,
        })),
      },
      { seed },
    );
    for (const machine of this.cluster.machines) machine.boot();
    this.drive(function* () {});
  }

  get nowNs(): number {
    return this.cluster.engine.nowNs;
  }

  machine(name: string): ClusterMachine {
    return this.cluster.machine(name);
  }

  /** The only board of a machine in a slot, whatever its instance is called and whatever others it is made of. */
  board<S extends keyof AnySlots & string>(machine: string, slot: S): AnySlots[S] {
    const fitted = this.cluster.composition.machines.find(({ description }) => description.name === machine);
    const [only] = fitted === undefined ? [] : offered(fitted, slot);
    return this.machine(machine).board(slot, only?.instance ?? slot);
  }

  after(forNs: number): void {
    this.cluster.engine.run(this.nowNs + forNs);
  }

  spawn<T>(machine: string, body: Task<T>): Thread<T> {
    return this.machine(machine).scope.spawn('check', body);
  }

  /** A task of a machine, to its end. */
  on<T>(machine: string, body: () => Task<T>): T {
    return this.drive(() => this.spawn(machine, body()).join());
  }

  /** A task outside of all machines, to its end: it may crash and boot them. */
  drive<T>(body: () => Task<T>): T {
    const { cluster } = this;
    const ended: { value?: T; error?: unknown } = {};
    cluster.start(
      'check',
      (function* (): Task<void> {
        for (const machine of cluster.machines) if (machine.state !== 'off') yield* machine.running();
        // Caught, so that it comes out as it is and not as the failure of a thread.
        try {
          ended.value = yield* body();
        } catch (error) {
          ended.error = error;
        }
      })(),
    );
    cluster.engine.run(this.nowNs + seconds(hoursMax * 3600));
    if ('error' in ended) throw ended.error;
    if (!('value' in ended)) throw neverEnds();
    return ended.value as T; // boundary: just seen to be there
  }

  crash(machine: string): void {
    this.machine(machine).crash();
  }

  /** Switches a machine on, and waits until it runs. */
  boot(machine: string): void {
    this.machine(machine).boot();
    this.drive(function* () {});
  }

  reboot(machine: string): void {
    this.crash(machine);
    this.boot(machine);
  }
}

const neverEnds = (): BackplaneError =>
  new BackplaneError(
    'NOT_CONFORMING',
    { what: 'the check ends', expected: true, found: false },
    `What the check waits for has not come in ${hoursMax} hours: a board waits for ever.`,
    'The text of the contract is on the interface of the slot, in @backplane/slots.',
  );
