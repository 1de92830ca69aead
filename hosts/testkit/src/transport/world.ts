/** Hosts on an Ethernet whose kernels hold a transport and what it needs: enough to see what the transport promises. */
import { Cluster, type ClusterMachine } from '@backplane/chassis';
import type { Engine, Task, Thread } from '@backplane/engine';
import { ethernet, ethernetInterface } from '@backplane/hw-ethernet';
import { zeroCost } from '@backplane/hw-machines';
import { processors } from '@backplane/hw-processor';
import { arpLocator } from '@backplane/locator-arp';
import { spriteScheduler } from '@backplane/scheduler-sprite';
import {
  defineKernel,
  type HostId,
  type KernelSpec,
  type LinkVerdict,
  type Payload,
  type Transport,
} from '@backplane/slots';
import { work } from './calls.ts';

export interface WorldOptions {
  readonly seed?: number;
}

/** What happens to one frame on its way from a host to another. */
export type Judge = (payload: Uint8Array, from: string, to: string) => LinkVerdict;
export const pass: Judge = () => 'pass';

export class World {
  readonly cluster: Cluster;
  readonly hosts: readonly Host[];
  judge: Judge = pass;
  /** Frames carried so far. */
  frames = 0;

  constructor(boards: KernelSpec, names: readonly string[], { seed = 1 }: WorldOptions = {}) {
    const kernel = defineKernel('transport under test', {
      processors: processors(),
      nic: ethernetInterface(),
      scheduler: spriteScheduler(),
      locator: arpLocator(),
    }).with(boards);
    const machines = names.map((name) => ({ name, type: zeroCost, role: 'host', kernel }));
    this.cluster = new Cluster({ medium: ethernet(), machines }, { seed });
    this.hosts = this.cluster.machines.map((machine) => new Host(machine));
    const { medium } = this.cluster;
    medium.addRule({
      name: 'faults of a check',
      judge: (frame, from, to) => this.judge(frame.payload(), from, to),
    });
    medium.tap(() => {
      this.frames++;
    });
    for (const host of this.hosts) host.boot();
  }

  get engine(): Engine {
    return this.cluster.engine;
  }

  host(i: number): Host {
    const host = this.hosts[i];
    if (host === undefined) throw new Error(`no host ${i}`);
    return host;
  }

  /** Frames between two hosts are lost, both ways. */
  cut(a: Host, b: Host): void {
    this.judge = (_payload, from, to) =>
      (from === a.name && to === b.name) || (from === b.name && to === a.name) ? 'drop' : 'pass';
  }

  mend(): void {
    this.judge = pass;
  }

  after(forNs: number): void {
    this.engine.run(this.engine.nowNs + forNs);
  }

  /** Runs a task outside of all hosts, and the hosts until it has ended. */
  drive<T>(body: () => Task<T>): T {
    const { hosts, cluster } = this;
    return cluster.drive(
      'check',
      (function* (): Task<T> {
        for (const host of hosts) yield* host.running();
        return yield* body();
      })(),
    );
  }

  /** A task on a host, to its end. */
  on<T>(host: Host, body: () => Task<T>): T {
    return this.drive(() => host.spawn(body()).join());
  }
}

export class Host {
  readonly machine: ClusterMachine;
  readonly #setUps: ((transport: Transport) => void)[] = [];

  constructor(machine: ClusterMachine) {
    this.machine = machine;
  }

  get name(): string {
    return this.machine.name;
  }

  get id(): HostId {
    return this.machine.host;
  }

  get transport(): Transport {
    return this.machine.board('transport');
  }

  /** What other boards of the kernel would do: applies to this boot and to all later ones, before the transport starts. */
  setUp(f: (transport: Transport) => void): void {
    this.#setUps.push(f);
    if (this.machine.state !== 'off') f(this.transport);
  }

  /** Serves the procedure of most checks in this boot and all later ones. */
  serves(handler: (request: Payload, from: { host: HostId; bootId: number }) => Task<Payload>): void {
    this.setUp((transport) => transport.serve(work, handler));
  }

  spawn<T>(body: Task<T>): Thread<T> {
    return this.machine.scope.spawn('check', body);
  }

  boot(): void {
    this.machine.boot();
    for (const f of this.#setUps) f(this.transport);
  }

  *running(): Task<void> {
    if (this.machine.state !== 'off') yield* this.machine.running();
  }

  crash(): void {
    this.machine.crash();
  }

  reboot(): void {
    this.crash();
    this.boot();
  }
}
