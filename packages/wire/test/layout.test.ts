import { describe, expect, it } from 'vitest';
import {
  array,
  ascii,
  bits,
  bytes,
  i8,
  i16,
  i32,
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
  WireError,
} from '../src/index.ts';
import { hex } from './hex.ts';

const thrown = (action: () => unknown): WireError => {
  try {
    action();
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

const point = layout('point', { x: i16('steps right'), y: i16('steps up') });

describe('layout', () => {
  it('places fields one after another in the order of declaration', () => {
    const mixed = layout('mixed', { tag: u8(), length: u16(), id: u32(), stamp: u64() });
    expect(mixed.size).toBe(15);
    expect(mixed.offset).toEqual({ tag: 0, length: 1, id: 3, stamp: 7 });
    expect(mixed.fields.map(({ name, offset, width }) => [name, offset, width])).toEqual([
      ['tag', 0, 1],
      ['length', 1, 2],
      ['id', 3, 4],
      ['stamp', 7, 8],
    ]);
  });

  it('writes the most significant byte first unless told otherwise', () => {
    const declare = (endian: 'big' | 'little') =>
      layout('words', { a: u16(), b: u32(), c: u64() }, { endian });
    const value = { a: 0x0102, b: 0x03040506, c: 0x0708090a0b0c0d0en };
    expect(declare('big').encode(value)).toEqual(hex('0102 03040506 0708090a0b0c0d0e'));
    expect(declare('little').encode(value)).toEqual(hex('0201 06050403 0e0d0c0b0a090807'));
    expect(declare('big').decode(declare('big').encode(value))).toEqual(value);
    expect(declare('little').decode(declare('little').encode(value))).toEqual(value);
  });

  it('lets a field have the other byte order', () => {
    const crossed = layout('crossed', { here: u16(), there: u16('', { endian: 'little' }) });
    expect(crossed.encode({ here: 1, there: 1 })).toEqual(hex('0001 0100'));
    expect(crossed.fields.map((field) => field.endian)).toEqual(['big', 'little']);
  });

  it('keeps the sign of signed fields', () => {
    const signed = layout('signed', { a: i8(), b: i16(), c: i32() });
    expect(signed.encode({ a: -1, b: -2, c: -3 })).toEqual(hex('ff fffe fffffffd'));
    for (const value of [
      { a: -128, b: -32768, c: -2147483648 },
      { a: 127, b: 32767, c: 2147483647 },
    ]) {
      expect(signed.decode(signed.encode(value))).toEqual(value);
    }
  });

  it('reads a record in the middle of other bytes, and writes only there', () => {
    const around = hex('aaaa 0001 ffff bbbb');
    expect(point.decode(around, 2)).toEqual({ x: 1, y: -1 });
    expect(point.encode({ x: 2, y: 3 }, around, 2)).toBe(around);
    expect(around).toEqual(hex('aaaa 0002 0003 bbbb'));
  });

  it('writes zeros into reserved fields, gaps and the rest of a stated size, and does not show them', () => {
    const sparse = layout(
      'sparse',
      { a: u8(), hole: reserved(2), b: bits(3), unused: reservedBits(5), c: u16('', { at: 6 }) },
      { size: 10 },
    );
    const dirty = new Uint8Array(12).fill(0xff);
    sparse.encode({ a: 1, b: 5, c: 2 }, dirty, 1);
    expect(dirty).toEqual(hex('ff 01 0000 a0 0000 0002 0000 ff'));
    expect(sparse.decode(new Uint8Array(10).fill(0xff))).toEqual({ a: 255, b: 7, c: 0xffff });
    expect(Object.keys(sparse.get)).toEqual(['a', 'b', 'c']);
    expect(sparse.fields.map((field) => field.name)).toEqual(['a', 'hole', 'b', 'unused', 'c']);
  });

  it('nests layouts and arrays of either', () => {
    const path = layout('path', {
      start: nested(point),
      steps: array(u8(), 3),
      corners: array(nested(point), 2),
      grid: array(array(u16(), 2), 2),
    });
    const value = {
      start: { x: 1, y: 2 },
      steps: [3, 4, 5],
      corners: [
        { x: 6, y: 7 },
        { x: -1, y: -2 },
      ],
      grid: [
        [1, 2],
        [3, 4],
      ],
    };
    const encoded = path.encode(value);
    expect(encoded).toEqual(hex('0001 0002 03 04 05 0006 0007 ffff fffe 0001 0002 0003 0004'));
    expect(path.decode(encoded)).toEqual(value);
    expect(point.get.y(encoded, path.offset.corners + 1 * point.size)).toBe(-2);
  });

  it('gives the byte order of a layout to the elements of its arrays, and leaves nested layouts theirs', () => {
    const outer = layout('outer', { words: array(u16(), 2), inner: nested(point) }, { endian: 'little' });
    expect(outer.encode({ words: [1, 2], inner: { x: 1, y: 2 } })).toEqual(hex('0100 0200 0001 0002'));
  });

  it('reads bytes as a view of what it was given', () => {
    const handle = layout('handle', { id: bytes(4) });
    const from = hex('01020304');
    expect(handle.decode(from).id.buffer).toBe(from.buffer);
    expect(handle.encode({ id: hex('01020304') })).toEqual(from);
  });

  it('pads text and cuts it at its padding', () => {
    const named = layout('named', { name: ascii(6), label: utf8(6, '', { pad: 0x20 }) });
    const encoded = named.encode({ name: 'ginger', label: 'Öl' });
    expect(encoded).toEqual(hex('67696e676572 c3966c202020'));
    expect(named.decode(encoded)).toEqual({ name: 'ginger', label: 'Öl' });
    expect(named.decode(hex('6100620000ff 612062202020'))).toEqual({ name: 'a', label: 'a b' });
    expect(named.decode(hex('80ff41000000 80ff20202020'))).toEqual({
      name: '\ufffd\ufffdA',
      label: '\ufffd\ufffd',
    });
  });

  it('declares the header of sixteen words that both byte orders of hosts send', () => {
    const words = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`word${index}`, u32()]));
    const big = layout('rpc', words);
    const little = layout('rpc', words, { endian: 'little' });
    const sent = little.encode(Object.fromEntries(Object.keys(words).map((name) => [name, 0x0f0e0003])));
    expect(sent).toHaveLength(64);
    expect(big.get['word0']?.(sent, 0)).toBe(0x03000e0f);
    expect(little.get['word15']?.(sent, 0)).toBe(0x0f0e0003);
  });
});

