import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AnyKind,
  array,
  ascii,
  bit,
  bits,
  bytes,
  type Endian,
  type Field,
  i8,
  i16,
  i32,
  ipv4,
  type LayoutFacts,
  layout,
  mac,
  nested,
  reserved,
  reservedBits,
  u8,
  u16,
  u32,
  u64,
  utf8,
  utf8Length,
} from '../src/index.ts';
import { randomBytes, seeded } from './hex.ts';

/** A kind and the values that it can hold. */
interface Sample {
  readonly kind: AnyKind;
  readonly values: fc.Arbitrary<unknown>;
}

const scalarText = fc.string({ unit: 'grapheme', maxLength: 4 }).filter((text) => !text.includes('\0'));
const endian: fc.Arbitrary<Endian> = fc.constantFrom('big', 'little');

const whole: fc.Arbitrary<Sample> = fc.oneof(
  endian.chain((order) =>
    fc.constantFrom<Sample>(
      { kind: u8('', { endian: order }), values: fc.nat(0xff) },
      { kind: u16('', { endian: order }), values: fc.nat(0xffff) },
      { kind: u32('', { endian: order }), values: fc.nat(0xffffffff) },
      { kind: u64('', { endian: order }), values: fc.bigInt(0n, 2n ** 64n - 1n) },
      { kind: i8('', { endian: order }), values: fc.integer({ min: -(2 ** 7), max: 2 ** 7 - 1 }) },
      { kind: i16('', { endian: order }), values: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }) },
      { kind: i32('', { endian: order }), values: fc.integer() },
    ),
  ),
  fc.constantFrom<Sample>(
    { kind: mac(), values: fc.nat(2 ** 48 - 1) },
    { kind: ipv4(), values: fc.nat(0xffffffff) },
    { kind: bytes(5), values: fc.uint8Array({ minLength: 5, maxLength: 5 }) },
    {
      kind: ascii(6),
      values: fc.string({ maxLength: 6 }).filter((text) => !text.includes('\0')),
    },
    {
      kind: ascii(6, '', { pad: 0x20 }),
      values: fc.string({ maxLength: 6 }).map((text) => text.replace(/ +$/, '')),
    },
    { kind: utf8(40), values: scalarText.filter((text) => utf8Length(text) <= 40) },
  ),
);

const composed: fc.Arbitrary<Sample> = fc.oneof(
  { weight: 5, arbitrary: whole },
  {
    weight: 1,
    arbitrary: fc.tuple(whole, fc.integer({ min: 1, max: 4 })).map(([{ kind, values }, count]) => ({
      kind: array(kind as never, count),
      values: fc.array(values, { minLength: count, maxLength: count }),
    })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(whole, whole, endian).map(([a, b, order]) => ({
      kind: nested(layout('inner', { a: a.kind, b: b.kind }, { endian: order }) as never),
      values: fc.record({ a: a.values, b: b.values }),
    })),
  },
);

/** A run of bit fields that fills whole bytes. */
const run: fc.Arbitrary<readonly Sample[]> = fc
  .array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 6 })
  .map((counts) => {
    const rest = counts.reduce((left, count) => (left + 8 * count - count) % 8, 0);
    const samples = counts.map(
      (count): Sample =>
        count === 1
          ? { kind: bit(), values: fc.boolean() }
          : { kind: bits(count), values: fc.nat(2 ** count - 1) },
    );
    return rest === 0 ? samples : [...samples, { kind: reservedBits(rest), values: fc.constant(undefined) }];
  });

