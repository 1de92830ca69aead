/**
 * A run as a timeline for Perfetto: a process for each machine and one for the Ethernet; on a machine a track for its
 * power, one for each lane of calls to other kernels and of calls that it serves, for each disk and each program; and
 * counters of its processor, its cache and its disks, a tenth of a second apart.
 *
 * Only listens: a run with a timeline has the same events as without.
 */
import type { Cluster, ClusterMachine } from '@backplane/chassis';
import { CLUSTER_EPOCH_SECONDS, type EngineEvent, ms, type TraceEvent } from '@backplane/engine';
import type {} from '@backplane/hw-disk';
import type {} from '@backplane/hw-ethernet';
import { procedures } from '@backplane/rpc-sprite';
import { type Annotations, Lanes, PerfettoTrace, type TrackId } from '@backplane/trace';
import { ETHER_TYPES } from '@backplane/wire';
import type { CallingProcess, CallWatcher } from './watched-calls.ts';

const sampleNs = ms(100);

export class Timeline implements CallWatcher {
  #cluster: Cluster | null = null;
  readonly #machines = new Map<string, MachineTracks>();
  #network: NetworkTracks | null = null;
  #sampledNs = 0;

  /**
   * Before virtual time starts.
   *
   * @param write given the parts of the file, in order
   */
  attach(cluster: Cluster, write: (bytes: Uint8Array) => void): void {
    const trace = new PerfettoTrace(write, CLUSTER_EPOCH_SECONDS);
    this.#cluster = cluster;
    for (const m of cluster.machines) this.#machines.set(m.name, new MachineTracks(trace, m));
    this.#network = new NetworkTracks(trace);
    cluster.engine.trace.listen('*', (e) => this.#record(e));
    cluster.engine.watchEvents((e) => this.#before(e));
  }

  called(who: CallingProcess, call: string, given: readonly unknown[]): void {
    this.#machines.get(who.machine)?.called(who, this.#nowNs, call, given);
  }

  returned(who: CallingProcess, error: string | null): void {
    this.#machines.get(who.machine)?.returned(who, this.#nowNs, error);
  }

  /** Ends what is still under way. */
  close(): void {
    const atNs = this.#nowNs;
    this.#sample(atNs);
    for (const m of this.#machines.values()) m.close(atNs);
  }

  get #nowNs(): number {
    return this.#cluster?.engine.nowNs ?? 0;
  }

  /** Shown each event just before it happens. */
  #before(e: EngineEvent): void {
    const grid = Math.floor(e.timeNs / sampleNs) * sampleNs;
    if (grid === this.#sampledNs) return;
    this.#sample(this.#sampledNs + sampleNs);
    // What lies between was idle.
    if (grid > this.#sampledNs) this.#sample(grid);
  }

  #sample(atNs: number): void {
    if (atNs <= this.#sampledNs) return;
    for (const m of this.#machines.values()) m.sample(this.#sampledNs, atNs);
    this.#network?.sample(this.#sampledNs, atNs);
    this.#sampledNs = atNs;
  }

  #record(e: TraceEvent): void {
    const [owner = ''] = e.scope.path.split('/');
    const machine = this.#machines.get(owner);
    if (machine !== undefined) machine.record(e);
    else this.#network?.record(e);
  }
}

const procedureNames = new Map<number, string>(Object.entries(procedures).map(([name, id]) => [id, name]));
const procedureName = (id: number): string => procedureNames.get(id) ?? `procedure ${id}`;

/** Ids are counted by each client. */
const flowOf = (client: number, id: number): bigint => (BigInt(client) << 32n) | BigInt(id >>> 0);

const callOf = (client: number, id: number): string => `${client}.${id}`;

interface Counter {
  readonly track: TrackId;
  /** As it is, or how much more it is per second. */
  readonly kind: 'level' | 'rate';
  readonly metrics: RegExp;
  readonly scale: number;
  before: number;
  shown: number | null;
}

/** Counters of a machine, by the names of the metrics that they add up. */
const counters: readonly (readonly [string, Counter['kind'], RegExp, number, string])[] = [
  ['processor', 'rate', /^processor\.\w+\.busySeconds$/, 100, '%'],
  ['disk', 'rate', /^disk\.\w+\.busySeconds$/, 100, '%'],
  ['cached blocks', 'level', /^cache\.\w+\.blocks$/, 1, 'blocks'],
  ['dirty blocks', 'level', /^cache\.\w+\.dirtyBlocks$/, 1, 'blocks'],
  ['cache hits', 'rate', /^cache\.\w+\.readHits$/, 1, '1/s'],
  ['cache misses', 'rate', /^cache\.\w+\.readMisses$/, 1, '1/s'],
];

class MachineTracks {
  readonly #trace: PerfettoTrace;
  readonly #machine: ClusterMachine;
  readonly #process: TrackId;
  readonly #power: TrackId;
  readonly #threads = new Map<string, TrackId>();
  readonly #calls: Lanes<number>;
  readonly #served: Lanes<string>;
  /** Programs in the middle of a call. */
  readonly #inCall = new Set<TrackId>();
  readonly #counters: readonly Counter[];

  constructor(trace: PerfettoTrace, machine: ClusterMachine) {
    this.#trace = trace;
    this.#machine = machine;
    this.#process = trace.process(`${machine.name} (${machine.role}, ${machine.type.name})`);
    this.#power = trace.thread(this.#process, 'power');
    this.#calls = new Lanes((n) => trace.thread(this.#process, `calls to other kernels ${n + 1}`));
    this.#served = new Lanes((n) => trace.thread(this.#process, `calls served ${n + 1}`));
    this.#counters = counters.map(([name, kind, metrics, scale, unit]) => ({
      track: trace.counter(this.#process, name, { name: unit }),
      kind,
      metrics,
      scale,
      before: 0,
      shown: null,
    }));
    trace.begin(this.#power, 0, machine.state);
  }

  called(who: CallingProcess, atNs: number, call: string, given: readonly unknown[]): void {
    const track = this.#programTrack(who);
    this.#inCall.add(track);
    this.#trace.begin(track, atNs, call, { category: 'call', annotations: shown(given) });
  }

  returned(who: CallingProcess, atNs: number, error: string | null): void {
    const track = this.#programTrack(who);
    if (!this.#inCall.delete(track)) return;
    this.#trace.end(track, atNs, error === null ? {} : { annotations: { error } });
  }

  record(e: TraceEvent): void {
    const { timeNs } = e;
    switch (e.kind) {
      case 'machine.state': {
        const { state } = e.fields;
        // What went on when a machine lost its power ends there.
        if (state === 'off') this.#endAll(timeNs);
        this.#trace.end(this.#power, timeNs);
        this.#trace.begin(this.#power, timeNs, state);
        return;
      }
      case 'rpc.call': {
        const { to, procedure, id, sizeBytes, channel } = e.fields;
        this.#trace.begin(this.#calls.take(id), timeNs, procedureName(procedure), {
          category: 'rpc',
          annotations: { to, id, sizeBytes, channel },
          flow: flowOf(this.#machine.host, id),
        });
        return;
      }
      case 'rpc.done': {
        const track = this.#calls.release(e.fields.id);
        if (track !== undefined)
          this.#trace.end(track, timeNs, { annotations: { outcome: e.fields.outcome } });
        return;
      }
      case 'rpc.serve': {
        const { from, procedure, id } = e.fields;
        this.#trace.begin(this.#served.take(callOf(from, id)), timeNs, procedureName(procedure), {
          category: 'rpc',
          annotations: { from, id },
          flow: flowOf(from, id),
          flowEnds: true,
        });
        return;
      }
      case 'rpc.served': {
        const track = this.#served.release(callOf(e.fields.from, e.fields.id));
        if (track !== undefined)
          this.#trace.end(track, timeNs, { annotations: { outcome: e.fields.outcome } });
        return;
      }
      case 'disk.request': {
        const { disk, operation, sector, count, queuedNs, startNs, seekNs, rotationNs, fromBuffer, failed } =
          e.fields;
        this.#trace.slice(this.#thread(disk), startNs, timeNs, failed ? `${operation} failed` : operation, {
          category: 'disk',
          annotations: { sector, count, waitedNs: startNs - queuedNs, seekNs, rotationNs, fromBuffer },
        });
        return;
      }
      case 'disk.barrier':
      case 'disk.cut':
        this.#trace.instant(this.#thread(e.fields.disk), timeNs, e.kind, { annotations: flat(e.fields) });
        return;
      default:
        // Time-outs, peers that come and go, and what boards from outside tell.
        this.#trace.instant(this.#thread('events'), timeNs, e.kind, { annotations: flat(e.fields) });
    }
  }

  sample(fromNs: number, toNs: number): void {
    const metrics = Object.entries(this.#machine.metrics().toRecord());
    for (const c of this.#counters) {
      const now = metrics.reduce((sum, [name, n]) => (c.metrics.test(name) ? sum + n : sum), 0);
      const value = c.scale * (c.kind === 'level' ? now : ((now - c.before) * 1e9) / (toNs - fromNs));
      c.before = now;
      if (value === c.shown || (value === 0 && c.shown === null)) continue;
      c.shown = value;
      // A rate is that of the time before; a level is as it is now.
      this.#trace.count(c.track, c.kind === 'level' ? toNs : fromNs, value);
    }
  }

  close(atNs: number): void {
    this.#endAll(atNs);
    this.#trace.end(this.#power, atNs);
  }

  #endAll(atNs: number): void {
    for (const track of [...this.#calls.releaseAll(), ...this.#served.releaseAll(), ...this.#inCall])
      this.#trace.end(track, atNs);
    this.#inCall.clear();
  }

  /** A process identifier may come again after a crash. */
  #programTrack({ processId, program }: CallingProcess): TrackId {
    return this.#thread(`${program} (process ${processId}, boot ${this.#machine.boots})`);
  }

  #thread(name: string): TrackId {
    const known = this.#threads.get(name);
    if (known !== undefined) return known;
    const track = this.#trace.thread(this.#process, name);
    this.#threads.set(name, track);
    return track;
  }
}

