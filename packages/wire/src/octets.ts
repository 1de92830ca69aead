/** Fields that are runs of bytes: opaque ones, and text of fixed width. */
import { outOfRange, tooShort } from './errors.ts';
import type { Accessor, Kind, PlaceOptions, Spot } from './field.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

export interface TextOptions extends PlaceOptions {
  /** The byte that fills what the text leaves, default 0. */
  readonly pad?: number;
}

/**
 * `count` bytes as they are. Reading gives a view of the bytes read from, not a copy: bytes on a wire or a disk are never
 * changed in place.
 */
export const bytes = (count: number, doc = '', options: PlaceOptions = {}): Kind<Uint8Array> => ({
  ...options,
  kind: 'bytes',
  doc,
  widthBits: 8 * count,
  place: octetsAt,
});

/**
 * ASCII text in `count` bytes. With zero padding (C's convention) the text ends at the first zero; with another padding
 * its trailing bytes are cut. Reading never fails: a byte that is not ASCII becomes U+FFFD. Writing refuses what reading
 * would not give back.
 */
export const ascii = (count: number, doc = '', options: TextOptions = {}): Kind<string> =>
  text('ascii', count, doc, options);

/** UTF-8 text in `count` bytes, padded as `ascii` is. Ill-formed bytes read as U+FFFD. */
export const utf8 = (count: number, doc = '', options: TextOptions = {}): Kind<string> =>
  text('utf8', count, doc, options);

const octetsAt = ({ offset, width, where }: Spot): Accessor<Uint8Array> => ({
  get: (from, at) => {
    if (at + offset + width > from.length) throw tooShort(where, at + offset + width, from.length);
    return from.subarray(at + offset, at + offset + width);
  },
  set: (to, at, value) => {
    if (value.length !== width)
      throw outOfRange(where, `a run of ${value.length} bytes`, `${width} bytes long`);
    if (at + offset + width > to.length) throw tooShort(where, at + offset + width, to.length);
    to.set(value, at + offset);
  },
});

const text = (
  kind: 'ascii' | 'utf8',
  count: number,
  doc: string,
  { pad = 0, ...options }: TextOptions,
): Kind<string> => ({
  ...options,
  kind,
  doc,
  widthBits: 8 * count,
  place: (spot) => {
    const octets = octetsAt(spot);
    const read = (padded: Uint8Array): string => {
      const encoded = padded.subarray(0, textEnd(padded, pad));
      return kind === 'ascii' ? decodeAscii(encoded) : decodeUtf8(encoded);
    };
    return {
      get: (from, at) => read(octets.get(from, at)),
      set: (to, at, value) => {
        const encoded = encodeUtf8(value);
        if (encoded.length > count)
          throw outOfRange(spot.where, `"${value}"`, `text of at most ${count} bytes`);
        const padded = new Uint8Array(count).fill(pad);
        padded.set(encoded);
        if (read(padded) !== value)
          throw outOfRange(spot.where, `"${value}"`, `${kind} text without padding`);
        octets.set(to, at, padded);
      },
    };
  },
});

const textEnd = (padded: Uint8Array, pad: number): number => {
  if (pad === 0) {
    const zero = padded.indexOf(0);
    return zero < 0 ? padded.length : zero;
  }
  let end = padded.length;
  while (end > 0 && padded[end - 1] === pad) end--;
  return end;
};

const decodeAscii = (encoded: Uint8Array): string => {
  let decoded = '';
  for (const octet of encoded) decoded += octet < 0x80 ? String.fromCharCode(octet) : '\ufffd';
  return decoded;
};
