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
 *   record      the segment  a structure of its own
 */
import { type EntityId, entityIn, entityWords, KernelError, type Message, wordOf } from '@backplane/slots';
import { ByteReader, ByteWriter, decodeUtf8, encodeUtf8 } from '@backplane/wire';

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

const inSegment = <T>(segment: (value: T) => Uint8Array, read: (segment: Uint8Array) => T): Field<T> => ({
  words: 0,
  put: () => [],
  segment,
  get: (m) => read(m.segment),
});

export const text: Field<string> = /* @__PURE__ */ inSegment(encodeUtf8, decodeUtf8);

export const bytes: Field<Uint8Array> = /* @__PURE__ */ inSegment<Uint8Array>(
  (value) => value,
  (segment) => segment,
);

/** @param what it is, for the `badArgument` about a segment that is none */
export const record = <T>(
  what: string,
  write: (to: ByteWriter, value: T) => void,
  read: (from: ByteReader) => T,
): Field<T> =>
  inSegment(
    (value) => {
      const to = new ByteWriter();
      write(to, value);
      return to.finish();
    },
    (segment) => {
      const from = new ByteReader(segment);
      const value = read(from);
      if (from.failed) throw new KernelError('badArgument', what);
      return value;
    },
  );
