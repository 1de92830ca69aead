/**
 * Timelines in Perfetto's trace format: a stream of TracePackets in protobuf, with tracks declared by TrackDescriptors
 * and filled by TrackEvents (protos/perfetto/trace of the Perfetto project; the numbers below are its field numbers).
 *
 *   process   a machine            groups the tracks of its threads and counters
 *   thread    what can do one thing at a time: slices on it nest like calls
 *   counter   a number that changes
 *
 * Rules of use: a track is declared before anything happens on it, which its maker does. Of two slices that overlap on
 * one track, one must contain the other. A slice may be told when it is over; readers sort by time.
 * Everything is written as it comes: nothing is held back but one packet.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A track, by the number that the trace knows it by. */
export type TrackId = number;

/** What is shown with an event, by name. */
export type Annotations = Readonly<Record<string, string | number | boolean>>;

export interface EventDetails {
  readonly category?: string;
  readonly annotations?: Annotations;
  /** Events with the same flow, a number of the caller's own, are joined by arrows in order of time. */
  readonly flow?: bigint;
  /** The last event of its flow. */
  readonly flowEnds?: boolean;
}

export type CounterUnit = 'count' | 'bytes' | { readonly name: string };

const trace = { packet: 1 } as const;
const packet = { clockSnapshot: 6, timestamp: 8, sequence: 10, trackEvent: 11, trackDescriptor: 60 } as const;
const clockSnapshot = { clocks: 1 } as const;
const clock = { id: 1, timestamp: 2 } as const;
const trackDescriptor = { uuid: 1, name: 2, process: 3, thread: 4, parent: 5, counter: 8 } as const;
const processDescriptor = { pid: 1, name: 6 } as const;
const threadDescriptor = { pid: 1, tid: 2, name: 5 } as const;
const counterDescriptor = { unit: 3, unitName: 6 } as const;
const trackEvent = {
  annotations: 4,
  type: 9,
  track: 11,
  categories: 22,
  name: 23,
  doubleCounterValue: 44,
  flows: 47,
  endingFlows: 48,
} as const;
const annotation = { bool: 2, int: 4, double: 5, string: 6, name: 10 } as const;
const eventType = { begin: 1, end: 2, instant: 3, counter: 4 } as const;
const clocks = { realtime: 1, boottime: 6 } as const;
const units = { count: 2, bytes: 3 } as const;

/** All packets are one sequence; 0 is not allowed. */
const sequenceId = 1;

export class PerfettoTrace {
  readonly #write: (bytes: Uint8Array) => void;
  #tracks = 0;
  #processes = 0;
  #threads = 0;
  readonly #pids = new Map<TrackId, number>();

