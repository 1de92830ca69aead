/** A small cluster: an engine, one segment, stations that note what they get, and machines with an interface. */
import { Engine, type Scope } from '@backplane/engine';
import {
  type Attachment,
  type Board,
  broadcastAddress,
  Frame,
  hostId,
  type Machine,
  type MachineCosts,
  type Medium,
  type Metrics,
  type Nic,
  natives,
  type Place,
} from '@backplane/slots';
import { hostMac } from '@backplane/wire';
import { type EthernetOptions, ethernet, ethernetInterface } from '../src/index.ts';

export class Meters implements Metrics {
  readonly #readers = new Map<string, (() => number)[]>();

  register(name: string, read: () => number): () => void {
    const readers = this.#readers.get(name) ?? [];
    readers.push(read);
    this.#readers.set(name, readers);
    return () => {
      readers.splice(readers.indexOf(read), 1);
    };
  }

  /** The sum over all that registered the name. */
  read(name: string): number {
    const readers = this.#readers.get(name);
    if (readers === undefined) throw new Error(`no meter ${name}`);
    return readers.reduce((sum, read) => sum + read(), 0);
  }
}

/** One station without an interface: what is handed to it goes out at once, and what arrives is noted. */
export class Probe {
  readonly name: string;
  readonly address: number;
  readonly attachment: Attachment;
  readonly arrivals: { readonly frame: Frame; readonly atNs: number }[] = [];
  readonly sent: { readonly delivered: boolean; readonly atNs: number }[] = [];
  readonly groups: Set<number> = new Set();
  /** Called after each frame is off. */
  afterSent: (() => void) | null = null;
  readonly #engine: Engine;

  constructor(engine: Engine, medium: Medium, name: string, host: number) {
    this.#engine = engine;
    this.name = name;
    this.address = hostMac(host);
    this.attachment = medium.attach({
      name,
      address: this.address,
      accepts: (group) => this.groups.has(group),
      deliver: (frame) => this.arrivals.push({ frame, atNs: engine.nowNs }),
    });
  }

  send(to: number | Probe, payloadBytes: number, type = 0x0500): Frame {
    const destination = typeof to === 'number' ? to : to.address;
    const frame = new Frame(destination, this.address, type, [new Uint8Array(payloadBytes)]);
    this.attachment.send(frame, (delivered) => {
      this.sent.push({ delivered, atNs: this.#engine.nowNs });
      this.afterSent?.();
    });
    return frame;
  }

  /** Sends frames for ever, each as soon as the last one is off. */
  saturate(to: number | Probe, payloadBytes: number): void {
    this.afterSent = () => this.send(to, payloadBytes);
    this.send(to, payloadBytes);
  }
}

export interface Host {
  readonly name: string;
  readonly machine: Machine;
  readonly nic: Nic;
  /** Power off: what the chassis does to a machine board at a crash. */
  crash(): void;
}

export class World {
  readonly engine: Engine;
  readonly meters: Meters = new Meters();
  readonly medium: Medium;
  readonly probes: Probe[] = [];
  readonly hosts: Host[] = [];

  constructor(options: EthernetOptions = {}, seed = 1) {
    this.engine = new Engine({ seed });
    const board = ethernet(options);
    this.medium = made(
      board,
      {},
      place('cluster', this.engine, this.engine.root.child('cluster'), this.meters),
    );
  }

  probe(name = `p${this.probes.length}`): Probe {
    const probe = new Probe(this.engine, this.medium, name, 100 + this.probes.length);
    this.probes.push(probe);
    return probe;
  }

  host(name: string, turnaroundNs = 0): Host {
    const number = this.hosts.length + 1;
    const machine: Machine = {
      ...place(name, this.engine, this.engine.root.child(name), this.meters),
      host: hostId(number),
      role: 'client',
      bootId: 1,
      natives: natives(),
      type: {
        name: 'test',
        description: 'a machine whose only cost is the turnaround of its interface',
        processors: 1,
        memoryBytes: 1 << 20,
        pageBytes: 4096,
        costs: { transmitTurnaroundNs: turnaroundNs } as MachineCosts, // boundary: the interface reads no other
        sources: {} as Machine['type']['sources'],
      },
    };
    const nic = interfaceOf(machine, this.medium);
    const host = { name, machine, nic, crash: () => ethernetInterface().reset?.(nic) };
    this.hosts.push(host);
    return host;
  }

  run(untilNs?: number): void {
    this.engine.run(untilNs);
  }
}

function place(name: string, engine: Engine, scope: Scope, metrics: Metrics): Place {
  return { name, engine, scope, metrics, random: (purpose) => engine.random(purpose, name) };
}

/** What the chassis does: the granted slots were checked at composition, so their type is taken on trust. */
function made<S extends 'medium' | 'nic'>(
  board: Board<S>,
  granted: object,
  where: Parameters<Board<S>['create']>[1],
) {
  return board.create(granted as never, where);
}

export const interfaceOf = (machine: Machine, medium: Medium, unit = 0): Nic =>
  made(ethernetInterface({ unit }), { medium }, machine);

export const frameTo = (nic: Nic, from: Nic, payload: Uint8Array, type = 0x0500): Frame =>
  new Frame(nic.address, from.address, type, [payload]);

export const everybody: number = broadcastAddress;
/** A group address: the lowest bit of the first octet is set. */
export const someGroup = 0x01005e000001;
