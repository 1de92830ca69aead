/**
 * The slot `internet` for tests: a switch that brings datagrams to hosts after a while, and loses, repeats or delays them
 * on request. A datagram of several fragments arrives as a whole, as the contract has it.
 */
import { type Engine, type RandomStream, type Task, Timer } from '@backplane/engine';
import { type Datagram, Frame, type HostId, hostId, type Internet, type Undo } from '@backplane/slots';
import { fragmentCount } from '@backplane/wire';

export interface Carried {
  readonly atNs: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

/** When a datagram arrives at one host: after each of these delays. */
export type Judge = (from: number, to: number) => readonly number[];
export const passNs = 100_000;
const unfragmentedBytes = 1480;
const pass: Judge = () => [passNs];

type Handler = (datagram: Datagram) => void;

export class Switch {
  readonly engine: Engine;
  readonly carried: Carried[] = [];
  /** Whether `carried` is kept. */
  records = true;
  judge: Judge = pass;
  readonly #handlers = new Map<number, Handler>();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Datagrams between two hosts are lost, both ways. */
  cut(a: number, b: number): void {
    this.judge = (from, to) => ((from === a && to === b) || (from === b && to === a) ? [] : [passNs]);
  }

  mend(): void {
    this.judge = pass;
  }

  /** Brings a datagram, as if `from` had sent it. */
  carry(from: number, to: number, bytes: Uint8Array): void {
    if (this.records) this.carried.push({ atNs: this.engine.nowNs, from, to, bytes });
    const all = [...this.#handlers.keys()].filter((host) => host !== from);
    for (const host of to === 0 ? all : [to])
      for (const delayNs of this.judge(from, host))
        new Timer(this.engine.root, 'datagram', () => this.#bring(host, from, to, bytes)).set(delayNs);
  }

  /** Power off: nobody takes what comes. */
  detach(host: number): void {
    this.#handlers.delete(host);
  }

  internet(self: number): Internet {
    const carry = this.carry.bind(this);
    const handlers = this.#handlers;
    return {
      unfragmentedBytes,
      *send(_protocol: number, to: HostId, parts: readonly Uint8Array[]): Task<void> {
        carry(self, to, new Frame(0, 0, 0, parts).payload());
      },
      receive(_protocol: number, handler: Handler): Undo {
        handlers.set(self, handler);
        return () => void handlers.delete(self);
      },
    };
  }

  #bring(at: number, from: number, to: number, payload: Uint8Array): void {
    const packets = fragmentCount(payload.length, unfragmentedBytes);
    const completingBytes = payload.length - (packets - 1) * unfragmentedBytes;
    this.#handlers.get(at)?.({ from: hostId(from), to: hostId(to), payload, packets, completingBytes });
  }
}

/** Loses, repeats and delays datagrams at random; a delay is what reorders them. */
export const faulty =
  (
    random: RandomStream,
    o: { readonly loss: number; readonly copies: number; readonly late: number; readonly lateNs: number },
  ): Judge =>
  () => {
    if (random.chance(o.loss)) return [];
    const times = random.chance(o.copies) ? 2 : 1;
    return Array.from({ length: times }, () => passNs + (random.chance(o.late) ? random.below(o.lateNs) : 0));
  };
