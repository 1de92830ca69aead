/** A small cluster for tests: hosts with a transport on one link. They crash and boot as the chassis lets machines do. */
import { CLUSTER_EPOCH_SECONDS, Engine, type Scope, sleep, type Task, type Thread } from '@backplane/engine';
import {
  broadcastAddress,
  type EntityTransport,
  Frame,
  type HostId,
  hostId,
  type Internet,
  internetAddress,
  internetHost,
  KernelError,
  type Locator,
  type MachineCosts,
  type Transport,
} from '@backplane/slots';
import { Link, type LinkNic, OneProcessor, type TestMachine, testMachine } from '@backplane/slots/testing';
import { decodeIpv4, ETHER_TYPES, encodeIpv4, IPV4 } from '@backplane/wire';
import { type VmtpOptions, vmtp } from '../src/index.ts';

/** The primitives of a Sun-3/75, as far as a transport needs them. */
export const sun3: Partial<MachineCosts> = {
  contextSwitchNs: 150_000,
  copyNsPerByte: 271,
  checksumNsPerByte: 400,
  packetSendNs: 250_000,
  packetReceiveNs: 300_000,
  fragmentReceiveNs: 200_000,
  transmitTurnaroundNs: 500_000,
  vmtpPathNs: 313_000,
};

export interface WorldOptions {
  readonly seed?: number;
  readonly costs?: Partial<MachineCosts>;
  readonly rpc?: VmtpOptions;
}

const station = (host: number): number => 0x020000000000 + host;

export class World {
  readonly engine: Engine;
  readonly link: Link;
  readonly hosts: Host[] = [];
  readonly #options: WorldOptions;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.engine = new Engine({ seed: options.seed ?? 1 });
    this.link = new Link(this.engine);
  }

  /** A host that runs. */
  host(name: string, rpc: VmtpOptions = {}): Host {
    const { costs = {} } = this.#options;
    const host = new Host(this, name, this.hosts.length + 1, { ...this.#options.rpc, ...rpc }, costs);
    this.hosts.push(host);
    host.boot();
    return host;
  }

  /** A station without a kernel: for packets made by hand. It is where host `number` would be. */
  probe(name: string, number: number): LinkNic {
    return this.link.attach(this.engine.root.child(name), name, station(number), 0);
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
  readonly nic: LinkNic;
  readonly processor: OneProcessor;
  bootId = 0;
  readonly #world: World;
  readonly #scope: Scope;
  readonly #rpc: VmtpOptions;
  readonly #costs: Partial<MachineCosts>;
  #boot: Boot | null = null;
  /** Called with the transport of each boot, before it starts: what a kernel's other boards do. */
  readonly #setUps: ((transport: Transport, host: Host) => void)[] = [];

  constructor(world: World, name: string, number: number, rpc: VmtpOptions, costs: Partial<MachineCosts>) {
    this.#world = world;
    this.name = name;
    this.id = hostId(number);
    this.#rpc = rpc;
    this.#costs = costs;
    this.#scope = world.engine.root.child(name);
    this.nic = world.link.attach(this.#scope, name, station(number), costs.transmitTurnaroundNs ?? 0);
    this.processor = new OneProcessor(this.#scope, { contextSwitchNs: 0, ...costs } as MachineCosts); // boundary: reads no other
  }

  get transport(): Transport {
    return this.#running.transport;
  }

  get entities(): EntityTransport {
    const { entities } = this.transport;
    if (entities === undefined) throw new Error('no entities');
    return entities;
  }

  get machine(): TestMachine {
    return this.#running.machine;
  }

  get #running(): Boot {
    if (this.#boot === null) throw new Error(`${this.name} is off`);
    return this.#boot;
  }

  metric(name: string): number {
    return this.machine.metric(name) ?? Number.NaN;
  }

  /** Applies to this boot and to all later ones. */
  setUp(f: (transport: Transport, host: Host) => void): void {
    this.#setUps.push(f);
    if (this.#boot !== null) f(this.#boot.transport, this);
  }

  spawn<T>(name: string, body: Task<T>): Thread<T> {
    return this.machine.scope.spawn(name, body);
  }

  boot(): void {
    const { engine, link } = this.#world;
    this.bootId = Math.max(this.bootId + 1, CLUSTER_EPOCH_SECONDS + Math.floor(engine.nowNs / 1e9));
    const { name, id, bootId } = this;
    const machine = testMachine({ engine, name, host: id, bootId, costs: this.#costs });
    machine.scope.executor = this.processor;
    const board = vmtp(this.#rpc);
    const granted = {
      nic: new Map([['eth0', this.nic]]),
      locator: new Directory(link),
      processors: this.processor,
      internet: this.#rpc.carrier === 'internet' ? new Datagrams(this.nic) : undefined,
      wrapped: new Map(),
    };
    const transport = board.create(granted as never, machine); // boundary: what a chassis grants
    this.#boot = { machine, transport };
    for (const f of this.#setUps) f(transport, this);
    if (board.start !== undefined) machine.scope.spawn('start', board.start(transport));
  }

  crash(): void {
    this.machine.scope.crash();
    this.#boot = null;
    this.nic.reset();
    this.processor.reset();
  }

  reboot(): void {
    this.crash();
    this.boot();
  }
}

/** A locator that knows everybody who is attached to the link. */
class Directory implements Locator {
  readonly #link: Link;
  readonly #forgotten = new Set<HostId>();

  constructor(link: Link) {
    this.#link = link;
  }

  known(host: HostId): number | undefined {
    return this.#forgotten.has(host)
      ? undefined
      : this.#link.nics.find((n) => n.address === station(host))?.address;
  }

  *locate(host: HostId): Task<number> {
    yield* sleep(1_000_000);
    this.#forgotten.delete(host);
    const known = this.known(host);
    if (known === undefined) throw new KernelError('peerDown', `no host ${host}`);
    return known;
  }

  learn(host: HostId): void {
    this.#forgotten.delete(host);
  }

  forget(host: HostId): void {
    this.#forgotten.add(host);
  }
}

/** Internet datagrams in Ethernet frames, none of which has to be cut. */
class Datagrams implements Internet {
  readonly unfragmentedBytes: number;
  readonly #nic: LinkNic;

  constructor(nic: LinkNic) {
    this.#nic = nic;
    this.unfragmentedBytes = nic.mtuBytes - IPV4.headerBytes;
  }

  *send(protocol: number, to: HostId, parts: readonly Uint8Array[]): Task<void> {
    yield* sleep(10_000);
    const payload = new Frame(0, 0, 0, parts).payload();
    const source = internetAddress(hostId(this.#nic.address % 256));
    const destination = internetAddress(to);
    const datagram = encodeIpv4({ source, destination, protocol, identification: 0, payload });
    const where = to === 0 ? broadcastAddress : station(to);
    this.#nic.send(new Frame(where, this.#nic.address, ETHER_TYPES.ipv4, [datagram]));
  }

  receive(protocol: number, handler: Parameters<Internet['receive']>[1]): () => void {
    return this.#nic.receive(ETHER_TYPES.ipv4, (frame) => {
      const datagram = decodeIpv4(frame.payload());
      if (datagram?.protocol !== protocol) return;
      const from = internetHost(datagram.source) ?? hostId(0);
      const to = internetHost(datagram.destination) ?? hostId(0);
      const { payload } = datagram;
      handler({ from, to, payload, packets: 1, completingBytes: payload.length });
    });
  }
}
