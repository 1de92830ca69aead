/** Messages between entities, made and read: the 32 bytes are big-endian words, the first of which is flags and code. */
import {
  controlBytes,
  type EntityId,
  entityId,
  highWord,
  lowWord,
  type Message,
  MessageFlag,
} from './entities.ts';

const nothing = new Uint8Array(0);
const none: readonly number[] = [];
const words = controlBytes / 4;

export interface MessageFields {
  /** 24 bits. */
  readonly code: number;
  /** Bits of `MessageFlag`; `segment` is set by itself where there is one. */
  readonly flags?: number;
  /** Words 1 to 7, as far as they are given; the others are 0. */
  readonly words?: readonly number[];
  /** Takes words 1 and 2, and sets the flag `coResident`. */
  readonly coResident?: EntityId;
  /** Takes word 7, for its length. Not copied. */
  readonly segment?: Uint8Array;
}

export function message({
  code,
  flags = 0,
  words: given = none,
  coResident,
  segment,
}: MessageFields): Message {
  const control = new Uint8Array(controlBytes);
  let bits = flags;
  for (let i = 0; i < given.length; i++) putWord(control, i + 1, given[i] ?? 0);
  if (coResident !== undefined) {
    bits |= MessageFlag.coResident;
    putEntity(control, 1, coResident);
  }
  if (segment !== undefined && segment.length > 0) {
    bits |= MessageFlag.segment;
    putWord(control, words - 1, segment.length);
  }
  putWord(control, 0, (bits << 24) | (code & 0xff_ffff));
  return { control, segment: segment ?? nothing };
}

/** Word 0 to 7, unsigned. */
export function wordOf({ control }: Message, word: number): number {
  const at = word * 4;
  return (
    (((control[at] ?? 0) << 24) |
      ((control[at + 1] ?? 0) << 16) |
      ((control[at + 2] ?? 0) << 8) |
      (control[at + 3] ?? 0)) >>>
    0
  );
}

export const codeOf = (m: Message): number => wordOf(m, 0) & 0xff_ffff;
export const flagsOf = ({ control }: Message): number => control[0] ?? 0;

/** The entity in two words, from this one on. */
export const entityIn = (m: Message, word: number): EntityId =>
  entityId(hex(wordOf(m, word)) + hex(wordOf(m, word + 1)));

/** An entity as two words, for the fields of a message. */
export const entityWords = (e: EntityId): readonly [number, number] => [highWord(e), lowWord(e)];

const hex = (word: number): string => word.toString(16).padStart(8, '0');

function putEntity(control: Uint8Array, word: number, e: EntityId): void {
  putWord(control, word, highWord(e));
  putWord(control, word + 1, lowWord(e));
}

function putWord(control: Uint8Array, word: number, value: number): void {
  const at = word * 4;
  control[at] = value >>> 24;
  control[at + 1] = value >>> 16;
  control[at + 2] = value >>> 8;
  control[at + 3] = value;
}
