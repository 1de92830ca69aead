/** All tests of one workload, kind by kind. */
import { Engine, type RandomStream } from '@backplane/engine';
import { Panic } from './boot.ts';
import type { Image } from './medium.ts';
import type { CrashWorkload } from './operation.ts';
import type { Recording } from './recording.ts';
import {
  apply,
  type CrashKind,
  type CrashState,
  CrashStates,
  type Damage,
  type RunSpec,
  type StateSpec,
} from './states.ts';
import { count, type Failure, newTally, repeat, spend, type Tally } from './tally.ts';
import { type DiskSize, flip, type Tester } from './tester.ts';

/** How much of what cannot all be done. */
export interface Extent {
  /** Of each torn write, of each window of writes, and so on. */
  readonly samples: number;
  readonly seed: number;
  /** When to stop, in milliseconds of the host's clock. */
  readonly untilMs: number;
}

export class Probe {
  readonly tally: Tally = newTally();
  /** It ran out of time before everything was done. */
  cut = false;
  readonly #tester: Tester;
  readonly #size: DiskSize;
  readonly #untilMs: number;

  constructor(tester: Tester, size: DiskSize, untilMs: number) {
    this.#tester = tester;
    this.#size = size;
    this.#untilMs = untilMs;
  }

  /** One workload, with these kinds of tests. */
  test(w: CrashWorkload, kinds: readonly CrashKind[], o: Omit<Extent, 'untilMs'>): void {
    const tester = this.#tester;
    const recording = this.#timed('run', () => this.#record(w, {}));
    const { medium } = recording.after;
    const images = tester.images;
    const random = new Engine({ seed: o.seed }).random('crash kinds', w.name);
    const states = new CrashStates(recording, o.seed);
    const seen = new Set<string>();
    for (const kind of kinds) {
      if (this.#late()) break;
      this.#timed(kind, () => this.#testKind(kind, recording, { states, random, seen, samples: o.samples }));
    }
    this.tally.mounted += tester.images - images;
    tester.release(medium);
  }

  #testKind(
    kind: CrashKind,
    r: Recording,
    o: {
      readonly states: CrashStates;
      readonly random: RandomStream;
      readonly seen: Set<string>;
      readonly samples: number;
    },
  ): void {
    const { states, random, seen, samples } = o;
    switch (kind) {
      case 'prefix':
        this.#judgeAll(r, states.prefixes(), seen);
        break;
      case 'torn':
        this.#judgeAll(r, states.torn(samples), seen);
        break;
      case 'reordered':
        this.#judgeAll(r, states.reordered({ samples: samples * 4, exhaustive: 8 }), seen);
        break;
      case 'recovery':
        this.#judgeAll(r, this.#recoveries(states, random, samples), seen);
        break;
      case 'damaged':
        this.#judgeAll(r, this.#damaged(r, random, samples), seen);
        break;
      case 'misdirected':
        this.#judgeAll(r, this.#misdirected(r, states, random, samples), seen);
        break;
      case 'ioError':
        this.#errors(r, random, samples);
        break;
      case 'readError':
        this.#readErrors(r, states, random, samples);
        break;
      case 'full':
        this.#full(r.workload, random, samples);
        break;
      case 'run':
      case 'lyingDisk':
        break; // the one has been done, the other is the control
    }
  }

