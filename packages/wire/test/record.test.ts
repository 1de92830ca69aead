import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, layout, record, u16, u32, WireError } from '../src/index.ts';
import { hex, randomBytes, seeded } from './hex.ts';

describe('byte writer and reader, XDR', () => {
  // The file of RFC 4506, section 7.
  const sillyprog = hex(`
    00000009 73696c6c 7970726f 67000000 | filename "sillyprog"
    00000002                            | kind EXEC
    00000004 6c697370                   | interpretor "lisp"
    00000004 6a6f686e                   | owner "john"
    00000006 28717569 74290000          | contents "(quit)"
  `);

  it('write the example of the standard', () => {
    const to = new ByteWriter();
    to.string('sillyprog').u32(2).string('lisp').string('john').opaque(hex('287175697429'));
    expect(to.length).toBe(48);
    expect(to.finish()).toEqual(sillyprog);
    expect(to.length).toBe(0);
  });

  it('read the example of the standard', () => {
    const from = new ByteReader(sillyprog);
    expect(from.string(255)).toBe('sillyprog');
    expect(from.u32()).toBe(2);
    expect(from.string()).toBe('lisp');
    expect(from.string()).toBe('john');
    expect(from.opaque()).toEqual(hex('287175697429'));
    expect([from.failed, from.remaining, from.length]).toEqual([false, 0, 48]);
  });

  it('hold 64 bits as the nearest number, where a bigint would be exact', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 2n ** 64n - 1n),
        fc.constantFrom('big' as const, 'little' as const),
        (value, endian) => {
          const written = new ByteWriter({ endian }).u64(value).finish();
          const number = new ByteReader(written, { endian }).number64();
          expect(number).toBe(Number(value));
          if (number === 2 ** 64) return;
          const again = new ByteWriter({ endian }).number64(number).finish();
          expect(new ByteReader(again, { endian }).u64()).toBe(BigInt(number));
        },
      ),
    );
    for (const bad of [-1, 0.5, 2 ** 64, Number.NaN])
      expect(() => new ByteWriter().number64(bad)).toThrow(WireError);
  });

  it('hold every sort of value, in either byte order and over many growths', () => {
    const sort = fc.oneof(
      fc.record({ sort: fc.constant('u8' as const), value: fc.nat(0xff) }),
      fc.record({ sort: fc.constant('u16' as const), value: fc.nat(0xffff) }),
      fc.record({ sort: fc.constant('u32' as const), value: fc.nat(0xffffffff) }),
      fc.record({ sort: fc.constant('i32' as const), value: fc.integer() }),
      fc.record({ sort: fc.constant('u64' as const), value: fc.bigInt(0n, 2n ** 64n - 1n) }),
      fc.record({ sort: fc.constant('number64' as const), value: fc.maxSafeNat() }),
      fc.record({ sort: fc.constant('i64' as const), value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }),
      fc.record({ sort: fc.constant('bool' as const), value: fc.boolean() }),
      fc.record({ sort: fc.constant('opaque' as const), value: fc.uint8Array({ maxLength: 300 }) }),
      fc.record({ sort: fc.constant('string' as const), value: fc.string({ unit: 'grapheme' }) }),
      fc.record({
        sort: fc.constant('cString' as const),
        value: fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
      }),
    );
    fc.assert(
      fc.property(fc.array(sort), fc.constantFrom('big' as const, 'little' as const), (values, endian) => {
        const to = new ByteWriter({ endian, capacity: 0 });
        for (const { sort, value } of values) (to[sort] as (value: unknown) => ByteWriter).call(to, value);
        const written = to.finish();
        const from = new ByteReader(written, { endian });
        for (const { sort, value } of values) expect(from[sort]()).toEqual(value);
        expect([from.failed, from.remaining]).toEqual([false, 0]);
        const short = new ByteReader(written.subarray(0, -1), { endian });
        for (const { sort } of values) short[sort]();
        expect(short.failed).toBe(written.length > 0);
      }),
    );
  });

  it('align from the place where they started', () => {
    const to = new ByteWriter().u8(1).align(4).u16(2).align(2).align(8);
    expect(to.finish()).toEqual(hex('01000000 0002 0000'));
    const from = new ByteReader(hex('ff 01eeeeee 02'), { at: 1 });
    expect(from.u8()).toBe(1);
    from.align(4);
    expect([from.u8(), from.length, from.failed]).toEqual([2, 5, false]);
  });

  it('count lists, also of lists', () => {
    const to = new ByteWriter().list([[1, 2], [], [3]], (outer, words) =>
      outer.list(words, (inner, word) => inner.u32(word)),
    );
    const written = to.finish();
    expect(written).toEqual(hex('00000003 00000002 00000001 00000002 00000000 00000001 00000003'));
    const from = new ByteReader(written);
    expect(from.list((outer) => outer.list((inner) => inner.u32()), 3)).toEqual([[1, 2], [], [3]]);
    expect([from.failed, from.remaining]).toEqual([false, 0]);
  });

  it('write nothing of a value that was refused', () => {
    const small = layout('small', { a: u16(), b: u16() });
    const to = new ByteWriter().u16(1);
    expect(() => to.u32(-1)).toThrow(WireError);
    expect(() => to.record(small, { a: 0xffff, b: -1 })).toThrow(WireError);
    expect(to.align(4).u16(2).finish()).toEqual(hex('0001 0000 0002'));
  });

  it('embed records of fixed layout in their own byte order', () => {
    const little = layout('little', { a: u16(), b: u32() }, { endian: 'little' });
    const written = new ByteWriter().u16(1).record(little, { a: 2, b: 3 }).finish();
    expect(written).toEqual(hex('0001 0200 03000000'));
    const from = new ByteReader(written);
    expect([from.u16(), from.record(little)]).toEqual([1, { a: 2, b: 3 }]);
    expect(from.record(little)).toEqual({ a: 0, b: 0 });
    expect(from.failed).toBe(true);
  });

  it('refuse to write what does not fit', () => {
    const to = new ByteWriter();
    for (const write of [
      () => to.u8(256),
      () => to.u32(-1),
      () => to.i32(2 ** 31),
      () => to.u64(-1n),
      () => to.i64(2n ** 63n),
      () => to.cString('a\0b'),
    ]) {
      expect(write).toThrow(WireError);
    }
  });
});