const etherNames = new Map<number, string>(Object.entries(ETHER_TYPES).map(([name, type]) => [type, name]));

class NetworkTracks {
  readonly #trace: PerfettoTrace;
  readonly #wire: TrackId;
  readonly #events: TrackId;
  readonly #load: TrackId;
  readonly #rate: TrackId;
  #bytes = 0;
  #busyNs = 0;
  #shown = -1;

  constructor(trace: PerfettoTrace) {
    const process = trace.process('Ethernet');
    this.#trace = trace;
    this.#wire = trace.thread(process, 'wire');
    this.#events = trace.thread(process, 'collisions and faults');
    this.#load = trace.counter(process, 'load', { name: '%' });
    this.#rate = trace.counter(process, 'bytes per second', 'bytes');
  }

  record(e: TraceEvent): void {
    if (e.kind !== 'ethernet.frame') {
      this.#trace.instant(this.#events, e.timeNs, e.kind, { annotations: flat(e.fields) });
      return;
    }
    const { from, type, sizeBytes, startNs, collisions } = e.fields;
    this.#bytes += sizeBytes;
    this.#busyNs += e.timeNs - startNs;
    this.#trace.slice(this.#wire, startNs, e.timeNs, etherNames.get(type) ?? `type 0x${type.toString(16)}`, {
      category: 'frame',
      annotations: { from, to: String(e.fields.destination), sizeBytes, collisions },
    });
  }

  /** A frame counts where it ends. */
  sample(fromNs: number, toNs: number): void {
    const load = (100 * this.#busyNs) / (toNs - fromNs);
    const rate = (this.#bytes * 1e9) / (toNs - fromNs);
    this.#bytes = 0;
    this.#busyNs = 0;
    if (load === this.#shown) return;
    this.#shown = load;
    this.#trace.count(this.#load, fromNs, load);
    this.#trace.count(this.#rate, fromNs, rate);
  }
}

/** Fields of a record, those that are no plain values as text. */
const flat = (fields: object): Annotations =>
  Object.fromEntries(
    Object.entries(fields).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === 'number' || typeof value === 'boolean' ? value : String(value),
    ]),
  );

const textMax = 80;

/** What a call was given: paths and numbers; bytes by their count. */
function shown(given: readonly unknown[]): Annotations {
  const said = given.flatMap((x, i): [string, string | number][] => {
    if (typeof x === 'string') return [[i === 0 ? 'path' : `given${i + 1}`, x.slice(0, textMax)]];
    if (typeof x === 'number') return [[`given${i + 1}`, x]];
    return x instanceof Uint8Array ? [['bytes', x.length]] : [];
  });
  return Object.fromEntries(said);
}