  #timed<T>(kind: CrashKind, work: () => T): T {
    const begunMs = performance.now();
    try {
      return work();
    } finally {
      spend(this.tally, kind, (performance.now() - begunMs) / 1000);
    }
  }

  /**
   * The control: on a disk that takes its barriers for nothing something must be lost, or we would see nothing.
   *
   * @returns states until it was found; null when it was not
   */
  control(w: CrashWorkload, seed: number): number | null {
    const recording = this.#tester.record(w);
    let tested = 0;
    const states = new CrashStates(recording, seed);
    for (const { spec, image } of states.reordered({ samples: 64, exhaustive: 6, ignoreBarriers: true })) {
      tested++;
      if (this.#tester.judge(recording, spec, image).length > 0) return tested;
    }
    return null;
  }

  #record(w: CrashWorkload, how: RunSpec): Recording {
    const r = this.#tester.record(w, how);
    this.tally.runs++;
    this.tally.writes += r.writes;
    if (r.violations.length > 0) {
      const spec: StateSpec = { kind: kindOfRun(how), ...how, writes: r.writes, moment: r.end };
      count(this.tally, { workload: w, size: this.#size, spec, violations: r.violations });
    }
    return r;
  }

  #judgeAll(r: Recording, states: Iterable<CrashState>, seen: Set<string>): void {
    for (const { spec, image } of states) {
      if (this.#late()) return;
      const signature = `${spec.spare ?? ''}${spec.damage === undefined ? '' : 'd'}${this.#tester.signature(r, spec, image)}`;
      if (seen.has(signature)) {
        repeat(this.tally, spec.kind);
        continue;
      }
      seen.add(signature);
      this.#count(r.workload, spec, this.#tester.judge(r, spec, image));
    }
  }

  #count(workload: CrashWorkload, spec: StateSpec, violations: Failure['violations']): void {
    count(this.tally, { workload, size: this.#size, spec, violations });
  }

  #late(): boolean {
    if (Date.now() < this.#untilMs) return false;
    this.cut = true;
    return true;
  }

  /** The power fails again at each write of the recovery; and sometimes once more while that is recovered from. */
  *#recoveries(states: CrashStates, random: RandomStream, samples: number): Generator<CrashState> {
    const images = new Set<string>();
    for (const state of states.prefixes()) {
      if (images.has(state.image.key)) continue;
      images.add(state.image.key);
      if (samples < 8 && !random.chance(samples / 8)) continue;
      const image = state.image.copy();
      const recovery = this.#tester.recoveryOf(state.image);
      for (const [i, write] of recovery.entries()) {
        apply(image, write);
        const spec: StateSpec = { ...state.spec, kind: 'recovery', again: [i + 1] };
        yield { spec, image };
        if (!random.chance(0.1)) continue;
        const deeper = image.copy();
        for (const [k, w] of this.#tester.recoveryOf(image).entries()) {
          apply(deeper, w);
          yield { spec: { ...spec, again: [i + 1, k + 1] }, image: deeper };
        }
      }
    }
  }

  /** Each sector with a structure of the storage gets a wrong bit. */
  *#damaged(r: Recording, random: RandomStream, samples: number): Generator<CrashState> {
    const { format, spares } = this.#tester.store;
    if (format === undefined) return;
    const base: StateSpec = { kind: 'damaged', writes: r.writes, moment: theEnd(r.workload) };
    const sectors = new Map<number, string>();
    for (const { sector, what } of format.dump(r.after)) if (!sectors.has(sector)) sectors.set(sector, what);
    for (const [sector, what] of sectors)
      for (let i = 0; i < Math.max(1, samples / 4); i++)
        yield damagedState(r, { ...base, what }, { sector, byte: random.below(512), bit: random.below(8) });
    for (const { sector, bytes, what } of spares?.(r.after) ?? [])
      for (let i = 0; i < samples; i++) {
        const at = random.below(bytes);
        const damage = { sector: sector + Math.floor(at / 512), byte: at % 512, bit: random.below(8) };
        yield damagedState(r, { ...base, what, spare: true }, damage);
      }
  }

  /** A write goes to a neighbouring place, and what should have been written is as it was. */
  *#misdirected(
    r: Recording,
    states: CrashStates,
    random: RandomStream,
    samples: number,
  ): Generator<CrashState> {
    if (r.writes === 0) return;
    for (let i = 0; i < samples; i++) {
      const spec: StateSpec = {
        kind: 'misdirected',
        writes: r.writes,
        moment: theEnd(r.workload),
        misdirected: { write: random.below(r.writes), by: random.pick([-8, 8, 16, 64]) },
        what: 'a misdirected write',
      };
      yield { spec, image: states.again(spec) };
    }
  }

  /** Each write fails once, or from then on whenever it is tried again. */
  #errors(r: Recording, random: RandomStream, samples: number): void {
    for (let write = 0; write < r.writes; write++) {
      if (samples < 8 && !random.chance(samples / 8)) continue;
      for (const lasting of [false, true]) {
        if (this.#late()) return;
        this.#fault(r.workload, 'ioError', { fails: { write, lasting } });
      }
    }
  }

  /** Each read fails once, or for good: those of the operations, after another boot, and those of a boot after a crash. */
  #readErrors(r: Recording, states: CrashStates, random: RandomStream, samples: number): void {
    const { workload } = r;
    const picked = (): boolean => samples >= 8 || random.chance(samples / 8);
    const restart = workload.prelude > 0 ? workload.prelude : random.pick(restarts(workload));
    const { reads } = this.#undone(r.before, () => this.#record(workload, { restart }));
    for (let read = reads.from; read < reads.to; read++)
      for (const lasting of [false, true]) {
        if (this.#late()) return;
        if (picked()) this.#fault(workload, 'readError', { restart, failsRead: { read, lasting } });
      }
    const images = new Set<string>();
    for (const { spec, image } of states.prefixes()) {
      if (images.has(image.key)) continue;
      images.add(image.key);
      if (!picked()) continue;
      const count = this.#undone(image, () => this.#tester.readsOf(image));
      for (let read = 0; read < count; read++)
        for (const lasting of [false, true]) {
          if (this.#late()) return;
          if (!picked()) continue;
          const failing: StateSpec = { ...spec, kind: 'readError', mountFails: { read, lasting } };
          this.#undone(image, () => this.#count(workload, failing, this.#tester.judge(r, failing, image)));
        }
    }
  }

  /** Nobody needs what the disk has got meanwhile. */
  #undone<T>({ medium }: Image, work: () => T): T {
    const { mark } = medium;
    try {
      return work();
    } finally {
      medium.forget(mark);
    }
  }

  /** The disk is full, and has one block more each time, until everything goes well. */
  #full(w: CrashWorkload, random: RandomStream, samples: number): void {
    for (let free = 0; free < 24; free++) {
      if (samples < 8 && !random.chance(samples / 8)) continue;
      if (this.#late()) return;
      try {
        this.#tester.full(free);
      } catch (e) {
        if (!(e instanceof Panic)) throw e;
        const moment = { done: 0, underWay: false };
        const text = `a disk cannot be filled with one file but for ${free} blocks: ${e.message}`;
        this.#count(w, { kind: 'full', writes: 0, free, moment }, [{ kind: 'panic', text }]);
        return;
      }
      if (this.#fault(w, 'full', { free }) === 0) return;
    }
  }

  /** One run with faults, with a crash in the end. @returns operations that failed */
  #fault(w: CrashWorkload, kind: CrashKind, how: RunSpec): number {
    return this.#undone(this.#tester.before(how), () => {
      const r = this.#record(w, how);
      const spec: StateSpec = { kind, ...how, writes: r.writes, moment: r.end };
      if (r.violations.length === 0) this.#count(w, spec, this.#tester.judge(r, spec, r.after));
      return r.errors;
    });
  }
}

/** Operations before which the machine can be booted again, with no file open and nothing else that only a process has. */
function restarts(w: CrashWorkload): readonly number[] {
  const found: number[] = [];
  const open = new Set<string>();
  for (const [i, o] of w.operations.entries()) {
    if (open.size === 0) found.push(i);
    if (o.op === 'open') open.add(o.handle);
    else if (o.op === 'dup') open.add(o.as);
    else if (o.op === 'close') open.delete(o.handle);
  }
  return found;
}

const kindOfRun = (how: RunSpec): CrashKind =>
  how.restart !== undefined
    ? 'readError'
    : how.fails !== undefined
      ? 'ioError'
      : how.free !== undefined
        ? 'full'
        : 'run';
const theEnd = (w: CrashWorkload): StateSpec['moment'] => ({ done: w.operations.length, underWay: false });

function damagedState(r: Recording, spec: StateSpec, damage: Damage): CrashState {
  const image = r.after.copy();
  flip(image, damage.sector, damage.byte, damage.bit);
  return { spec: { ...spec, damage: [damage] }, image };
}
