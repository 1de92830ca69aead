/**
 * Integers of 1 to 4 bytes and their accessors: the innermost loop of every protocol here.
 *
 * Records are read straight from a `Uint8Array`. A `DataView` would read a single word faster, but has to be made first,
 * and making one costs as much as reading some forty words; frames and disk blocks travel as `Uint8Array`.
 *
 * Each width is one function literal whose constants (positions, masks) are captured: V8 folds them where an accessor is
 * called by name, and inlines the body. The bodies are written out and small for the same reason. The length is checked
 * before the first load, so that no `?? 0` is ever taken: they cost nothing and stand for a proof that the compiler lacks.
 * (`at` is the caller's own and not negative.)
 */
import { outOfRange, tooShort } from './errors.ts';
import type { Accessor, Spot } from './field.ts';

export const u8At = ({ offset, where }: Spot): Accessor<number> => ({
  get: (bytes, at) => {
    if (at + offset >= bytes.length) throw tooShort(where, at + offset + 1, bytes.length);
    return bytes[at + offset] ?? 0;
  },
  set: (bytes, at, value) => {
    if ((value & 0xff) !== value) throw outOfRange(where, value, 'an integer from 0 to 255');
    if (at + offset >= bytes.length) throw tooShort(where, at + offset + 1, bytes.length);
    bytes[at + offset] = value;
  },
});

export const u16At = ({ offset, endian, where }: Spot): Accessor<number> => {
  const end = offset + 2;
  const high = endian === 'big' ? offset : offset + 1;
  const low = endian === 'big' ? offset + 1 : offset;
  return {
    get: (bytes, at) => {
      if (at + end > bytes.length) throw tooShort(where, at + end, bytes.length);
      return ((bytes[at + high] ?? 0) << 8) | (bytes[at + low] ?? 0);
    },
    set: (bytes, at, value) => {
      if ((value & 0xffff) !== value) throw outOfRange(where, value, 'an integer from 0 to 65535');
      if (at + end > bytes.length) throw tooShort(where, at + end, bytes.length);
      bytes[at + high] = value >>> 8;
      bytes[at + low] = value;
    },
  };
};

/** Three bytes: only as the container of bits. */
export const u24At = ({ offset, endian, where }: Spot): Accessor<number> => {
  const end = offset + 3;
  const high = endian === 'big' ? offset : offset + 2;
  const middle = offset + 1;
  const low = endian === 'big' ? offset + 2 : offset;
  return {
    get: (bytes, at) => {
      if (at + end > bytes.length) throw tooShort(where, at + end, bytes.length);
      return ((bytes[at + high] ?? 0) << 16) | ((bytes[at + middle] ?? 0) << 8) | (bytes[at + low] ?? 0);
    },
    set: (bytes, at, value) => {
      if ((value & 0xffffff) !== value) throw outOfRange(where, value, 'an integer from 0 to 16777215');
      if (at + end > bytes.length) throw tooShort(where, at + end, bytes.length);
      bytes[at + high] = value >>> 16;
      bytes[at + middle] = value >>> 8;
      bytes[at + low] = value;
    },
  };
};

export const u32At = ({ offset, endian, where }: Spot): Accessor<number> => {
  const end = offset + 4;
  const highest = endian === 'big' ? offset : offset + 3;
  const high = endian === 'big' ? offset + 1 : offset + 2;
  const low = endian === 'big' ? offset + 2 : offset + 1;
  const lowest = endian === 'big' ? offset + 3 : offset;
  return {
    get: (bytes, at) => {
      if (at + end > bytes.length) throw tooShort(where, at + end, bytes.length);
      return (
        (((bytes[at + highest] ?? 0) << 24) |
          ((bytes[at + high] ?? 0) << 16) |
          ((bytes[at + low] ?? 0) << 8) |
          (bytes[at + lowest] ?? 0)) >>>
        0
      );
    },
    set: (bytes, at, value) => {
      if (value >>> 0 !== value) throw outOfRange(where, value, 'an integer from 0 to 4294967295');
      if (at + end > bytes.length) throw tooShort(where, at + end, bytes.length);
      bytes[at + highest] = value >>> 24;
      bytes[at + high] = value >>> 16;
      bytes[at + low] = value >>> 8;
      bytes[at + lowest] = value;
    },
  };
};
