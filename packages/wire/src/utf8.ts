/**
 * UTF-8 (RFC 3629), without the platform's codecs, so that packages need neither a browser's nor Node's library. What is
 * ill-formed becomes U+FFFD exactly as the WHATWG Encoding Standard says: one for each maximal part of a sequence.
 */

const REPLACEMENT = 0xfffd;

export const encodeUtf8 = (text: string): Uint8Array => {
  const encoded = new Uint8Array(utf8Length(text));
  encodeUtf8Into(text, encoded, 0);
  return encoded;
};

/** Writes the text there, which must have room for all of it. Returns where it ends. */
export const encodeUtf8Into = (text: string, bytes: Uint8Array, at: number): number => {
  let plain = 0;
  for (; plain < text.length; plain++) {
    const unit = text.charCodeAt(plain);
    if (unit >= 0x80) break;
    bytes[at + plain] = unit;
  }
  return plain === text.length ? at + plain : encodeRest(text.slice(plain), bytes, at + plain);
};

const encodeRest = (text: string, bytes: Uint8Array, from: number): number => {
  let at = from;
  for (const character of text) {
    const point = scalar(character);
    if (point < 0x80) {
      bytes[at++] = point;
      continue;
    }
    if (point < 0x800) {
      bytes[at++] = 0xc0 | (point >> 6);
    } else {
      if (point < 0x10000) {
        bytes[at++] = 0xe0 | (point >> 12);
      } else {
        bytes[at++] = 0xf0 | (point >> 18);
        bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
      }
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
    }
    bytes[at++] = 0x80 | (point & 0x3f);
  }
  return at;
};

/** How many bytes `encodeUtf8` makes of it: as many as code units if and only if all are ASCII. */
export const utf8Length = (text: string): number => {
  let plain = 0;
  while (plain < text.length && text.charCodeAt(plain) < 0x80) plain++;
  if (plain === text.length) return plain;
  let length = 0;
  for (const character of text) {
    const point = scalar(character);
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return length;
};

/** As many bytes as may be arguments of one call. */
const PLAIN_BYTES_MAX = 4096;

export const decodeUtf8 = (encoded: Uint8Array): string => {
  let at = 0;
  while (at < encoded.length && at < PLAIN_BYTES_MAX && (encoded[at] ?? 0x80) < 0x80) at++;
  // `apply` takes the bytes as they are; a spread would go through the array's iterator, at eight times the price.
  let text: string = Reflect.apply(String.fromCharCode, undefined, encoded.subarray(0, at));
  while (at < encoded.length) {
    const lead = encoded[at++] ?? 0;
    if (lead < 0x80) {
      text += String.fromCharCode(lead);
      continue;
    }
    const trailing = trailingBytes(lead);
    let point = trailing === 0 ? REPLACEMENT : lead & (0x3f >> trailing);
    for (let left = trailing; left > 0; left--) {
      const next = encoded[at] ?? 0;
      const first = left === trailing;
      if (next < (first ? leastSecond(lead) : 0x80) || next > (first ? mostSecond(lead) : 0xbf)) {
        point = REPLACEMENT;
        break;
      }
      point = (point << 6) | (next & 0x3f);
      at++;
    }
    text += String.fromCodePoint(point);
  }
  return text;
};

/** A string's iterator gives whole characters, and surrogates only where they have no partner. */
const scalar = (character: string): number => {
  const point = character.codePointAt(0) ?? REPLACEMENT;
  return point >= 0xd800 && point <= 0xdfff ? REPLACEMENT : point;
};

/** 0 for a byte that starts no sequence. */
const trailingBytes = (lead: number): number => {
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
};

/** The second byte's bounds shut out overlong forms, surrogates and what lies beyond U+10FFFF. */
const leastSecond = (lead: number): number => (lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80);
const mostSecond = (lead: number): number => (lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf);
