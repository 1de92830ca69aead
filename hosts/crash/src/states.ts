/** Crash states: what the disk may hold when the power fails, made from the record of one run. */
import { Engine, type RandomStream } from '@backplane/engine';
import type { JournalEvent, WriteEvent } from './journal.ts';
import type { Moment } from './judge.ts';
import type { Image } from './medium.ts';
import type { Recording } from './recording.ts';

/**
 * Kinds of tests. `run`: without a crash. `prefix`: after each write. `torn`: the last write in part. `reordered`: some of
 * the last writes lost. `recovery`: the power fails again while the disk is being recovered. `damaged`: bits have changed
 * on the disk. `misdirected`: a write went to another place. `ioError`: a write fails, and the power in the end.
 * `readError`: a read fails, of an operation or of a boot after a crash, and the power in the end. `full`: the disk has so
 * many blocks free. `lyingDisk`: the control; a disk that ignores barriers must be found out.
 */
export const crashKinds = [
  'run',
  'prefix',
  'torn',
  'reordered',
  'recovery',
  'damaged',
  'misdirected',
  'ioError',
  'readError',
  'full',
  'lyingDisk',
] as const;
export type CrashKind = (typeof crashKinds)[number];

/** A bit that has changed. */
export interface Damage {
  readonly sector: number;
  readonly byte: number;
  readonly bit: number;
}

/** What a state is, so that it can be made again from a run of the same operations. */
export interface StateSpec {
  readonly kind: CrashKind;
  /** Writes that the disk got before the power failed. */
  readonly writes: number;
  /** Those among them that were lost. */
  readonly lost?: readonly number[];
  /** Sectors of the last one that were stored, counted from its first; all when left out. */
  readonly sectors?: readonly number[];
  readonly moment: Moment;
  /** Writes of the recovery that the disk got before the power failed again, one number for each time. */
  readonly again?: readonly number[];
  readonly damage?: readonly Damage[];
  /** The structure that is damaged. */
  readonly what?: string;
  /** It has a spare: nothing may be lost. */
  readonly spare?: boolean;
  /** A write that went this many sectors too far. */
  readonly misdirected?: { readonly write: number; readonly by: number };
  /** Writes that failed; with `from` all to the sectors of that one from then on. */
  readonly fails?: { readonly write: number; readonly lasting: boolean };
  /** A read that failed; with `lasting` a sector of it can never be read again. Counted from the boot at `restart`. */
  readonly failsRead?: { readonly read: number; readonly lasting: boolean };
  /** Operations before an orderly halt and another boot. */
  readonly restart?: number;
  /** The same of a read of the boot after the crash. */
  readonly mountFails?: { readonly read: number; readonly lasting: boolean };
  /** Blocks that were free in the beginning. */
  readonly free?: number;
}

/** What a run needs to know of it. */
export type RunSpec = Pick<StateSpec, 'fails' | 'failsRead' | 'restart' | 'free'>;

export interface CrashState {
  readonly spec: StateSpec;
  readonly image: Image;
}

/** A write, with the moments between it and the next one. */
interface Position {
  readonly write: WriteEvent;
  /** Under which it was made. */
  readonly moment: Moment;
  /** The last one before the next write or barrier. */
  readonly last: Moment;
}

export class CrashStates {
  readonly #recording: Recording;
  readonly #random: RandomStream;

  constructor(recording: Recording, seed: number) {
    this.#recording = recording;
    this.#random = new Engine({ seed }).random('crash states', recording.workload.name);
  }

  /** After each write, and at each beginning and end of an operation: every boundary. */
  *prefixes(): Generator<CrashState> {
    const { journal, before, start } = this.#recording;
    const image = before.copy();
    let writes = 0;
    let moment: Moment = { done: 0, underWay: false };
    for (const [i, e] of journal.events.entries()) {
      if (i === start) yield { spec: { kind: 'prefix', writes, moment }, image };
      if (e.event === 'write') {
        apply(image, e);
        writes++;
      }
      moment = after(moment, e);
      if (i >= start && e.event !== 'barrier') yield { spec: { kind: 'prefix', writes, moment }, image };
    }
  }

  /** The write under way came through in part: beginnings, ends and other subsets of its sectors. */
  *torn(samples: number): Generator<CrashState> {
    const image = this.#recording.before.copy();
    for (const { position, index, tested } of this.#positions()) {
      const { write, moment } = position;
      const count = write.versions.length;
      if (tested && count > 1)
        for (const sectors of this.#subsets(count, samples)) {
          const torn = image.copy();
          for (const s of sectors) torn.put(write.sector + s, write.versions[s] ?? 0);
          yield { spec: { kind: 'torn', writes: index + 1, sectors, moment }, image: torn };
        }
      apply(image, write);
    }
  }

