import { describe, expect, it } from 'vitest';
import { Image, Medium, sectorBytes } from '../src/medium.ts';

const sector = (byte: number): Uint8Array => new Uint8Array(sectorBytes).fill(byte);

describe('an image', () => {
  it('has the same key for the same bytes, however it came to them', () => {
    const medium = new Medium('test', new Uint8Array(8 * sectorBytes));
    const one = new Image(medium);
    const two = new Image(medium);
    one.put(3, medium.add(3, sector(1)));
    one.put(5, medium.add(5, sector(2)));
    two.put(5, medium.add(5, sector(9)));
    two.put(5, medium.add(5, sector(2)));
    two.put(3, medium.add(3, sector(1)));
    expect(one.key).toBe(two.key);
    two.put(3, medium.add(3, sector(0)));
    two.put(5, medium.add(5, sector(0)));
    expect(two.key).toBe(new Image(medium).key);
  });

  it('has other keys for equal bytes in other places', () => {
    const medium = new Medium('test', new Uint8Array(8 * sectorBytes));
    const keys = [0, 1, 2, 3, 4, 5, 6, 7].map((s) => {
      const image = new Image(medium);
      image.put(s, medium.add(s, sector(7)));
      return image.key;
    });
    expect(new Set(keys).size).toBe(8);
  });

  it('never changes the disk that it began as, nor the image that it was copied from', () => {
    const base = new Uint8Array(8 * sectorBytes).fill(4);
    const medium = new Medium('test', base);
    const one = new Image(medium);
    const two = one.copy();
    two.put(1, medium.add(1, sector(8)));
    two.read(1, 1).slice().fill(0);
    one.read(2, 1).slice().fill(0);
    expect([one.read(1, 1)[0], two.read(1, 1)[0], two.read(0, 3)[600]]).toEqual([4, 8, 8]);
    expect(base.every((b) => b === 4)).toBe(true);
  });

  it('reads back what was written in one piece, several or none, whatever pieces it is read in', () => {
    const medium = new Medium('test', new Uint8Array(16 * sectorBytes).fill(9));
    const image = new Image(medium);
    const bytes = new Uint8Array(16 * sectorBytes).fill(9);
    let byte = 10;
    for (const [at, count] of [
      [2, 6],
      [4, 2],
      [9, 3],
      [12, 4],
      [12, 1],
    ] as const) {
      const own = new Uint8Array(count * sectorBytes).map((_, i) => byte + (i >> 9));
      byte += count;
      bytes.set(own, at * sectorBytes);
      for (let i = 0; i < count; i++)
        image.put(at + i, medium.add(at + i, own.subarray(i * sectorBytes, (i + 1) * sectorBytes)));
    }
    for (let at = 0; at < 16; at++)
      for (let count = 1; at + count <= 16; count++)
        expect(Buffer.compare(image.read(at, count), bytes.subarray(at * 512, (at + count) * 512))).toBe(0);
  });
});