describe('layout, single fields', () => {
  const header = layout('header', { kind: u8(), length: u16(), id: u32() });

  it('reads and writes one field and leaves its neighbours alone', () => {
    const packet = hex('00 01 0002 00000003');
    expect(header.get.length(packet, 1)).toBe(2);
    header.set.length(packet, 1, 0xfffe);
    expect(packet).toEqual(hex('00 01 fffe 00000003'));
    expect(header.get.id(packet, 1)).toBe(3);
  });

  it('refuses to read or write outside the bytes', () => {
    const packet = new Uint8Array(6);
    for (const action of [() => header.get.id(packet, 0), () => header.set.id(packet, 0, 1)]) {
      const error = thrown(action);
      expect(error.code).toBe('WIRE_SHORT');
      expect(error.where).toBe('header.id');
      expect(error.details).toEqual({ neededBytes: 7, availableBytes: 6 });
    }
    expect(packet).toEqual(new Uint8Array(6));
  });

  it('refuses so for every kind', () => {
    const all = layout('all', {
      a: u8(),
      b: u16(),
      c: u32(),
      d: u64(),
      e: bytes(3),
      f: mac(),
      g: bits(20),
      h: bits(4),
    });
    const value = all.decode(new Uint8Array(all.size));
    for (const { name, offset, width } of all.fields) {
      const short = new Uint8Array(offset + width - 1);
      const get: Readonly<Record<string, (bytes: Uint8Array, at: number) => unknown>> = all.get;
      expect(thrown(() => get[name]?.(short, 0)).where).toBe(`all.${name}`);
      expect(() => get[name]?.(new Uint8Array(offset + width), 0)).not.toThrow();
    }
    const short = new Uint8Array(10);
    expect(thrown(() => all.set.d(short, 0, value.d)).code).toBe('WIRE_SHORT');
    expect(thrown(() => all.set.e(short, 0, value.e)).code).toBe('WIRE_SHORT');
    expect(thrown(() => all.set.f(short, 0, value.f)).code).toBe('WIRE_SHORT');
    expect(thrown(() => all.set.g(short, 0, value.g)).code).toBe('WIRE_SHORT');
    expect(short).toEqual(new Uint8Array(10));
  });

  it('refuses a value that does not fit, like encode', () => {
    const error = thrown(() => header.set.kind(new Uint8Array(7), 0, 256));
    expect([error.code, error.where]).toEqual(['WIRE_RANGE', 'header.kind']);
  });
});

