/**
 * Integer fields. Those of up to 32 bits are numbers. `u64` is a bigint, so that every 64-bit pattern decodes and none
 * is rounded; a bigint is allocated at each read, so a hot path declares two `u32` fields instead.
 *
 * Each takes the number type that it holds (`u32<HostId>('sender')`): a branded identifier comes off the wire as what it
 * is. The brand is the declaration's promise; only the width is checked.
 */
import { outOfRange } from './errors.ts';
import type { Accessor, Endian, Kind, KindFacts, KindName, Names, PlaceOptions, Spot } from './field.ts';
import { u8At, u16At, u32At } from './word.ts';

export interface NumberOptions extends PlaceOptions {
  /** Byte order of this field, where it differs from the layout's. */
  readonly endian?: Endian;
  /** Names of single values, shown by dumps and dissectors. */
  readonly names?: Names;
  /** Names of masks, shown by dumps and dissectors. */
  readonly flags?: Names;
  /** How dumps write the number; 16 by default where there are flags, else 10. */
  readonly base?: 10 | 16;
}

/** The facts of an integer of any sort, with the base that people expect. */
export const numberFacts = (
  kind: KindName,
  doc: string,
  options: NumberOptions,
): KindFacts & PlaceOptions => ({
  base: options.flags === undefined ? 10 : 16,
  ...options,
  kind,
  doc,
});

/** Declares an integer field; with a type argument, one that holds that type of number. */
export interface IntegerKind {
  (doc?: string, options?: NumberOptions): Kind<number>;
  <N extends number>(doc?: string, options?: NumberOptions): Kind<N>;
}

const integer = (kind: KindName, widthBits: number, place: (spot: Spot) => Accessor<number>): IntegerKind => {
  const declare = (doc = '', options: NumberOptions = {}): Kind<number> => ({
    ...numberFacts(kind, doc, options),
    widthBits,
    place,
  });
  // The one cast of bare numbers to the number type that a declaration names.
  return declare as IntegerKind;
};

export const u8: IntegerKind = integer('u8', 8, u8At);
export const u16: IntegerKind = integer('u16', 16, u16At);
export const u32: IntegerKind = integer('u32', 32, u32At);
export const i8: IntegerKind = integer('i8', 8, (spot) => signed(u8At(spot), 24, spot.where));
export const i16: IntegerKind = integer('i16', 16, (spot) => signed(u16At(spot), 16, spot.where));
export const i32: IntegerKind = integer('i32', 32, (spot) => signed(u32At(spot), 0, spot.where));

/** 64 bits as a bigint, 0n to 2n ** 64n - 1n. */
export const u64 = (doc = '', options: Omit<NumberOptions, 'names' | 'flags'> = {}): Kind<bigint> => ({
  ...numberFacts('u64', doc, options),
  widthBits: 64,
  place: u64At,
});

/** Two's complement over an unsigned word whose top `spare` of 32 bits are not there. */
const signed = (word: Accessor<number>, spare: number, where: string): Accessor<number> => ({
  get: (bytes, at) => (word.get(bytes, at) << spare) >> spare,
  set: (bytes, at, value) => {
    if ((value << spare) >> spare !== value) {
      throw outOfRange(where, value, `a signed integer of ${32 - spare} bits`);
    }
    word.set(bytes, at, (value << spare) >>> spare);
  },
});

export const u64At = (spot: Spot): Accessor<bigint> => {
  const { offset, endian, where } = spot;
  const high = u32At({ ...spot, offset: endian === 'big' ? offset : offset + 4 });
  const low = u32At({ ...spot, offset: endian === 'big' ? offset + 4 : offset });
  return {
    get: (bytes, at) => (BigInt(high.get(bytes, at)) << 32n) | BigInt(low.get(bytes, at)),
    set: (bytes, at, value) => {
      if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) {
        throw outOfRange(where, value, 'a bigint from 0n to 2n ** 64n - 1n');
      }
      high.set(bytes, at, Number(value >> 32n));
      low.set(bytes, at, Number(value & 0xffffffffn));
    },
  };
};
