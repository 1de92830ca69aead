import { describe, expect, it } from 'vitest';
import { bit, bits, layout, reservedBits, u8, u16 } from '../src/index.ts';
import { hex } from './hex.ts';

describe('bits', () => {
  it('count from the most significant bit of a big-endian layout', () => {
    const header = layout('ip', {
      version: bits(4),
      words: bits(4),
      dont: bit(),
      more: bit(),
      offset: bits(14),
    });
    const encoded = header.encode({ version: 4, words: 5, dont: true, more: false, offset: 0x1234 });
    expect(encoded).toEqual(hex('45 9234'));
    expect(header.decode(encoded)).toEqual({ version: 4, words: 5, dont: true, more: false, offset: 0x1234 });
  });

  it('count from the least significant bit of a little-endian layout', () => {
    const entry = layout(
      'pte',
      { valid: bit(), dirty: bit(), spare: reservedBits(10), frame: bits(20) },
      { endian: 'little' },
    );
    expect(entry.encode({ valid: true, dirty: false, frame: 0xabcde })).toEqual(hex('01 e0 cd ab'));
    expect(entry.decode(hex('fe ef cd ab'))).toEqual({ valid: false, dirty: true, frame: 0xabcde });
  });

  // RFC 1045: the word at offset 12 of a response that asks for an acknowledgement of its group, was sent
  // twice, and is urgent.
  it('express the control word of VMTP', () => {
    const control = layout('vmtp.control', {
      nextReceiveSequence: bit(),
      acknowledge: bit(),
      notStart: bit(),
      notEnd: bit(),
      noRetransmission: bit(),
      memberOfGroup: bit(),
      continued: bit(),
      skipTransactions: bit(),
      delayResponse: bit(),
      retransmitCount: bits(3),
      forwardCount: bits(4),
      gap: bits(8),
      priority: bits(4),
      unused: reservedBits(3),
      response: bit(),
    });
    expect(control.size).toBe(4);
    expect(control.decode(hex('401000c1'))).toMatchObject({
      acknowledge: true,
      notStart: false,
      retransmitCount: 1,
      forwardCount: 0,
      priority: 0b1100,
      response: true,
    });
    expect(control.encode(control.decode(hex('401000c1')))).toEqual(hex('401000c1'));
  });

  it('fill a word to its last bit', () => {
    const word = layout('word', { all: bits(32), high: bits(1), low: bits(31) });
    const value = { all: 0xffffffff, high: 1, low: 0x7fffffff };
    expect(word.encode(value)).toEqual(hex('ffffffff ffffffff'));
    expect(word.decode(hex('80000001 80000001'))).toEqual({ all: 0x80000001, high: 1, low: 1 });
  });

  it('cross bytes in both byte orders', () => {
    const declare = (endian: 'big' | 'little') =>
      layout('cross', { a: bits(3), b: bits(18), c: bits(3) }, { endian });
    const value = { a: 0b101, b: 0x2aaab, c: 0b001 };
    // 101 101010101010101011 001
    expect(declare('big').encode(value)).toEqual(hex('b5 55 59'));
    // As one number, from the top: 001 101010101010101011 101
    expect(declare('little').encode(value)).toEqual(hex('5d 55 35'));
    expect(declare('big').decode(hex('b55559'))).toEqual(value);
    expect(declare('little').decode(hex('5d5535'))).toEqual(value);
  });

  it('leave the bits of their neighbours alone when one is set', () => {
    const header = layout('h', { a: bits(3), b: bits(10), c: bits(3), after: u8() });
    const bytes = hex('ffff ff');
    header.set.b(bytes, 0, 0);
    expect(bytes).toEqual(hex('e007 ff'));
    header.set.b(bytes, 0, 0x3ff);
    expect(bytes).toEqual(hex('ffff ff'));
  });

  it('begin a new run after a whole field or an explicit place', () => {
    const runs = layout('runs', {
      a: bits(8),
      whole: u16(),
      b: bits(4),
      c: bits(4),
      d: bits(8, '', { at: 6 }),
    });
    expect(
      runs.fields.map(({ name, offset, width, bits: place }) => [name, offset, width, place?.shift]),
    ).toEqual([
      ['a', 0, 1, 0],
      ['whole', 1, 2, undefined],
      ['b', 3, 1, 4],
      ['c', 3, 1, 0],
      ['d', 6, 1, 0],
    ]);
    expect(runs.encode({ a: 1, whole: 2, b: 3, c: 4, d: 5 })).toEqual(hex('01 0002 34 0000 05'));
  });
});
