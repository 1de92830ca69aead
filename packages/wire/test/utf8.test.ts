import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUtf8, encodeUtf8, encodeUtf8Into, utf8Length } from '../src/index.ts';

/** The platform's own codecs, which sources do without. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new (
  name: string,
  options: { ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

describe('utf-8', () => {
  it('encodes as the platform does, lone surrogates included', () => {
    const platform = new TextEncoder();
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff)), (units) => {
        const text = String.fromCharCode(...units);
        expect(encodeUtf8(text)).toEqual(Uint8Array.from(platform.encode(text)));
        expect(utf8Length(text)).toBe(encodeUtf8(text).length);
      }),
    );
  });

  it('encodes in place, and says where that ends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(9), (text, at) => {
        const encoded = encodeUtf8(text);
        const bytes = new Uint8Array(at + encoded.length + 3).fill(0xff);
        expect(encodeUtf8Into(text, bytes, at)).toBe(at + encoded.length);
        expect([...bytes]).toEqual([...Array(at).fill(0xff), ...encoded, 0xff, 0xff, 0xff]);
      }),
    );
  });

  it('decodes as the platform does, ill-formed bytes included', () => {
    const platform = new TextDecoder('utf-8', { ignoreBOM: true });
    const octet = fc.oneof(
      fc.nat(0x7f),
      fc.integer({ min: 0x80, max: 0xbf }),
      fc.constantFrom(0xc0, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff),
    );
    fc.assert(
      fc.property(fc.array(octet), (octets) => {
        const encoded = Uint8Array.from(octets);
        expect(decodeUtf8(encoded)).toBe(platform.decode(encoded));
      }),
      { numRuns: 1000 },
    );
  });

  it('gives well-formed text back', () => {
    const character = fc.nat(0x10ffff).filter((point) => point < 0xd800 || point > 0xdfff);
    fc.assert(
      fc.property(fc.array(character), (points) => {
        const text = String.fromCodePoint(...points);
        expect(decodeUtf8(encodeUtf8(text))).toBe(text);
      }),
    );
  });
});
