import { encodeUtf8 } from '@backplane/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from '../src/index.ts';

/** The definition, byte by byte. */
function byBytes(a: string, b: string): number {
  const [x, y] = [encodeUtf8(a), encodeUtf8(b)];
  const differ = x.findIndex((byte, i) => byte !== y[i]);
  return differ < 0 ? x.length - y.length : (x[differ] ?? 0) - (y[differ] ?? -1);
}

describe('the order of names', () => {
  it('is that of the bytes of their UTF-8', () => {
    // Around the surrogates, where the order of UTF-16 is another one.
    const character = fc.constantFrom('a', 'b', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}');
    const name = fc.array(character, { maxLength: 4 }).map((characters) => characters.join(''));
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(byBytes(a, b)));
      }),
      { numRuns: 1000 },
    );
  });
});
