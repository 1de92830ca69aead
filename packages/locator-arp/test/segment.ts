/** A segment for tests: interfaces that hear each other after a fixed time, unless a frame is lost. */
import { CLUSTER_EPOCH_SECONDS, Engine, type Scope, type Task, Timer } from '@backplane/engine';
import {
  broadcastAddress,
  type Frame,
  hostId,
  type Locator,
  type Machine,
  type MachineCosts,
  type Nic,
  natives,
  type Processors,
} from '@backplane/slots';
import { type ArpLocatorOptions, arpLocator } from '../src/index.ts';

const latencyNs = 100_000;
export const station = (host: number): number => 0x020000000000 + host;

export class Segment {
  readonly engine: Engine = new Engine();
  readonly carried: { readonly atNs: number; readonly frame: Frame }[] = [];
  loses: (frame: Frame) => boolean = () => false;
  readonly #interfaces: SegmentNic[] = [];

  attach(address: number): SegmentNic {
    const nic = new SegmentNic(this, address);
    this.#interfaces.push(nic);
    return nic;
  }

  detach(nic: SegmentNic): void {
    this.#interfaces.splice(this.#interfaces.indexOf(nic), 1);
  }

  carry(frame: Frame, from: SegmentNic): void {
    this.carried.push({ atNs: this.engine.nowNs, frame });
    if (this.loses(frame)) return;
    for (const nic of this.#interfaces) {
      if (nic === from || (frame.destination !== broadcastAddress && frame.destination !== nic.address))
        continue;
      new Timer(this.engine.root, 'frame', () => nic.arrive(frame)).set(latencyNs);
    }
  }

  /** Runs a task to its end. */
  drive<T>(task: Task<T>): T {
    const thread = this.engine.root.spawn('driver', task);
    const results: T[] = [];
    this.engine.root.spawn(
      'join',
      (function* (): Task<void> {
        results.push(yield* thread.join());
      })(),
    );
    this.engine.run();
    if (results.length === 0) throw new Error('the task has not ended');
    return results[0] as T;
  }

  host(
    number: number,
    o: {
      readonly options?: ArpLocatorOptions;
      readonly costs?: Partial<MachineCosts>;
      readonly interfaces?: string[];
    } = {},
  ): Host {
    const nic = this.attach(station(number));
    const machine = machineOf(this.engine, number, o.costs ?? {});
    const granted = {
      nic: new Map((o.interfaces ?? ['eth0']).map((name) => [name, nic])),
      processors: interruptsOf(machine.scope),
      wrapped: new Map(),
    };
    const locator = arpLocator(o.options).create(granted as never, machine); // boundary: what a chassis grants
    return { nic, machine, locator };
  }
}

export interface Host {
  readonly nic: SegmentNic;
  readonly machine: Machine & { readonly read: (meter: string) => number };
  readonly locator: Locator;
}

export class SegmentNic implements Nic {
  readonly address: number;
  readonly mtuBytes = 1500;
  readonly queued = 0;
  readonly givenUp = 0;
  readonly #segment: Segment;
  #handler: (type: number, frame: Frame) => void = () => {};

  constructor(segment: Segment, address: number) {
    this.#segment = segment;
    this.address = address;
  }

  send(frame: Frame): void {
    this.#segment.carry(frame, this);
  }

  whenDrained(f: () => void): void {
    f();
  }

  receive(type: number, handler: (frame: Frame) => void): () => void {
    this.#handler = (t, frame) => {
      if (t === type) handler(frame);
    };
    return () => {
      this.#handler = () => {};
    };
  }

  join(): () => void {
    return () => {};
  }

  arrive(frame: Frame): void {
    this.#handler(frame.type, frame);
  }
}

/** Interrupts one after the other; nothing else runs here. */
function interruptsOf(scope: Scope): Pick<Processors, 'interrupt'> {
  let freeNs = 0;
  return {
    interrupt(ns, _category, done) {
      if (ns === 0) return done();
      freeNs = Math.max(freeNs, scope.engine.nowNs) + ns;
      new Timer(scope, 'interrupt', done).setAt(freeNs);
    },
  };
}

function machineOf(engine: Engine, number: number, costs: Partial<MachineCosts>): Host['machine'] {
  const meters = new Map<string, () => number>();
  return {
    name: `host${number}`,
    host: hostId(number),
    role: 'test',
    bootId: CLUSTER_EPOCH_SECONDS,
    scope: engine.root.child(`host${number}`),
    engine,
    metrics: {
      register(name, read) {
        meters.set(name, read);
        return () => {};
      },
    },
    read: (meter) => meters.get(meter)?.() ?? Number.NaN,
    natives: natives(),
    random: (purpose) => engine.random(purpose, `host${number}`),
    type: {
      name: 'test',
      description: 'costs as given',
      processors: 1,
      memoryBytes: 1 << 20,
      pageBytes: 4096,
      costs: { packetSendNs: 0, packetReceiveNs: 0, ...costs } as MachineCosts, // boundary: reads no other
      sources: {} as Machine['type']['sources'],
    },
  };
}
