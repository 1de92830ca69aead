/** A link for tests: frames arrive a while after they were sent, are kept for looking at, and lost or delayed on request. */
import { Engine, sleep, type Task, Timer } from '@backplane/engine';
import {
  broadcastAddress,
  type Frame,
  type HostId,
  hostId,
  type Internet,
  KernelError,
  type Locator,
  type MachineCosts,
  type Nic,
  type Processors,
} from '@backplane/slots';
import { type TestMachine, testMachine } from '@backplane/slots/testing';
import { type InternetOptions, ip } from '../src/index.ts';

export const station = (host: number): number => 0x02_00_00_00_00_00 + host;
const wireNs = 1_000_000;

export class Link {
  readonly engine: Engine;
  readonly frames: Frame[] = [];
  readonly hosts: Host[] = [];
  /** How much later than usual the n-th frame arrives, each time that it does; nothing: it is lost. */
  fate: (n: number) => readonly number[] = () => [0];

  constructor(seed = 1) {
    this.engine = new Engine({ seed });
  }

  host(options: InternetOptions = {}, costs: Partial<MachineCosts> = {}): Host {
    const host = new Host(this, this.hosts.length + 1, options, costs);
    this.hosts.push(host);
    return host;
  }

  carry(frame: Frame): void {
    const delays = this.fate(this.frames.length);
    this.frames.push(frame);
    for (const host of this.hosts)
      if (frame.source !== host.nic.address && accepts(host, frame))
        for (const delayNs of delays)
          new Timer(this.engine.root, 'frame', () => host.nic.arrive(frame)).set(wireNs + delayNs);
  }

  /** Runs a task on a host, and everything that it causes. */
  run(host: Host, body: Task<void>): void {
    host.machine.scope.spawn('test', body);
    this.engine.run(this.engine.nowNs + 1e9);
  }
}

const accepts = (host: Host, frame: Frame): boolean =>
  frame.destination === broadcastAddress || frame.destination === host.nic.address;

class LinkNic implements Nic {
  readonly address: number;
  readonly mtuBytes = 1500;
  readonly queued = 0;
  readonly givenUp = 0;
  readonly #link: Link;
  readonly #handlers = new Map<number, (frame: Frame) => void>();

  constructor(link: Link, address: number) {
    this.#link = link;
    this.address = address;
  }

  send(frame: Frame): void {
    this.#link.carry(frame);
  }

  whenDrained(f: () => void): void {
    f();
  }

  receive(type: number, handler: (frame: Frame) => void): () => void {
    this.#handlers.set(type, handler);
    return () => void this.#handlers.delete(type);
  }

  join(): () => void {
    return () => {};
  }

  arrive(frame: Frame): void {
    this.#handlers.get(frame.type)?.(frame);
  }
}

export class Host {
  readonly id: HostId;
  readonly nic: LinkNic;
  readonly machine: TestMachine;
  readonly internet: Internet;
  /** Nanoseconds of interrupts taken. */
  interruptedNs = 0;
  /** What frames have shown of their senders. */
  readonly learned: [number, number][] = [];

  constructor(link: Link, number: number, options: InternetOptions, costs: Partial<MachineCosts>) {
    this.id = hostId(number);
    this.nic = new LinkNic(link, station(number));
    this.machine = testMachine({ engine: link.engine, name: `host${number}`, host: number, costs });
    const granted = {
      nic: new Map([['eth0', this.nic]]),
      locator: this.#locator(link),
      processors: this.#processors(),
      wrapped: new Map(),
    };
    this.internet = ip(options).create(granted as never, this.machine); // boundary: what a chassis grants
  }

  metric(name: string): number {
    return this.machine.metric(`ip.${name}`) ?? Number.NaN;
  }

  /** Knows nobody at first; asks for a while, and finds who is on the link. */
  #locator(link: Link): Locator {
    const known = new Map<HostId, number>();
    return {
      known: (host) => known.get(host),
      *locate(host) {
        yield* sleep(1_000_000);
        if (!link.hosts.some((h) => h.id === host)) throw new KernelError('peerDown');
        known.set(host, station(host));
        return station(host);
      },
      learn: (host, at) => void this.learned.push([host, at]),
      forget: (host) => void known.delete(host),
    };
  }

  #processors(): Processors {
    return {
      count: 1,
      interrupt: (ns, _category, done) => {
        this.interruptedNs += ns;
        done();
      },
      run: (_processor, _ns, _category, done) => done(),
      preempt: () => 0,
      idle: () => true,
      busyNs: () => this.interruptedNs,
    };
  }
}
