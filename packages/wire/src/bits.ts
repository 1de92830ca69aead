/**
 * Fields smaller than a byte, or that do not end at one.
 *
 * Neighbouring bit fields share bytes, in the order of declaration: from the most significant bit down in a big-endian
 * layout (as the figures of the RFCs are drawn), from the least significant bit up in a little-endian one (as C compilers
 * of little-endian machines lay them out). A run of them fills whole bytes; a field may cross byte boundaries, but touches
 * at most four bytes.
 */
import { badLayout, outOfRange } from './errors.ts';
import type { Accessor, Kind, PlaceOptions, Reserved, Spot } from './field.ts';
import { type NumberOptions, numberFacts } from './integers.ts';
import { u8At, u16At, u24At, u32At } from './word.ts';

export type BitsOptions = Omit<NumberOptions, 'endian'>;

/** Declares an unsigned number of `count` bits, 1 to 32; with a type argument, one that holds that type of number. */
export interface BitsKind {
  (count: number, doc?: string, options?: BitsOptions): Kind<number>;
  <N extends number>(count: number, doc?: string, options?: BitsOptions): Kind<N>;
}

const numberOfBits = (count: number, doc = '', options: BitsOptions = {}): Kind<number> => ({
  ...numberFacts('bits', doc, options),
  widthBits: count,
  packed: true,
  place: (spot) => bitsAt(spot, count),
});

// Bare numbers become the number type that a declaration names, as those of the other integers do.
export const bits: BitsKind = numberOfBits as BitsKind;

/** One bit, as a boolean. */
export const bit = (doc = '', options: PlaceOptions = {}): Kind<boolean> => ({
  ...options,
  kind: 'bit',
  doc,
  widthBits: 1,
  packed: true,
  place: (spot) => {
    const word = bitsAt(spot, 1);
    return {
      get: (bytes, at) => word.get(bytes, at) === 1,
      set: (bytes, at, value) => {
        if (typeof value !== 'boolean') throw outOfRange(spot.where, value, 'a boolean');
        word.set(bytes, at, value ? 1 : 0);
      },
    };
  },
});

/** Bits that are written as zero, ignored when read, and absent from the record. */
export const reservedBits = (count: number, doc = ''): Kind<Reserved> => ({
  kind: 'reserved',
  doc,
  widthBits: count,
  packed: true,
  place: unreadable,
});

/** `count` bytes that are written as zero, ignored when read, and absent from the record. */
export const reserved = (count: number, doc = '', options: PlaceOptions = {}): Kind<Reserved> => ({
  ...options,
  kind: 'reserved',
  doc,
  widthBits: 8 * count,
  place: unreadable,
});

const bitsAt = (spot: Spot, count: number): Accessor<number> => {
  const { shift, where } = spot;
  const container = containerAt(spot);
  const most = (count === 32 ? -1 : (1 << count) - 1) >>> 0;
  const hole = ~(most << shift);
  return {
    get: (bytes, at) => ((container.get(bytes, at) >>> shift) & most) >>> 0,
    set: (bytes, at, value) => {
      if (value >>> 0 !== value || value > most)
        throw outOfRange(where, value, `an integer from 0 to ${most}`);
      container.set(bytes, at, ((container.get(bytes, at) & hole) | (value << shift)) >>> 0);
    },
  };
};

const containerAt = (spot: Spot): Accessor<number> => {
  if (spot.width === 1) return u8At(spot);
  if (spot.width === 2) return u16At(spot);
  return spot.width === 3 ? u24At(spot) : u32At(spot);
};

/** A layout keeps the place and gives no accessor; an array has no such element. */
const unreadable = ({ where }: Spot): never => {
  throw badLayout(where, '', 'is reserved');
};
