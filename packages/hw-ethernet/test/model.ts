/**
 * A second, slow model of the same cable, for comparison: each station senses for itself. Every signal is followed to
 * every station, bit edge by bit edge, and each station runs the deference process of IEEE 802.3 clause 4.2.3.2 on what
 * it hears. There is no state of "the wire", and no argument about who must collide with whom.
 */
import type { RandomStream } from '@backplane/engine';

export interface Job {
  readonly station: number;
  readonly atNs: number;
  readonly wireNs: number;
}

export interface Outcome {
  readonly station: number;
  readonly startNs: number;
  readonly endNs: number;
  readonly delivered: boolean;
}

/** What happens first at equal times: who starts, or begins to want, has not heard what arrives at that very moment. */
const START = 0;
const OFF = 1;
const STOP = 2;
const RETRY = 3;
const JOB = 4;
const ON = 5;

interface Event {
  readonly atNs: number;
  readonly kind: number;
  readonly station: number;
  readonly signal: Signal | null;
}

interface Signal {
  readonly station: number;
  readonly startNs: number;
  stopNs: number;
  jammed: boolean;
}

class Sensing {
  readonly positionNs: number;
  readonly random: RandomStream;
  /** Signals heard now, the own one included. */
  hearing = 0;
  lastOffNs = -9_600;
  /** The oldest job is under way. */
  busy = false;
  /** It is to go out as soon as it may. */
  wants = false;
  starting = false;
  own: Signal | null = null;
  collisions = 0;
  jobs: Job[] = [];

  constructor(positionNs: number, random: RandomStream) {
    this.positionNs = positionNs;
    this.random = random;
  }
}

export function sensingModel(
  positionsNs: readonly number[],
  streams: readonly RandomStream[],
  jobs: readonly Job[],
): Outcome[] {
  const outcomes: Outcome[] = [];
  const events: Event[] = [];
  const stations = positionsNs.map((positionNs, i) => new Sensing(positionNs, streams[i] as RandomStream));
  const at = (i: number): Sensing => stations[i] as Sensing;

  const post = (atNs: number, kind: number, station: number, signal: Signal | null = null): void => {
    const event = { atNs, kind, station, signal };
    let i = events.length;
    while (i > 0 && before(event, events[i - 1] as Event)) i--;
    events.splice(i, 0, event);
  };

  for (const job of jobs) post(job.atNs, JOB, job.station);
  for (const job of jobs) at(job.station).jobs.push(job);

  /** The deference process: wait for silence, then for the gap, then start whatever is heard by then. */
  const consider = (station: number, nowNs: number): void => {
    const s = at(station);
    if (!s.wants || s.starting || s.own !== null || s.hearing > 0) return;
    s.starting = true;
    post(Math.max(nowNs, s.lastOffNs + 9_600), START, station);
  };
  const propagate = (kind: number, signal: Signal, atNs: number): void => {
    for (let i = 0; i < stations.length; i++) {
      const distanceNs = Math.abs(at(i).positionNs - at(signal.station).positionNs);
      if (i !== signal.station) post(atNs + distanceNs, kind, i, signal);
    }
  };
  /** A foreign bit while sending: finish the preamble, then 32 bits of jam. */
  const jam = (station: number, nowNs: number): void => {
    const { own } = at(station);
    if (own === null || own.jammed) return;
    own.jammed = true;
    own.stopNs = Math.max(nowNs, own.startNs + 6_400) + 3_200;
    post(own.stopNs, STOP, station, own);
  };
  const next = (s: Sensing, nowNs: number): void => {
    s.jobs.shift();
    s.collisions = 0;
    const job = s.jobs[0];
    s.busy = job !== undefined && job.atNs <= nowNs;
    s.wants = s.busy;
  };

  for (let event = events.shift(); event !== undefined; event = events.shift()) {
    const { atNs, kind, station, signal } = event;
    const s = at(station);
    if (kind === RETRY || (kind === JOB && !s.busy && s.jobs.length > 0)) {
      s.busy = true;
      s.wants = true;
      consider(station, atNs);
    } else if (kind === JOB) {
      // An older job is under way: this one waits in its station's queue.
    } else if (kind === START) {
      s.starting = false;
      const job = s.jobs[0] as Job;
      s.own = { station, startNs: atNs, stopNs: atNs + job.wireNs, jammed: false };
      s.wants = false;
      propagate(ON, s.own, atNs);
      post(s.own.stopNs, STOP, station, s.own);
      if (s.hearing > 0) jam(station, atNs);
    } else if (kind === ON) {
      s.hearing++;
      jam(station, atNs);
    } else if (kind === OFF) {
      s.hearing--;
      s.lastOffNs = Math.max(s.lastOffNs, atNs);
      if (s.hearing === 0) consider(station, atNs);
    } else if (signal !== null && signal === s.own && signal.stopNs === atNs) {
      s.own = null;
      s.lastOffNs = Math.max(s.lastOffNs, atNs);
      propagate(OFF, signal, atNs);
      const { startNs } = signal;
      if (!signal.jammed) {
        outcomes.push({ station, startNs, endNs: atNs, delivered: true });
        next(s, atNs);
      } else {
        s.collisions++;
        if (s.collisions === 16) {
          outcomes.push({ station, startNs, endNs: atNs, delivered: false });
          next(s, atNs);
        } else post(atNs + 51_200 * s.random.below(2 ** Math.min(10, s.collisions)), RETRY, station);
      }
      consider(station, atNs);
    }
  }
  return outcomes;
}

const before = (a: Event, b: Event): boolean => a.atNs < b.atNs || (a.atNs === b.atNs && a.kind < b.kind);