describe('byte reader, bad bytes', () => {
  it('gives zeros from its first failure on, though bytes be left', () => {
    const from = new ByteReader(hex('0000ffff 01020304'));
    expect(from.opaque()).toEqual(new Uint8Array(0));
    expect(from.failed).toBe(true);
    expect(from.remaining).toBe(0);
    expect([from.u8(), from.u16(), from.u32(), from.i32(), from.u64(), from.i64(), from.bool()]).toEqual([
      0,
      0,
      0,
      0,
      0n,
      0n,
      false,
    ]);
    expect([from.string(), from.cString(), from.list((each) => each.u8())]).toEqual(['', '', []]);
  });

  it('fails for what the bytes do not bear out', () => {
    for (const [bytes, read] of [
      ['000000', (from) => from.u32()],
      ['00000002', (from) => from.bool()],
      ['00000005 61626364 65000000', (from) => from.opaque(4)],
      ['00000005 6162636465', (from) => from.opaque()],
      ['616263', (from) => from.cString()],
      ['ffffffff 00000001', (from) => from.list((each) => each.u32())],
      ['00000002 00000001 00000002', (from) => from.list((each) => each.u32(), 1)],
      ['fffffffe 0000', (from) => from.bytes(from.i32())],
      ['00', (from) => from.fail()],
    ] satisfies readonly (readonly [string, (from: ByteReader) => unknown])[]) {
      const from = new ByteReader(hex(bytes));
      read(from);
      expect(from.failed, bytes).toBe(true);
    }
    expect(new ByteReader(hex('00'), { at: 2 }).failed).toBe(true);
  });

  it('never throws and never loops long on hostile bytes', () => {
    const seed = 19880125;
    const random = seeded(seed);
    const reads: readonly ((from: ByteReader) => unknown)[] = [
      (from) => from.u32(),
      (from) => from.string(64),
      (from) => from.cString(),
      (from) => from.opaque(),
      (from) => from.align(1 + random(8)),
      (from) => from.bytes(from.i32()),
      (from) => from.list((each) => each.list((inner) => inner.u8())),
      (from) => from.bool(),
    ];
    for (let trial = 0; trial < 3000; trial++) {
      // Small numbers are likelier to look like lengths.
      const bytes = randomBytes(random, random(60)).map((octet) => (random(3) === 0 ? octet : octet & 3));
      const from = new ByteReader(bytes);
      for (let step = 0; step < 10; step++) reads[random(reads.length)]?.(from);
      expect(from.length, `seed ${seed}, trial ${trial}`).toBeLessThanOrEqual(bytes.length);
      expect(from.remaining).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('record', () => {
  const entry = record<{ readonly id: number; readonly name: string }>(
    'entry',
    (to, { id, name }) => to.u32(id).string(name),
    (from) => ({ id: from.u32(), name: from.string(255) }),
  );

  it('is a codec made of its two halves', () => {
    const bytes = entry.encode({ id: 7, name: 'lost+found' });
    expect(bytes).toEqual(hex('00000007 0000000a 6c6f73742b666f756e64 0000'));
    expect(entry.decode(bytes)).toEqual({ id: 7, name: 'lost+found' });
    expect(entry.tryDecode(bytes)).toEqual({ id: 7, name: 'lost+found' });
  });

  it('wants exactly the bytes of one record', () => {
    for (const bytes of [hex('00000007'), hex('00000007 00000000 00'), hex('')]) {
      expect(entry.tryDecode(bytes)).toBeUndefined();
      expect(() => entry.decode(bytes)).toThrow(
        expect.objectContaining({
          code: 'WIRE_RECORD',
          where: 'entry',
          details: { sizeBytes: bytes.length },
        }),
      );
    }
  });

  it('has the byte order that it was declared with', () => {
    const little = record<number>(
      'n',
      (to, value) => to.u32(value),
      (from) => from.u32(),
      { endian: 'little' },
    );
    expect(little.encode(1)).toEqual(hex('01000000'));
    expect(little.decode(hex('02000000'))).toBe(2);
  });

  it('tells a decoded undefined from a failure', () => {
    const nothing = record<undefined>(
      'nothing',
      (to) => to.u8(0),
      (from) => void from.u8(),
    );
    expect(nothing.decode(hex('00'))).toBeUndefined();
    expect(() => nothing.decode(hex(''))).toThrow(WireError);
  });
});
