/** A small cluster for tests: hosts with a transport on one link. They crash and boot as the chassis lets machines do. */
import { CLUSTER_EPOCH_SECONDS, Engine, type Scope, sleep, type Task, type Thread } from '@backplane/engine';
import {
  broadcastAddress,
  Frame,
  type HostId,
  hostId,
  type Internet,
  internetAddress,
  internetHost,
  KernelError,
  type Locator,
  type Machine,
  type MachineCosts,
  type Metrics,
  natives,
  type Transport,
} from '@backplane/slots';
import { Link, type LinkNic, OneProcessor } from '@backplane/slots/testing';
import { decodeIpv4, ETHER_TYPES, encodeIpv4, IP_PROTOCOLS, IPV4 } from '@backplane/wire';
import { type SpriteRpcOptions, spriteRpc } from '../src/index.ts';

const costNames = [
  'contextSwitchNs',
  'copyNsPerByte',
  'packetSendNs',
  'packetReceiveNs',
  'fragmentReceiveNs',
  'transmitTurnaroundNs',
  'hostMonitorNs',
  'spriteRpcPathNs',
] as const;
export type Costs = Pick<MachineCosts, (typeof costNames)[number]>;
export const noCosts: Costs = Object.fromEntries(costNames.map((name) => [name, 0])) as unknown as Costs;

/** The primitives of a Sun-3/75, as far as a transport needs them. */
export const sun3: Costs = {
  contextSwitchNs: 150_000,
  copyNsPerByte: 271,
  packetSendNs: 250_000,
  packetReceiveNs: 300_000,
  fragmentReceiveNs: 200_000,
  transmitTurnaroundNs: 500_000,
  hostMonitorNs: 130_000,
  spriteRpcPathNs: 313_000,
};

export class Meters implements Metrics {
  readonly #readers = new Map<string, () => number>();

  register(name: string, read: () => number): () => void {
    this.#readers.set(name, read);
    return () => {};
  }

  read(name: string): number {
    const read = this.#readers.get(name);
    if (read === undefined) throw new Error(`no meter ${name}`);
    return read();
  }
}

export interface WorldOptions {
  readonly seed?: number;
  readonly costs?: Costs;
  readonly rpc?: SpriteRpcOptions;
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
  host(name: string, rpc: SpriteRpcOptions = {}, costs: Costs = this.#options.costs ?? noCosts): Host {
    const host = new Host(this, name, this.hosts.length + 1, { ...this.#options.rpc, ...rpc }, costs);
    this.hosts.push(host);
    host.boot();
    return host;
  }

  /** A station without a kernel: for packets made by hand. */
  probe(name: string, number: number): LinkNic {
    return this.link.attach(this.engine.root.child(name), name, station(number), 0);
  }

  run(untilNs?: number): void {
    this.engine.run(untilNs);
  }

  /** Runs a task in the cluster's own scope, and the cluster until the task has ended. */
  drive<T>(body: () => Task<T>): T {
    let result: { readonly value: T } | null = null;
    const { engine } = this;
    engine.root.spawn(
      'driver',
      (function* (): Task<void> {
        result = { value: yield* body() };
        engine.stop();
      })(),
    );
    engine.run();
    if (result === null) throw new Error('the driver has not ended: everything waits');
    return (result as { readonly value: T }).value;
  }
}

interface Boot {
  readonly scope: Scope;
  readonly transport: Transport;
  readonly machine: Machine;
}

export class Host {
  readonly name: string;
  readonly id: HostId;
  readonly nic: LinkNic;
  readonly processor: OneProcessor;
  meters: Meters = new Meters();
  readonly #world: World;
  readonly #scope: Scope;
  readonly #rpc: SpriteRpcOptions;
  readonly #costs: Costs;
  #boot: Boot | null = null;
  #boots = 0;
  #bootId = 0;
  /** Called with the transport of each boot, before it starts: what a kernel's other boards do. */
  readonly setUps: ((transport: Transport, host: Host) => void)[] = [];

  constructor(world: World, name: string, number: number, rpc: SpriteRpcOptions, costs: Costs) {
    this.#world = world;
    this.name = name;
    this.id = hostId(number);
    this.#rpc = rpc;
    this.#costs = costs;
    this.#scope = world.engine.root.child(name);
    this.nic = world.link.attach(this.#scope, name, station(number), costs.transmitTurnaroundNs);
    this.processor = new OneProcessor(this.#scope, costs as MachineCosts); // boundary: reads no other
  }

  get transport(): Transport {
    return this.#running.transport;
  }

  get scope(): Scope {
    return this.#running.scope;
  }

  get machine(): Machine {
    return this.#running.machine;
  }

  get bootId(): number {
    return this.#bootId;
  }

  get #running(): Boot {
    if (this.#boot === null) throw new Error(`${this.name} is off`);
    return this.#boot;
  }

  /** Applies to this boot and to all later ones. */
  setUp(f: (transport: Transport, host: Host) => void): void {
    this.setUps.push(f);
    if (this.#boot !== null) f(this.#boot.transport, this);
  }

  spawn<T>(name: string, body: Task<T>): Thread<T> {
    return this.scope.spawn(name, body);
  }

  boot(): void {
    const { engine } = this.#world;
    this.#boots++;
    this.#bootId = Math.max(this.#bootId + 1, CLUSTER_EPOCH_SECONDS + Math.floor(engine.nowNs / 1e9));
    const scope = this.#scope.child(`boot${this.#boots}`);
    scope.executor = this.processor;
    this.meters = new Meters();
    const machine: Machine = {
      name: this.name,
      host: this.id,
      role: 'test',
      bootId: this.#bootId,
      scope,
      engine,
      metrics: this.meters,
      natives: natives(),
      random: (purpose) => engine.random(purpose, this.name),
      type: {
        name: 'test',
        description: 'costs as given',
        processors: 1,
        memoryBytes: 1 << 20,
        pageBytes: 4096,
        costs: this.#costs as MachineCosts, // boundary: a transport reads no other
        sources: {} as Machine['type']['sources'],
      },
    };
    const board = spriteRpc(this.#rpc);
    const granted = {
      nic: new Map([['eth0', this.nic]]),
      locator: new Directory(this.#world.link),
      processors: this.processor,
      internet: this.#rpc.carrier === 'internet' ? new Datagrams(this.nic) : undefined,
      wrapped: new Map(),
    };
    const transport = board.create(granted as never, machine); // boundary: what a chassis grants
    this.#boot = { scope, transport, machine };
    for (const f of this.setUps) f(transport, this);
    if (board.start !== undefined) scope.spawn('start', board.start(transport));
  }

  crash(): void {
    this.scope.crash();
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
      if (datagram?.protocol !== protocol || protocol !== IP_PROTOCOLS.spriteRpc) return;
      const from = internetHost(datagram.source) ?? hostId(0);
      const to = internetHost(datagram.destination) ?? hostId(0);
      const { payload } = datagram;
      handler({ from, to, payload, packets: 1, completingBytes: payload.length });
    });
  }
}
