/**
 * Faults on the link, ready made: each maker gives a rule for `Medium.addRule`, and one sentence that says what it does.
 *
 * A rule is asked for every frame on its way to every station that it is for, so a broadcast may reach one station and
 * not the next. What strikes by chance draws from the stream it was given, and only while its window is open: equal
 * seeds give equal faults. The frame has kept the wire busy in any case.
 */
import type { RandomStream } from '@backplane/engine';
import type { Frame, LinkRule, LinkVerdict } from '@backplane/slots';
import { ETHERNET } from '@backplane/wire';
import { wrongFault } from './errors.ts';
import { type Clock, type FaultWindow, sentence, timeWords, within } from './fault-window.ts';

export interface FaultRule extends LinkRule {
  /** What it does, in one sentence. */
  readonly sentence: string;
}

export interface ChanceOptions extends FaultWindow {
  /** 0 to 1, for each frame and station. */
  readonly probability: number;
}

/** Frames get lost on their way to a station. @throws BackplaneError WRONG_FAULT */
export function lossRule(clock: Clock, random: RandomStream, o: ChanceOptions): FaultRule {
  const strikes = chance('loss', clock, random, o);
  return rule('loss', sentence(o, `${share(o)} is lost on its way to a station.`), () =>
    strikes() ? 'drop' : 'pass',
  );
}

export interface DuplicationOptions extends ChanceOptions {
  /** How often the station gets the frame in all; 2 when absent. */
  readonly copies?: number;
  /** From one copy to the next; 100 us when absent. */
  readonly spacingNs?: number;
}

/** Frames reach a station more than once. @throws BackplaneError WRONG_FAULT */
export function duplicationRule(clock: Clock, random: RandomStream, o: DuplicationOptions): FaultRule {
  const { copies = 2, spacingNs = 100_000 } = o;
  if (!(Number.isInteger(copies) && copies >= 2)) {
    throw wrongFault(
      'duplication',
      'copies',
      copies,
      'A whole number from 2 on: the frame itself is one of them.',
    );
  }
  checkTime('duplication', 'spacingNs', spacingNs);
  const strikes = chance('duplication', clock, random, o);
  const verdict: LinkVerdict = { copies, spacingNs };
  const main = `${share(o)} reaches a station ${copies} times, ${timeWords(spacingNs)} apart.`;
  return rule('duplication', sentence(o, main), () => (strikes() ? verdict : 'pass'));
}

export interface DelayOptions extends FaultWindow {
  readonly delayNs: number;
  /** 0 to 1, for each frame and station; 1 when absent. */
  readonly probability?: number;
}

/** Frames reach a station late, all by the same time. @throws BackplaneError WRONG_FAULT */
export function delayRule(clock: Clock, random: RandomStream, o: DelayOptions): FaultRule {
  const { delayNs, probability = 1 } = o;
  checkTime('delay', 'delayNs', delayNs);
  const strikes = chance('delay', clock, random, { ...o, probability });
  const verdict: LinkVerdict = { delayNs };
  const main = `${share({ probability })} reaches a station ${timeWords(delayNs)} late.`;
  return rule('delay', sentence(o, main), () => (strikes() ? verdict : 'pass'));
}

export interface ReorderOptions extends ChanceOptions {
  /** The longest extra delay; each struck frame draws its own, from 1 ns on. */
  readonly delayNsMax: number;
}

/** Frames reach a station late by different times, so that later ones overtake them. @throws BackplaneError WRONG_FAULT */
export function reorderRule(clock: Clock, random: RandomStream, o: ReorderOptions): FaultRule {
  const { delayNsMax } = o;
  checkTime('reorder', 'delayNsMax', delayNsMax);
  const strikes = chance('reorder', clock, random, o);
  const main = `${share(o)} reaches a station up to ${timeWords(delayNsMax)} late, so that others overtake it.`;
  return rule('reorder', sentence(o, main), () =>
    strikes() ? { delayNs: 1 + random.below(delayNsMax) } : 'pass',
  );
}

