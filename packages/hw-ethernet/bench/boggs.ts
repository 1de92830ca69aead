/**
 * What can one Ethernet carry, and is it fair? Saturated hosts, as in D. R. Boggs, J. C. Mogul and C. A. Kent,
 * "Measured Capacity of an Ethernet: Myths and Reality", SIGCOMM 1988 (DEC WRL report 88/4).
 *
 * As there: up to 24 hosts in four clusters along the cable; packets of 64 to 4000 bytes (beyond 1518 it is no longer
 * Ethernet), or short and long ones mixed; each host hands over its next packet when its driver has dealt with the end
 * of the last; and the bits counted are all that a packet takes from the wire, its preamble and gap included. How far
 * the clusters are apart and how long the driver takes are not from the paper's own text: see README.md.
 */
import { Engine, type RandomStream, Timer } from '@backplane/engine';
import { type Attachment, Frame, type Medium, type Metrics } from '@backplane/slots';
import { ETHERNET, hostMac } from '@backplane/wire';
import { ethernet, gapNs, wireNs } from '../src/index.ts';

/** What the hosts send: packets of one size, or of two. */
export interface BoggsLoad {
  /** Header and frame check sequence included. */
  readonly shortBytes: number;
  readonly longBytes: number;
  /** Long ones among eight, on average; drawn packet by packet. */
  readonly longInEight: number;
}

export interface BoggsOptions {
  readonly loads?: readonly BoggsLoad[];
  readonly hosts?: readonly number[];
  /** Measured virtual time; it starts after a tenth of it. */
  readonly seconds?: number;
  /** From the end of a packet until its host hands over the next. */
  readonly pauseNs?: number;
  readonly seed?: number;
}

export interface BoggsRow {
  readonly load: BoggsLoad;
  readonly hosts: number;
  /** All hosts together, preambles and gaps included: 10 is a wire that never rests. */
  readonly megabitsPerSecond: number;
  readonly packetsPerSecond: number;
  /** Among the hosts, in percent of their mean. */
  readonly deviationPercent: number;
  /** Jain's index: 1 when all hosts have the same, 1 / hosts when one has all. */
  readonly jain: number;
  /** From one packet of a host that gets through to its next. */
  readonly intervalMs: number;
  /** What of it hosts would save that took strict turns without a collision; below 0 only by the window's edges. */
  readonly excessMs: number;
  readonly collisionsPerPacket: number;
  readonly givenUp: number;
}

export const ofOneSize = (bytes: number): BoggsLoad => ({
  shortBytes: bytes,
  longBytes: bytes,
  longInEight: 0,
});
export const ofTwoSizes = (longInEight: number): BoggsLoad => ({
  shortBytes: 64,
  longBytes: 1536,
  longInEight,
});

const sizes = [64, 128, 256, 512, 768, 1024, 1536, 2048, 3072, 4000];
const everyLoad = [...sizes.map(ofOneSize), ...[1, 2, 4, 6, 7].map(ofTwoSizes)];
const everyCount = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 21, 24];

export function boggs(o: BoggsOptions = {}): BoggsRow[] {
  const { loads = everyLoad, hosts = everyCount, seconds = 2, pauseNs = 100_000, seed = 1 } = o;
  return loads.flatMap((load) => hosts.map((n) => new Experiment(load, n, pauseNs, seed).run(seconds)));
}

export function boggsTable(rows: readonly BoggsRow[]): string {
  const columns: readonly [title: string, width: number, cell: (r: BoggsRow) => string][] = [
    ['bytes', 8, ({ load }) => loadWords(load)],
    ['hosts', 6, (r) => String(r.hosts)],
    ['Mbit/s', 8, (r) => r.megabitsPerSecond.toFixed(2)],
    ['packets/s', 11, (r) => r.packetsPerSecond.toFixed(0)],
    ['deviation %', 13, (r) => r.deviationPercent.toFixed(1)],
    ['Jain', 7, (r) => r.jain.toFixed(3)],
    ['interval ms', 13, (r) => r.intervalMs.toFixed(2)],
    ['excess ms', 11, (r) => Math.max(0, r.excessMs).toFixed(2)],
    ['collisions/packet', 19, (r) => r.collisionsPerPacket.toFixed(2)],
    ['given up', 10, (r) => String(r.givenUp)],
  ];
  const head = columns.map(([title, width]) => title.padStart(width)).join('');
  const lines = rows.map((r) => columns.map(([, width, cell]) => cell(r).padStart(width)).join(''));
  return [head, ...lines].join('\n');
}

/** As the paper labels its mixtures: "6/2" are six short ones for two long ones. */
const loadWords = ({ shortBytes, longInEight }: BoggsLoad): string =>
  longInEight === 0 ? String(shortBytes) : `${8 - longInEight}/${longInEight}`;

/** 1000 feet from one cluster to the next, 25 from host to host within it. */
const clusterMeters = 304.8;
const withinMeters = 7.62;

class Experiment {
  readonly #engine: Engine;
  readonly #load: BoggsLoad;
  readonly #hosts: SaturatedHost[];
  readonly #pauseNs: number;
  readonly #meters = new Map<string, () => number>();