const samples: fc.Arbitrary<readonly Sample[]> = fc
  .array(
    fc.oneof(
      composed.map((sample): readonly Sample[] => [sample]),
      run,
      fc
        .integer({ min: 1, max: 3 })
        .map((count): readonly Sample[] => [{ kind: reserved(count), values: fc.constant(undefined) }]),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.flat());

/** A layout, a value of it, and whether the layout's own order is little-endian. */
const cases = fc.tuple(samples, endian).chain(([parts, order]) => {
  const kinds = Object.fromEntries(parts.map(({ kind }, index) => [`f${index}`, kind]));
  const shown = parts.flatMap(({ kind, values }, index) =>
    kind.kind === 'reserved' ? [] : [[`f${index}`, values] as const],
  );
  return fc.record({
    declared: fc.constant(layout('random', kinds, { endian: order })),
    value: fc.record(Object.fromEntries(shown)),
  });
});

/** Reads records by the facts of `layout.fields` alone, as a generated dissector would: one bit at a time. */
const readByFacts = (facts: LayoutFacts, from: Uint8Array): Record<string, unknown> =>
  Object.fromEntries(
    facts.fields
      .filter((field) => field.kind !== 'reserved')
      .map((field) => [
        field.name,
        readFieldByFacts(field, from.subarray(field.offset, field.offset + field.width)),
      ]),
  );

const readFieldByFacts = (field: Field, octets: Uint8Array): unknown => {
  if (field.layout) return readByFacts(field.layout, octets);
  if (field.element) {
    const { element, count = 0 } = field;
    return Array.from({ length: count }, (_, index) =>
      readFieldByFacts(element, octets.subarray(index * element.width, (index + 1) * element.width)),
    );
  }
  if (field.kind === 'bytes') return octets;
  if (field.kind === 'ascii' || field.kind === 'utf8') return 'text';
  const ordered = field.endian === 'big' ? [...octets] : [...octets].reverse();
  const number = ordered.reduce((sum, octet) => 256n * sum + BigInt(octet), 0n);
  if (field.bits) {
    const part = (number >> BigInt(field.bits.shift)) & (2n ** BigInt(field.bits.count) - 1n);
    return field.kind === 'bit' ? part === 1n : Number(part);
  }
  if (field.kind === 'u64') return number;
  return field.kind.startsWith('i') && field.kind !== 'ipv4'
    ? Number(BigInt.asIntN(8 * field.width, number))
    : Number(number);
};

const withoutText = (value: unknown): unknown => {
  if (typeof value === 'string') return 'text';
  if (Array.isArray(value)) return value.map(withoutText);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutText(part)]));
};

describe('any layout', () => {
  it('decodes what it encoded, at any place and over any bytes', () => {
    fc.assert(
      fc.property(cases, fc.nat(9), ({ declared, value }, at) => {
        const clean = declared.encode(value);
        expect(clean).toHaveLength(declared.size);
        expect(declared.decode(clean)).toEqual(value);
        const dirty = new Uint8Array(declared.size + 20).fill(0xff);
        declared.encode(value, dirty, at);
        expect(dirty.subarray(at, at + declared.size)).toEqual(clean);
        expect(dirty.subarray(0, at)).toEqual(new Uint8Array(at).fill(0xff));
        expect(dirty.subarray(at + declared.size)).toEqual(new Uint8Array(20 - at).fill(0xff));
        expect(declared.tryDecode(dirty, at)).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  it('reads and writes by field what it encodes and decodes whole', () => {
    fc.assert(
      fc.property(cases, ({ declared, value }) => {
        const byField = new Uint8Array(declared.size);
        for (const [name, one] of Object.entries(value)) declared.set[name]?.(byField, 0, one);
        expect(byField).toEqual(declared.encode(value));
        for (const [name, one] of Object.entries(value))
          expect(declared.get[name]?.(byField, 0)).toEqual(one);
      }),
      { numRuns: 300 },
    );
  });

  it('can be read by its facts alone', () => {
    fc.assert(
      fc.property(cases, ({ declared, value }) => {
        expect(withoutText(readByFacts(declared, declared.encode(value)))).toEqual(withoutText(value));
      }),
      { numRuns: 300 },
    );
  });

  it('decodes any bytes that are enough, and answers undefined for fewer', () => {
    const random = seeded(20260101);
    fc.assert(
      fc.property(cases, ({ declared }) => {
        const hostile = randomBytes(random, declared.size);
        expect(Object.keys(declared.tryDecode(hostile) ?? {})).toEqual(Object.keys(declared.get));
        for (const size of [0, 1, declared.size >> 1, declared.size - 1]) {
          if (size < declared.size) expect(declared.tryDecode(hostile.subarray(0, size))).toBeUndefined();
        }
        expect(declared.tryDecode(hostile, 1)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});
