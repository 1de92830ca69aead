import { entityId, noEntity, segmentBytesMax, wordOf } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { attributeBits, has, UioAttribute } from '../src/attributes.ts';
import {
  createAsked,
  described,
  describing,
  type InstanceDescription,
  offsetOf,
  positionOf,
  readGot,
  readResponse,
  toCreate,
  transferBytesMax,
} from '../src/operations.ts';

const alice = entityId('00000000000000a1');
const description: InstanceDescription = {
  manager: alice,
  instance: 7,
  blockBytes: 512,
  attributes: attributeBits('readable', 'storage', 'randomAccess'),
  sizeBytes: 3 * 512 + 100,
  nextRead: 0,
  nextWrite: 0,
};

describe('a description in a message', () => {
  it('says where storage ends, and goes without a segment', () => {
    const m = describing(description);
    expect([wordOf(m, 4), wordOf(m, 5), m.segment.length]).toEqual([3, 100, 0]);
    expect(described(m)).toEqual(description);
  });

  it('says of a sequence which blocks are next', () => {
    const stream = {
      ...description,
      attributes: attributeBits('readable', 'writeable'),
      sizeBytes: 0,
      nextRead: 12,
      nextWrite: 34,
    };
    expect(described(describing(stream))).toEqual(stream);
  });
});

describe('a request to create', () => {
  it('carries name, mode, owner and what else the kind needs', () => {
    const q = { name: 'disk/ä', mode: 3, owner: alice, particulars: pattern(20, 1) };
    expect(createAsked(toCreate(q), noEntity)).toEqual(q);
  });

  it('makes who asks the owner, unless it says otherwise', () => {
    expect(createAsked(toCreate({ mode: 1 }), alice).owner).toBe(alice);
  });
});

describe('what was read', () => {
  it('is told from the end, also when it is empty', () => {
    expect(readGot(readResponse(new Uint8Array(0), false))).toHaveLength(0);
    expect(readGot(readResponse(null, false))).toBeNull();
    expect(readGot(readResponse(pattern(9, 1), true))).toEqual(pattern(9, 1));
  });

  it('is never more than a message takes', () => {
    expect(transferBytesMax).toBe(segmentBytesMax);
  });
});

describe('a position', () => {
  it.each([0, 1, 1023, 1024, 5000, 2 ** 40 + 17])('holds the offset %s', (at) => {
    expect(offsetOf(positionOf(at, 1024), 1024)).toBe(at);
  });
});

describe('attributes', () => {
  it('have a bit each', () => {
    const names = Object.keys(UioAttribute) as (keyof typeof UioAttribute)[];
    for (const name of names)
      expect(names.filter((other) => has(attributeBits(name), other))).toEqual([name]);
  });
});
