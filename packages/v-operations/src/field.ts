/**
 * What a message carries, field by field. Fields take the words of the message in the order in which they are declared;
 * text and bytes are its segment, of which there is one.
 *
 *   field       place        value
 *   word        1 word       unsigned
 *   signed      1 word       two's complement
 *   entity      2 words      process or group
 *   timeNs      2 words      seconds, nanoseconds; from 1970, or a span
 *   text        the segment  UTF-8
 *   bytes       the segment  as they are
 */
import { type EntityId, entityIn, entityWords, type Message, wordOf } from '@backplane/slots';
import { decodeUtf8, encodeUtf8 } from '@backplane/wire';

export interface Field<T> {
  /** 0: it is the segment. */
  readonly words: number;
  put(value: T): readonly number[];
  /** What the segment becomes. */
  segment?(value: T): Uint8Array;
  /** @param at its first word */
  get(m: Message, at: number): T;
}

export const word: Field<number> = {
  words: 1,
  put: (value) => [value >>> 0],
  get: wordOf,
};

export const signed: Field<number> = {
  words: 1,
  put: (value) => [value | 0],
  get: (m, at) => wordOf(m, at) | 0,
};

export const entity: Field<EntityId> = {
  words: 2,
  put: entityWords,
  get: entityIn,
};

const nsPerSecond = 1e9;

export const timeNs: Field<number> = {
  words: 2,
  put: (value) => [Math.floor(value / nsPerSecond), value % nsPerSecond],
  get: (m, at) => wordOf(m, at) * nsPerSecond + (wordOf(m, at + 1) % nsPerSecond),
};

export const text: Field<string> = {
  words: 0,
  put: () => [],
  segment: encodeUtf8,
  get: ({ segment }) => decodeUtf8(segment),
};

export const bytes: Field<Uint8Array> = {
  words: 0,
  put: () => [],
  segment: (value) => value,
  get: ({ segment }) => segment,
};