export interface CorruptionOptions extends ChanceOptions {
  /**
   * The frame check sequence is right again, as after damage in a bridge or in an interface's memory: the frame gets
   * past the interface with one payload bit wrong, and only a checksum further up can tell.
   */
  readonly passDamaged?: boolean;
}

/**
 * One bit of a frame flips, anywhere in header or payload; the interface finds the frame check sequence wrong.
 * @throws BackplaneError WRONG_FAULT
 */
export function corruptionRule(clock: Clock, random: RandomStream, o: CorruptionOptions): FaultRule {
  const { passDamaged = false } = o;
  const strikes = chance('corruption', clock, random, o);
  const undetected = passDamaged ? 'a payload bit flipped, past the interface.' : '';
  const main = `${share(o)} reaches a station with ${undetected || 'a bit flipped, and its interface drops it.'}`;
  const flipped: LinkVerdict = { damage: (payload) => flip(payload, random, 0), undetected: true };
  const damaged: LinkVerdict = { damage: (payload) => flip(payload, random, ETHERNET.headerBytes) };
  return rule('corruption', sentence(o, main), (frame) => {
    if (!strikes()) return 'pass';
    // A frame without payload has no bit that could flip unnoticed.
    if (passDamaged) return frame.lengthBytes > 0 ? flipped : 'pass';
    return damaged;
  });
}

/**
 * Stations of different groups do not reach each other. Those in no group are not affected.
 * @throws BackplaneError WRONG_FAULT
 */
export function partitionRule(
  clock: Clock,
  groups: readonly (readonly string[])[],
  window: FaultWindow = {},
): FaultRule {
  const groupOf = new Map<string, number>();
  groups.forEach((group, i) => {
    for (const station of group) groupOf.set(station, i);
  });
  const open = within('partition', clock, window);
  const sides = groups.map((group) => group.join(', ')).join(' | ');
  return rule('partition', sentence(window, `no frame passes between ${sides}.`), (_frame, from, to) => {
    const a = groupOf.get(from);
    const b = groupOf.get(to);
    return a !== undefined && b !== undefined && a !== b && open() ? 'drop' : 'pass';
  });
}

/** Frames of some stations do not reach some others; the way back is open. @throws BackplaneError WRONG_FAULT */
export function onewayRule(
  clock: Clock,
  from: readonly string[],
  to: readonly string[],
  window: FaultWindow = {},
): FaultRule {
  const senders = new Set(from);
  const receivers = new Set(to);
  const open = within('oneway', clock, window);
  const main = `no frame of ${from.join(', ')} reaches ${to.join(', ')}, while the way back is open.`;
  return rule('oneway', sentence(window, main), (_frame, sender, receiver) =>
    senders.has(sender) && receivers.has(receiver) && open() ? 'drop' : 'pass',
  );
}

type Judge = (frame: Frame, from: string, to: string) => LinkVerdict;

const rule = (name: string, sentence: string, judge: Judge): FaultRule => ({ name, sentence, judge });

/** Whether to strike now. Draws only while the window is open. */
function chance(name: string, clock: Clock, random: RandomStream, o: ChanceOptions): () => boolean {
  const { probability } = o;
  if (!(probability >= 0 && probability <= 1)) {
    throw wrongFault(name, 'probability', probability, 'It lies between 0 and 1.');
  }
  const open = within(name, clock, o);
  return () => open() && random.chance(probability);
}

function checkTime(name: string, option: string, ns: number): void {
  if (!(Number.isSafeInteger(ns) && ns > 0)) {
    throw wrongFault(name, option, ns, 'A whole number of nanoseconds, above 0.');
  }
}

const share = ({ probability }: { readonly probability: number }): string =>
  probability === 1 ? 'every frame' : `each frame with probability ${Math.round(probability * 1e6) / 1e4} %`;

/** A copy with one bit flipped, of the payload or of so many bytes before it, where it shows only in the check sequence. */
function flip(payload: Uint8Array, random: RandomStream, bytesBefore: number): Uint8Array {
  const bit = random.below(8 * (bytesBefore + payload.length)) - 8 * bytesBefore;
  if (bit < 0) return payload;
  const flipped = payload.slice();
  const at = Math.floor(bit / 8);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit % 8));
  return flipped;
}
