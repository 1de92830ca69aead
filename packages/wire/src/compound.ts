/** Fields made of others: arrays of a fixed length, and layouts within layouts. */
import { badLayout, outOfRange } from './errors.ts';
import type { AnyKind, Kind, PlaceOptions } from './field.ts';
import type { Layout } from './layout.ts';

/**
 * `count` elements of one kind, without gaps.
 *
 * `get` makes a new array. To reach a single element on a hot path, give the element a layout of its own and use that
 * layout's accessors at `at + outer.offset.field + index * element.size`.
 */
export const array = <T>(
  of: Kind<T>,
  count: number,
  doc = '',
  options: PlaceOptions = {},
): Kind<readonly T[]> => ({
  ...options,
  kind: 'array',
  doc,
  count,
  element: of as AnyKind,
  widthBits: count * of.widthBits,
  place: ({ offset, endian, where }) => {
    if (of.packed || of.at !== undefined) {
      throw badLayout(
        where,
        '[]',
        'must be of a kind that fills whole bytes and is placed by the array alone',
      );
    }
    const width = of.widthBits / 8;
    const element = of.place({ offset, width, shift: 0, endian: of.endian ?? endian, where: `${where}[]` });
    return {
      get: (bytes, at) => {
        const values: T[] = [];
        for (let index = 0; index < count; index++) values.push(element.get(bytes, at + index * width));
        return values;
      },
      set: (bytes, at, value) => {
        if (value.length !== count) throw outOfRange(where, `${value.length} elements`, `${count} elements`);
        for (const [index, one] of value.entries()) element.set(bytes, at + index * width, one);
      },
    };
  },
});

/** A record of another layout. Its byte order is its own. */
export const nested = <T>(
  inner: Layout<T>,
  doc: string = inner.doc,
  options: PlaceOptions = {},
): Kind<T> => ({
  ...options,
  kind: 'layout',
  doc,
  layout: inner,
  widthBits: 8 * inner.size,
  place: ({ offset }) => ({
    get: (bytes, at) => inner.decode(bytes, at + offset),
    set: (bytes, at, value) => {
      inner.encode(value, bytes, at + offset);
    },
  }),
});
