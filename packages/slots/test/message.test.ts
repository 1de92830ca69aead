import { describe, expect, it } from 'vitest';
import {
  codeOf,
  entityId,
  entityIn,
  entityWords,
  flagsOf,
  isGroup,
  MessageFlag,
  message,
  wordOf,
} from '../src/index.ts';

const someone = entityId('000063f924080031');

describe('a message', () => {
  it('is 32 bytes, big-endian, with flags above the code', () => {
    const m = message({ code: 0x42, flags: MessageFlag.datagram, words: [1, 0xffff_ffff] });
    expect([...m.control]).toEqual([0x40, 0, 0, 0x42, 0, 0, 0, 1, 255, 255, 255, 255, ...Array(20).fill(0)]);
    expect([codeOf(m), flagsOf(m), wordOf(m, 1), wordOf(m, 2)]).toEqual([0x42, 0x40, 1, 0xffff_ffff]);
    expect(m.segment.length).toBe(0);
  });

  it('says how long its segment is, in its last word', () => {
    const m = message({ code: 7, segment: new Uint8Array(700) });
    expect(flagsOf(m)).toBe(MessageFlag.segment);
    expect(wordOf(m, 7)).toBe(700);
  });

  it('has no flag and no length for an empty segment', () => {
    const m = message({ code: 7, segment: new Uint8Array(0) });
    expect([flagsOf(m), wordOf(m, 7)]).toEqual([0, 0]);
  });

  it('names the entity whose host is meant', () => {
    const m = message({ code: 1, coResident: someone });
    expect(flagsOf(m)).toBe(MessageFlag.coResident);
    expect(entityIn(m, 1)).toBe(someone);
  });

  it('carries entities in two words anywhere', () => {
    expect(entityIn(message({ code: 1, words: [0, ...entityWords(someone)] }), 2)).toBe(someone);
  });
});

describe('the number of an entity', () => {
  it.each([
    ['000063f924080031', false],
    ['40000001e0000100', true],
    ['6008a05a2408004d', true],
    ['a0001e8f2408004d', false],
  ])('%s is of a group: %s', (digits, group) => {
    expect(isGroup(entityId(digits))).toBe(group);
  });
});