  /**
   * @param write given the parts of the file, in order
   * @param epochSeconds wall clock at virtual time 0
   */
  constructor(write: (bytes: Uint8Array) => void, epochSeconds: number) {
    this.#write = write;
    this.#packet(0, (to) =>
      message(to, packet.clockSnapshot, () => {
        message(to, clockSnapshot.clocks, () => {
          uint(to, clock.id, clocks.boottime);
          uint(to, clock.timestamp, 0);
        });
        message(to, clockSnapshot.clocks, () => {
          uint(to, clock.id, clocks.realtime);
          to.tag(clock.timestamp, WireType.Varint).uint64(BigInt(epochSeconds) * 1_000_000_000n);
        });
      }),
    );
  }

  process(name: string): TrackId {
    const pid = ++this.#processes;
    const track = this.#track(name, 0, (to) =>
      message(to, trackDescriptor.process, () => {
        uint(to, processDescriptor.pid, pid);
        text(to, processDescriptor.name, name);
      }),
    );
    this.#pids.set(track, pid);
    return track;
  }

  thread(process: TrackId, name: string): TrackId {
    const tid = ++this.#threads;
    return this.#track(name, 0, (to) =>
      message(to, trackDescriptor.thread, () => {
        uint(to, threadDescriptor.pid, this.#pids.get(process) ?? 0);
        // The numbers of threads start above those of processes: a thread whose number is its process's is its main one.
        uint(to, threadDescriptor.tid, 1000 + tid);
        text(to, threadDescriptor.name, name);
      }),
    );
  }

  counter(process: TrackId, name: string, unit: CounterUnit): TrackId {
    return this.#track(name, process, (to) =>
      message(to, trackDescriptor.counter, () => {
        if (typeof unit === 'string') uint(to, counterDescriptor.unit, units[unit]);
        else text(to, counterDescriptor.unitName, unit.name);
      }),
    );
  }

  begin(track: TrackId, timeNs: number, name: string, details: EventDetails = {}): void {
    this.#event(eventType.begin, track, timeNs, name, details);
  }

  /** Ends the innermost slice of the track that is under way. */
  end(track: TrackId, timeNs: number, details: EventDetails = {}): void {
    this.#event(eventType.end, track, timeNs, null, details);
  }

  /** A slice that is over. */
  slice(track: TrackId, startNs: number, endNs: number, name: string, details: EventDetails = {}): void {
    this.begin(track, startNs, name, details);
    this.end(track, endNs);
  }

  instant(track: TrackId, timeNs: number, name: string, details: EventDetails = {}): void {
    this.#event(eventType.instant, track, timeNs, name, details);
  }

  /** The counter has this value from now on. */
  count(track: TrackId, timeNs: number, value: number): void {
    this.#packet(timeNs, (to) =>
      message(to, packet.trackEvent, () => {
        uint(to, trackEvent.type, eventType.counter);
        uint(to, trackEvent.track, track);
        to.tag(trackEvent.doubleCounterValue, WireType.Bit64).double(value);
      }),
    );
  }

  #track(name: string, parent: TrackId, describe: (to: BinaryWriter) => void): TrackId {
    const uuid = ++this.#tracks;
    this.#packet(null, (to) =>
      message(to, packet.trackDescriptor, () => {
        uint(to, trackDescriptor.uuid, uuid);
        text(to, trackDescriptor.name, name);
        if (parent !== 0) uint(to, trackDescriptor.parent, parent);
        describe(to);
      }),
    );
    return uuid;
  }

  #event(type: number, track: TrackId, timeNs: number, name: string | null, d: EventDetails): void {
    this.#packet(timeNs, (to) =>
      message(to, packet.trackEvent, () => {
        uint(to, trackEvent.type, type);
        uint(to, trackEvent.track, track);
        if (d.category !== undefined) text(to, trackEvent.categories, d.category);
        if (name !== null) text(to, trackEvent.name, name);
        if (d.flow !== undefined)
          to.tag(d.flowEnds === true ? trackEvent.endingFlows : trackEvent.flows, WireType.Bit64).fixed64(
            d.flow,
          );
        for (const [key, value] of Object.entries(d.annotations ?? {})) annotate(to, key, value);
      }),
    );
  }

  #packet(timeNs: number | null, fill: (to: BinaryWriter) => void): void {
    const to = new BinaryWriter();
    message(to, trace.packet, () => {
      if (timeNs !== null) uint(to, packet.timestamp, timeNs);
      uint(to, packet.sequence, sequenceId);
      fill(to);
    });
    this.#write(to.finish());
  }
}

/** @param value a whole number, up to 2^53 - 1 */
const uint = (to: BinaryWriter, field: number, value: number): void =>
  void to.tag(field, WireType.Varint).uint64(value);

const text = (to: BinaryWriter, field: number, value: string): void =>
  void to.tag(field, WireType.LengthDelimited).string(value);

function message(to: BinaryWriter, field: number, fill: () => void): void {
  to.tag(field, WireType.LengthDelimited).fork();
  fill();
  to.join();
}

function annotate(to: BinaryWriter, name: string, value: string | number | boolean): void {
  message(to, trackEvent.annotations, () => {
    text(to, annotation.name, name);
    if (typeof value === 'string') text(to, annotation.string, value);
    else if (typeof value === 'boolean') to.tag(annotation.bool, WireType.Varint).bool(value);
    else if (Number.isSafeInteger(value)) to.tag(annotation.int, WireType.Varint).int64(value);
    else to.tag(annotation.double, WireType.Bit64).double(value);
  });
}
