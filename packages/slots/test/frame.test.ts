import { describe, expect, it } from 'vitest';
import { broadcastAddress, Frame, isGroupAddress } from '../src/index.ts';

const parts = [new Uint8Array([1, 2, 3]), new Uint8Array([4]), new Uint8Array([]), new Uint8Array([5, 6])];
const frame = new Frame(1, 2, 0x0500, parts);

describe('a frame', () => {
  it('is gathered from its parts', () => {
    expect([frame.lengthBytes, [...frame.payload()]]).toEqual([6, [1, 2, 3, 4, 5, 6]]);
  });

  it('gives every piece of its payload, by reference where it lies in one part', () => {
    for (let at = 0; at <= 6; at++)
      for (let n = 0; at + n <= 6; n++)
        expect([...(frame.slice(at, n) ?? [])]).toEqual([1, 2, 3, 4, 5, 6].slice(at, at + n));
    expect(frame.slice(0, 3)).toBe(parts[0]);
    expect(frame.slice(1, 2)?.buffer).toBe(parts[0]?.buffer);
  });

  it('gives its end, by reference where that is its last part', () => {
    for (let n = 0; n <= 6; n++) expect([...(frame.tail(n) ?? [])]).toEqual([1, 2, 3, 4, 5, 6].slice(6 - n));
    expect(frame.tail(2)).toBe(parts[3]);
    expect(frame.tail(1)?.buffer).toBe(parts[3]?.buffer);
    expect([frame.tail(7), new Frame(1, 2, 0x0500, []).tail(1)]).toEqual([undefined, undefined]);
  });

  it('has nothing beyond its end', () => {
    expect([frame.slice(5, 2), frame.slice(-1, 1), frame.slice(7, 0)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('is for a group when the group bit is set', () => {
    expect([
      isGroupAddress(broadcastAddress),
      isGroupAddress(0x010000000000),
      isGroupAddress(0x020000000001),
    ]).toEqual([true, true, false]);
  });
});
