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
});
