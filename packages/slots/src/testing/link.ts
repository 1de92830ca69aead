/**
 * A link for tests: 10 Mb/s Ethernet timing for each sender, nobody in each other's way, and faults on request. It carries
 * real frames; an interface sends one at a time and then turns around.
 */
import { type Engine, type RandomStream, type Scope, Timer } from '@backplane/engine';
import { broadcastAddress, Frame, isGroupAddress, type StationAddress } from '../frame.ts';
import type { Nic } from '../network.ts';
import type { Undo } from '../vocabulary.ts';

/** What happens to one frame on its way to one station: lost, late by so much, or there so many times. */
type Fate = 'pass' | 'drop' | { readonly delaysNs: readonly number[] };
export type Judge = (frame: Frame, from: string, to: string) => Fate;

export interface Carried {
  readonly atNs: number;
  readonly from: string;
  readonly frame: Frame;
}

const nsPerByte = 800;
const gapNs = 9_600;

/** First bit to last: preamble, header, at least 46 bytes of payload, frame check sequence. */
const wireNs = (payloadBytes: number): number => nsPerByte * (8 + Math.max(64, 14 + payloadBytes + 4));

export class Link {
  readonly engine: Engine;
  readonly nics: LinkNic[] = [];
  readonly carried: Carried[] = [];
  /** Whether `carried` is kept. */
  records = true;
  judge: Judge = () => 'pass';

  constructor(engine: Engine) {
    this.engine = engine;
  }

  attach(scope: Scope, name: string, address: StationAddress, turnaroundNs: number): LinkNic {
    const nic = new LinkNic(this, scope, name, address, turnaroundNs);
    this.nics.push(nic);
    return nic;
  }

  /** Frames between two stations are lost, both ways. */
  cut(a: string, b: string): void {
    this.judge = (_frame, from, to) =>
      (from === a && to === b) || (from === b && to === a) ? 'drop' : 'pass';
  }

  mend(): void {
    this.judge = () => 'pass';
  }

  carry(frame: Frame, from: LinkNic): void {
    if (this.records) this.carried.push({ atNs: this.engine.nowNs, from: from.name, frame });
    const { destination } = frame;
    for (const to of this.nics) if (to !== from && to.hears(destination)) this.#bring(frame, from, to);
  }

  #bring(frame: Frame, from: LinkNic, to: LinkNic): void {
    const fate = this.judge(frame, from.name, to.name);
    if (fate === 'drop') return;
    if (fate === 'pass') {
      to.arrive(frame);
      return;
    }
    for (const delayNs of fate.delaysNs) {
      new Timer(this.engine.root, 'late frame', () => to.arrive(frame)).set(delayNs);
    }
  }
}

/** Loses, repeats and delays frames at random; a delay is what reorders them. */
export function faulty(
  random: RandomStream,
  o: { readonly loss: number; readonly copies: number; readonly late: number; readonly lateNs: number },
): Judge {
  return () => {
    if (random.chance(o.loss)) return 'drop';
    const times = random.chance(o.copies) ? 2 : 1;
    const delaysNs = Array.from({ length: times }, () =>
      random.chance(o.late) ? random.below(o.lateNs) : 0,
    );
    return { delaysNs };
  };
}

export class LinkNic implements Nic {
  readonly name: string;
  readonly address: StationAddress;
  readonly mtuBytes = 1500;
  /** A test may say so. */
  givenUp = 0;
  readonly #link: Link;
  readonly #turnaroundNs: number;
  readonly #timer: Timer;
  readonly #queue: Frame[] = [];
  #underWay: Frame | null = null;
  #turning = false;
  #drained: (() => void)[] = [];
  readonly #handlers = new Map<number, (frame: Frame) => void>();
  readonly #groups = new Map<StationAddress, number>();

  constructor(link: Link, scope: Scope, name: string, address: StationAddress, turnaroundNs: number) {
    this.#link = link;
    this.name = name;
    this.address = address;
    this.#turnaroundNs = turnaroundNs;
    this.#timer = new Timer(scope, 'nic', () => this.#next());
  }

  get queued(): number {
    return this.#queue.length + (this.#underWay === null ? 0 : 1);
  }

  send(frame: Frame): void {
    this.#queue.push(frame);
    if (this.#underWay === null && !this.#turning) this.#start();
  }

  whenDrained(f: () => void): void {
    if (this.queued === 0) f();
    else this.#drained.push(f);
  }

  receive(type: number, handler: (frame: Frame) => void): Undo {
    this.#handlers.set(type, handler);
    return () => void this.#handlers.delete(type);
  }

  /** Counted. */
  join(group: StationAddress): Undo {
    this.#groups.set(group, (this.#groups.get(group) ?? 0) + 1);
    let joined = true;
    return () => {
      if (joined) this.#groups.set(group, (this.#groups.get(group) ?? 0) - 1);
      joined = false;
    };
  }

  hears(destination: StationAddress): boolean {
    if (destination === broadcastAddress || destination === this.address) return true;
    return isGroupAddress(destination) && (this.#groups.get(destination) ?? 0) > 0;
  }

  arrive(frame: Frame): void {
    this.#handlers.get(frame.type)?.(frame);
  }

  /** Power off. */
  reset(): void {
    this.#timer.cancel();
    this.#queue.length = 0;
    this.#underWay = null;
    this.#turning = false;
    this.#drained = [];
    this.#handlers.clear();
    this.#groups.clear();
  }

  #start(): void {
    const frame = this.#queue.shift();
    if (frame === undefined) return;
    this.#underWay = frame;
    this.#timer.set(wireNs(frame.lengthBytes));
  }

  #next(): void {
    const frame = this.#underWay;
    if (frame === null) {
      this.#turning = false;
      this.#start();
      return;
    }
    this.#underWay = null;
    this.#turning = true;
    this.#timer.set(gapNs + this.#turnaroundNs);
    this.#link.carry(frame, this);
    if (this.queued > 0) return;
    const drained = this.#drained;
    this.#drained = [];
    for (const f of drained) f();
  }
}

/** A frame as somebody else would have made it. */
export const forged = (from: LinkNic, to: StationAddress, type: number, payload: Uint8Array): Frame =>
  new Frame(to, from.address, type, [payload]);