  /**
   * Of the writes since the last one that had to be stored some were lost: all subsets of up to `exhaustive` writes, else
   * samples.
   *
   * @param ignored barriers that the disk lied about: all of them
   */
  *reordered(o: {
    readonly samples: number;
    readonly exhaustive: number;
    readonly ignoreBarriers?: boolean;
  }): Generator<CrashState> {
    const ignore = o.ignoreBarriers === true;
    if (this.#recording.store.promises.order === 'write' && !ignore) return;
    const { journal, before } = this.#recording;
    const stored = before.copy();
    let waiting: { readonly position: Position; readonly index: number; readonly tested: boolean }[] = [];
    let last: Moment = { done: 0, underWay: false };
    let moment = last;
    const positions = this.#positions();
    for (const e of journal.events) {
      moment = after(moment, e);
      if (e.event === 'write') {
        const next = positions.next();
        if (next.done !== true) waiting.push(next.value);
      } else if (e.event === 'barrier' && !ignore) {
        yield* this.#window(stored, waiting, last, o);
        for (const { position } of waiting) apply(stored, position.write);
        waiting = [];
      }
      last = moment;
    }
    yield* this.#window(stored, waiting, moment, o);
  }

  *#window(
    stored: Image,
    waiting: readonly { readonly position: Position; readonly index: number; readonly tested: boolean }[],
    last: Moment,
    o: { readonly samples: number; readonly exhaustive: number; readonly ignoreBarriers?: boolean },
  ): Generator<CrashState> {
    const end = waiting.at(-1);
    const first = waiting[0];
    if (end === undefined || first === undefined || !end.tested) return;
    for (const kept of this.#choices(waiting.length, o)) {
      const image = stored.copy();
      let newest: Position | null = null;
      for (const k of kept) {
        const w = waiting[k];
        if (w === undefined) continue;
        apply(image, w.position.write);
        newest = w.position;
      }
      const lost = waiting.filter((_, k) => !kept.includes(k)).map((w) => w.index);
      const kind: CrashKind = o.ignoreBarriers === true ? 'lyingDisk' : 'reordered';
      const spec = { kind, writes: end.index + 1, lost };
      // The least that may have been asked for, and the most that may have been promised.
      if (newest !== null) yield { spec: { ...spec, moment: newest.moment }, image };
      yield { spec: { ...spec, moment: last }, image };
    }
  }

  /** Makes a state again. */
  again(spec: StateSpec): Image {
    const image = this.#recording.before.copy();
    for (const { position, index } of this.#positions()) {
      if (index >= spec.writes) break;
      const { write } = position;
      if (spec.misdirected?.write === index) {
        move(image, write, spec.misdirected.by);
        continue;
      }
      if (spec.lost?.includes(index) === true) continue;
      if (index === spec.writes - 1 && spec.sectors !== undefined)
        for (const s of spec.sectors) image.put(write.sector + s, write.versions[s] ?? 0);
      else apply(image, write);
    }
    return image;
  }

  *#positions(): Generator<{
    readonly position: Position;
    readonly index: number;
    readonly tested: boolean;
  }> {
    const { journal, start } = this.#recording;
    let index = 0;
    let moment: Moment = { done: 0, underWay: false };
    for (const [i, e] of journal.events.entries()) {
      moment = after(moment, e);
      if (e.event === 'write')
        yield { position: { write: e, moment, last: moment }, index: index++, tested: i >= start };
    }
  }

  /** Sets of sectors that are neither none nor all. */
  *#subsets(count: number, samples: number): Generator<readonly number[]> {
    const all = range(count);
    if (count <= 3) {
      for (let mask = 1; mask < 2 ** count - 1; mask++) yield all.filter((i) => (mask & (1 << i)) !== 0);
      return;
    }
    const cuts =
      count - 1 <= samples
        ? range(count - 1).map((i) => i + 1)
        : range(samples).map(() => 1 + this.#random.below(count - 1));
    for (const cut of cuts) {
      yield all.slice(0, cut);
      yield all.slice(cut);
    }
    for (let i = 0; i < samples; i++) {
      const some = all.filter(() => this.#random.chance(0.5));
      if (some.length > 0 && some.length < count) yield some;
    }
  }

  /** Which writes of a window came through; all of them is a prefix. */
  *#choices(
    count: number,
    o: { readonly samples: number; readonly exhaustive: number },
  ): Generator<readonly number[]> {
    const all = range(count);
    if (count <= o.exhaustive) {
      for (let mask = 0; mask < 2 ** count - 1; mask++) yield all.filter((i) => (mask & (1 << i)) !== 0);
      return;
    }
    yield [];
    for (let i = 0; i < o.samples; i++) {
      const share = this.#random.unit();
      yield all.filter(() => this.#random.chance(share));
    }
  }
}

const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

export function apply(image: Image, { sector, versions }: WriteEvent): void {
  for (let i = 0; i < versions.length; i++) image.put(sector + i, versions[i] ?? 0);
}

/** It went to another place. */
function move(image: Image, { sector, versions }: WriteEvent, by: number): void {
  const { medium } = image;
  for (const [i, version] of versions.entries()) {
    const to = sector + i + by;
    if (to >= 0 && to < image.sectors) image.put(to, medium.add(to, medium.content(sector + i, version)));
  }
}

function after(moment: Moment, e: JournalEvent): Moment {
  if (e.event === 'begin') return { done: e.operation, underWay: true };
  if (e.event === 'end') return { done: e.operation + 1, underWay: false };
  return moment;
}