describe('layout, short bytes', () => {
  it('throws from decode and encode with what was needed and what is there', () => {
    for (const action of [
      () => point.decode(hex('0001')),
      () => point.decode(hex('0001 0002 0003'), 4),
      () => point.encode({ x: 1, y: 2 }, new Uint8Array(3)),
    ]) {
      expect(thrown(action)).toBeInstanceOf(RangeError);
    }
    const error = thrown(() => point.decode(hex('0001 0002 0003'), 4));
    expect(error.code).toBe('WIRE_SHORT');
    expect(error.where).toBe('point');
    expect(error.details).toEqual({ neededBytes: 8, availableBytes: 6 });
    expect(error.message).toBe('point: needs 8 bytes, 6 are there.');
  });

  it('answers undefined from tryDecode, whatever the place', () => {
    const four = hex('0001 0002');
    expect(point.tryDecode(four)).toEqual({ x: 1, y: 2 });
    for (const at of [1, 4, 100, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(point.tryDecode(four, at)).toBeUndefined();
    }
    expect(point.tryDecode(new Uint8Array(0))).toBeUndefined();
  });
});

describe('layout, values that do not fit', () => {
  it('names layout and field', () => {
    const error = thrown(() => layout('udp', { length: u16() }).encode({ length: 70000 }));
    expect(error.code).toBe('WIRE_RANGE');
    expect(error.where).toBe('udp.length');
    expect(error.message).toBe('udp.length: 70000 is not an integer from 0 to 65535.');
  });

  it('refuses every number that would be cut off', () => {
    const all = layout('all', {
      a: u8(),
      b: u16(),
      c: u32(),
      d: i8(),
      e: i16(),
      f: i32(),
      g: u64(),
      h: bits(8),
    });
    const zeros = { a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0n, h: 0 };
    const wrong = {
      a: [-1, 256, 0.5, Number.NaN],
      b: [-1, 65536, 1e300],
      c: [-1, 2 ** 32, 1.5],
      d: [-129, 128],
      e: [-32769, 32768],
      f: [-(2 ** 31) - 1, 2 ** 31],
      g: [-1n, 2n ** 64n],
      h: [-1, 256, 0.5],
    };
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        const error = thrown(() => all.encode({ ...zeros, [name]: value }));
        expect([error.code, error.where]).toEqual(['WIRE_RANGE', `all.${name}`]);
      }
    }
  });

  it('says how to mend a negative result of bit operators', () => {
    expect(thrown(() => layout('l', { flags: u32() }).encode({ flags: 0x80000000 | 1 })).hint).toContain(
      '>>> 0',
    );
  });

  it('refuses text that would not be read back', () => {
    const text = layout('text', { c: ascii(4), s: ascii(4, '', { pad: 0x20 }), u: utf8(4) });
    const empty = { c: '', s: '', u: '' };
    for (const [name, value] of [
      ['c', 'abcde'],
      ['c', 'a\0b'],
      ['c', 'é'],
      ['s', 'ab '],
      ['u', '\u20ac\u20ac'],
      ['u', '\ud800'],
    ] as const) {
      expect(thrown(() => text.encode({ ...empty, [name]: value })).where).toBe(`text.${name}`);
    }
  });

  it('refuses bytes and arrays of another length', () => {
    const fixed = layout('fixed', { id: bytes(2), list: array(u8(), 2) });
    expect(thrown(() => fixed.encode({ id: hex('01'), list: [1, 2] })).where).toBe('fixed.id');
    expect(thrown(() => fixed.encode({ id: hex('0102'), list: [1] })).where).toBe('fixed.list');
    expect(thrown(() => fixed.encode({ id: hex('0102'), list: [1, 256] })).where).toBe('fixed.list[]');
  });
});

describe('layout, declarations', () => {
  it('refuses what cannot be placed', () => {
    for (const declare of [
      () => layout('l', { a: u32(), b: u8('', { at: 2 }) }),
      () => layout('l', { a: u8('', { at: 0.5 }) }),
      () => layout('l', { a: u32() }, { size: 3 }),
      () => layout('l', { a: bits(3), b: u8() }),
      () => layout('l', { a: bits(3) }),
      () => layout('l', { a: bits(0) }),
      () => layout('l', { a: bits(33), b: bits(7) }),
      () => layout('l', { a: bits(7), b: bits(32), c: bits(1) }),
      () => layout('l', { a: bytes(0) }),
      () => layout('l', { a: array(bits(4), 2) }),
      () => layout('l', { a: array(u8('', { at: 1 }), 2) }),
      () => layout('l', { a: array(reserved(1), 2) }),
      () => layout('l', { 0: u8() }),
      () => layout('l', { Upper: u8() }),
    ]) {
      expect(thrown(declare).code).toBe('WIRE_LAYOUT');
    }
  });
});