  constructor(load: BoggsLoad, hosts: number, pauseNs: number, seed: number) {
    const engine = new Engine({ seed });
    this.#engine = engine;
    this.#load = load;
    this.#pauseNs = pauseNs;
    const names = Array.from({ length: hosts }, (_, i) => `host${i}`);
    const meters = names.map((_, i) => clusterMeters * (i % 4) + withinMeters * Math.floor(i / 4));
    const positions = Object.fromEntries(names.map((name, i) => [name, meters[i] ?? 0]));
    const board = ethernet({ mtuBytes: 8192, lengthMeters: 1000, positions });
    const metrics: Metrics = {
      register: (name, read) => {
        this.#meters.set(name, read);
        return () => this.#meters.delete(name);
      },
    };
    const random = (purpose: string): RandomStream => engine.random(purpose, 'cluster');
    // The medium needs no other board.
    const medium = board.create({} as never, {
      name: 'cluster',
      engine,
      scope: engine.root,
      metrics,
      random,
    });
    this.#hosts = names.map((name, i) => new SaturatedHost(engine, medium, name, i + 1, load, pauseNs));
  }

  run(seconds: number): BoggsRow {
    const engine = this.#engine;
    const spanNs = Math.round(seconds * 1e9);
    engine.run(Math.round(spanNs / 10));
    for (const host of this.#hosts) host.forget();
    const collisions = this.#read('network.collisions');
    const givenUp = this.#read('network.giveUps');
    engine.run(engine.nowNs + spanNs);
    return this.#row(
      spanNs,
      this.#read('network.collisions') - collisions,
      this.#read('network.giveUps') - givenUp,
    );
  }

  #row(spanNs: number, collisions: number, givenUp: number): BoggsRow {
    const hosts = this.#hosts.length;
    const wire = this.#hosts.map((host) => host.wireNs);
    const wireTotalNs = wire.reduce((sum, ns) => sum + ns, 0);
    const squares = wire.reduce((sum, ns) => sum + ns * ns, 0);
    const mean = wireTotalNs / hosts;
    const packets = this.#hosts.reduce((sum, host) => sum + host.packets, 0);
    const intervalNs = (hosts * spanNs) / packets;
    const turnNs = wireTotalNs / packets;
    // A host alone has its own pause to wait for, and no gap.
    const idealNs = Math.max(hosts * turnNs, turnNs - gapNs + this.#pauseNs);
    return {
      load: this.#load,
      hosts,
      megabitsPerSecond: (wireTotalNs / spanNs) * 10,
      packetsPerSecond: (packets * 1e9) / spanNs,
      deviationPercent: (100 * Math.sqrt(Math.max(0, squares / hosts - mean * mean))) / mean,
      jain: (wireTotalNs * wireTotalNs) / (hosts * squares),
      intervalMs: intervalNs / 1e6,
      excessMs: (intervalNs - idealNs) / 1e6,
      collisionsPerPacket: collisions / packets,
      givenUp,
    };
  }

  #read(name: string): number {
    return this.#meters.get(name)?.() ?? 0;
  }
}

class SaturatedHost {
  packets = 0;
  /** Of its packets that got through, gaps included. */
  wireNs = 0;
  readonly #attachment: Attachment;
  readonly #short: Frame;
  readonly #long: Frame;
  readonly #longInEight: number;
  readonly #draw: RandomStream;
  readonly #next: Timer;
  readonly #pauseNs: number;
  #frame: Frame;

  constructor(engine: Engine, medium: Medium, name: string, host: number, load: BoggsLoad, pauseNs: number) {
    this.#pauseNs = pauseNs;
    this.#longInEight = load.longInEight;
    const address = hostMac(host);
    this.#attachment = medium.attach({ name, address, accepts: () => false, deliver: () => {} });
    const overheadBytes = ETHERNET.headerBytes + ETHERNET.fcsBytes;
    // To nobody: what matters is the wire.
    const packet = (bytes: number): Frame =>
      new Frame(hostMac(0), address, 0x9000, [new Uint8Array(bytes - overheadBytes)]);
    this.#short = packet(load.shortBytes);
    this.#long = packet(load.longBytes);
    this.#frame = this.#short;
    this.#draw = engine.random('boggs.load', name);
    this.#next = new Timer(engine.root, name, () => this.#send());
    this.#next.set(this.#draw.below(1_000_000));
  }

  forget(): void {
    this.packets = 0;
    this.wireNs = 0;
  }

  #send(): void {
    const long = this.#longInEight > 0 && this.#draw.below(8) < this.#longInEight;
    this.#frame = long ? this.#long : this.#short;
    this.#attachment.send(this.#frame, this.#sent);
  }

  readonly #sent = (delivered: boolean): void => {
    if (delivered) {
      this.packets++;
      this.wireNs += wireNs(this.#frame.lengthBytes) + gapNs;
    }
    if (this.#pauseNs > 0) this.#next.set(this.#pauseNs);
    else this.#send();
  };
}
