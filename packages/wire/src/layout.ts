/**
 * A layout: named fields in a row of bytes, declared once; it encodes, decodes, reads and writes single fields, and tells
 * dissectors and dump tools what is where.
 *
 *   const udpHeader = layout('udp', {
 *     sourcePort: u16('port of the sender'),
 *     destinationPort: u16('port of the receiver'),
 *     length: u16('header and payload, bytes'),
 *     checksum: u16('0: not computed', { base: 16 }),
 *   });
 *
 * Control plane: `encode` and `decode` turn a plain object into bytes and back. Data plane: `get.length(bytes, at)` and
 * `set.length(bytes, at, value)` touch one field and allocate nothing.
 *
 * Every sequence of `size` bytes decodes; whether the values make sense is for the protocol to say. Every value that does
 * not fit its field is refused by `encode` and `set`, so that nothing is ever cut off silently.
 */
import type { Codec } from './codec.ts';
import { badLayout, tooShort } from './errors.ts';
import type { AnyKind, Endian, Kind, LayoutFacts, Reserved } from './field.ts';
import { placeFields } from './placement.ts';

/** What the fields of a declaration hold, reserved ones left out. */
export type FieldValues<Kinds> = {
  readonly [Name in keyof Kinds as Kinds[Name] extends Kind<Reserved>
    ? never
    : Name]: Kinds[Name] extends Kind<infer T> ? T : unknown;
};

export interface LayoutOptions {
  /** Byte order of every field that does not say otherwise; default big, the network's. */
  readonly endian?: Endian;
  /** Total bytes, when more than the fields need; the rest is reserved. */
  readonly size?: number;
  /** One line for people: what record this is, and its source. */
  readonly doc?: string;
}

export interface Layout<T> extends LayoutFacts, Codec<T> {
  readonly endian: Endian;

  /** Where each field starts, in bytes from the start of the record; of bits, the first byte that holds them. */
  readonly offset: { readonly [Name in keyof T]: number };

  /**
   * Reads one field of the record that starts at byte `at`.
   * @throws WireError `WIRE_SHORT` when the field is not within the bytes
   */
  readonly get: { readonly [Name in keyof T]: (bytes: Uint8Array, at: number) => T[Name] };

  /**
   * Writes one field of the record that starts at byte `at`; other fields keep their bits.
   * @throws WireError `WIRE_RANGE` when the value does not fit, `WIRE_SHORT` when the field is not within the bytes
   */
  readonly set: { readonly [Name in keyof T]: (bytes: Uint8Array, at: number, value: T[Name]) => void };

  /**
   * Writes a whole record, reserved bits as zero, and returns the bytes written into: a new array of `size` bytes, or
   * `into`, where it writes only `at` to `at + size`. An `into` is left half written when a value is refused.
   * @throws WireError `WIRE_RANGE` naming layout and field; `WIRE_SHORT` when `into` is too small
   */
  readonly encode: (value: T, into?: Uint8Array, at?: number) => Uint8Array;

  /** @throws WireError `WIRE_SHORT` when fewer than `size` bytes follow `at` */
  readonly decode: (bytes: Uint8Array, at?: number) => T;

  /**
   * As `decode`, but `undefined` when fewer than `size` bytes follow `at`; more may follow. For bytes that somebody else
   * made.
   */
  readonly tryDecode: (bytes: Uint8Array, at?: number) => T | undefined;
}

/**
 * Declares a layout. Fields follow one another in the order of the object's keys, without gaps but those that `at`
 * options leave; names are camelCase.
 * @throws WireError `WIRE_LAYOUT` for overlaps, bit runs that do not fill whole bytes, and the like
 */
export const layout = <const Kinds extends Readonly<Record<string, AnyKind>>>(
  name: string,
  kinds: Kinds,
  options: LayoutOptions = {},
): Layout<FieldValues<Kinds>> => {
  type Value = FieldValues<Kinds>;
  const endian = options.endian ?? 'big';
  const { fields, members, sizeBytes, sparse } = placeFields(name, kinds, endian);
  const size = options.size ?? sizeBytes;
  if (size < sizeBytes)
    throw badLayout(name, '', `has ${sizeBytes} bytes of fields, more than its size ${size}`);
  const fill = sparse || size > sizeBytes;

  // A record is first made with all its names and then filled, so that all records of a layout have one hidden class.
  const blank = Object.fromEntries(members.map((member) => [member.name, undefined]));

  const read = (bytes: Uint8Array, at: number): Value => {
    const value: Record<string, unknown> = { ...blank };
    for (const member of members) value[member.name] = member.get(bytes, at);
    return value as Value;
  };

  const fits = (bytes: Uint8Array, at: number): boolean =>
    at >= 0 && at + size <= bytes.length && Number.isInteger(at);

  const byName = (facet: 'offset' | 'get' | 'set'): Record<string, unknown> =>
    Object.fromEntries(members.map((member) => [member.name, member[facet]]));

  return {
    name,
    doc: options.doc ?? '',
    endian,
    size,
    fields,
    // The members were made from `kinds`: here the compiler is told once that they have its names and types.
    offset: byName('offset') as Layout<Value>['offset'],
    get: byName('get') as Layout<Value>['get'],
    set: byName('set') as Layout<Value>['set'],

    encode(value, into = new Uint8Array(size), at = 0) {
      if (!fits(into, at)) throw tooShort(name, at + size, into.length);
      if (fill) into.fill(0, at, at + size);
      const values: Readonly<Record<string, unknown>> = value;
      for (const member of members) member.set(into, at, values[member.name] as never);
      return into;
    },

    decode(bytes, at = 0) {
      if (!fits(bytes, at)) throw tooShort(name, at + size, bytes.length);
      return read(bytes, at);
    },

    tryDecode(bytes, at = 0) {
      return fits(bytes, at) ? read(bytes, at) : undefined;
    },
  };
};
