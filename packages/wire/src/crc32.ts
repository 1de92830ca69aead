/**
 * CRC-32 of IEEE 802.3 (section 3.2.8): polynomial 0x04C11DB7, bits taken least significant first, register preset to ones
 * and complemented at the end.
 *
 * Long runs go sixteen bytes at a time, as four words, and what is left four bytes at a time, with a table for each byte
 * (D. V. Sarwate, "Computation of cyclic redundancy checks via table look-up", CACM 31(8), 1988; extended to several bytes
 * by M. Kounavis and F. Berry, "A systematic approach to building high performance software-based CRC generators", ISCC
 * 2005).
 */

/** The polynomial with its bits reversed. */
const POLYNOMIAL = 0xedb88320;

/** Table k, entry b, at 256 * k + b: what byte b does to the register after k further zero bytes. */
const makeTables = (): Int32Array => {
  const tables = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let register = byte;
    for (let bit = 0; bit < 8; bit++)
      register = (register & 1) === 1 ? (register >>> 1) ^ POLYNOMIAL : register >>> 1;
    tables[byte] = register;
  }
  for (let entry = 256; entry < tables.length; entry++) {
    const register = tables[entry - 256] ?? 0;
    tables[entry] = (tables[register & 0xff] ?? 0) ^ (register >>> 8);
  }
  return tables;
};

/** Do words of memory begin with their least significant byte, as the register does? */
const LITTLE_ENDIAN: boolean = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Bytes from which a view of them as words is worth its making. */
const LONG_BYTES = 256;

/**
 * The CRC of `bytes`, 0 to 2 ** 32 - 1. Several runs of bytes are checked as one by handing each call the result of the
 * one before: `crc32(second, crc32(first))`.
 */
export const crc32: (bytes: Uint8Array, before?: number) => number = /* @__PURE__ */ (() => {
  const tables = makeTables(); // in a closure the compiler takes it for the constant it is
  // Indices are within the bytes and the tables, so that no `?? 0` is taken.

  /** @param words a multiple of four */
  const byWords = (words: Int32Array, before: number): number => {
    let register = before;
    for (let at = 0; at < words.length; at += 4) {
      const first = register ^ (words[at] ?? 0);
      const second = words[at + 1] ?? 0;
      const third = words[at + 2] ?? 0;
      const fourth = words[at + 3] ?? 0;
      register =
        (tables[3840 + (first & 0xff)] ?? 0) ^
        (tables[3584 + ((first >>> 8) & 0xff)] ?? 0) ^
        (tables[3328 + ((first >>> 16) & 0xff)] ?? 0) ^
        (tables[3072 + (first >>> 24)] ?? 0) ^
        (tables[2816 + (second & 0xff)] ?? 0) ^
        (tables[2560 + ((second >>> 8) & 0xff)] ?? 0) ^
        (tables[2304 + ((second >>> 16) & 0xff)] ?? 0) ^
        (tables[2048 + (second >>> 24)] ?? 0) ^
        (tables[1792 + (third & 0xff)] ?? 0) ^
        (tables[1536 + ((third >>> 8) & 0xff)] ?? 0) ^
        (tables[1280 + ((third >>> 16) & 0xff)] ?? 0) ^
        (tables[1024 + (third >>> 24)] ?? 0) ^
        (tables[768 + (fourth & 0xff)] ?? 0) ^
        (tables[512 + ((fourth >>> 8) & 0xff)] ?? 0) ^
        (tables[256 + ((fourth >>> 16) & 0xff)] ?? 0) ^
        (tables[fourth >>> 24] ?? 0);
    }
    return register;
  };

  const byBytes = (bytes: Uint8Array, from: number, to: number, before: number): number => {
    let register = before;
    let at = from;
    for (const last = to - 4; at <= last; at += 4) {
      register ^=
        (bytes[at] ?? 0) |
        ((bytes[at + 1] ?? 0) << 8) |
        ((bytes[at + 2] ?? 0) << 16) |
        ((bytes[at + 3] ?? 0) << 24);
      register =
        (tables[768 + (register & 0xff)] ?? 0) ^
        (tables[512 + ((register >>> 8) & 0xff)] ?? 0) ^
        (tables[256 + ((register >>> 16) & 0xff)] ?? 0) ^
        (tables[register >>> 24] ?? 0);
    }
    for (; at < to; at++) register = (tables[(register ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (register >>> 8);
    return register;
  };

  return (bytes, before = 0) => {
    if (bytes.length < LONG_BYTES || !LITTLE_ENDIAN) return ~byBytes(bytes, 0, bytes.length, ~before) >>> 0;
    const head = -bytes.byteOffset & 3;
    const quads = (bytes.length - head) >> 4;
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + head, 4 * quads);
    const register = byWords(words, byBytes(bytes, 0, head, ~before));
    return ~byBytes(bytes, head + 16 * quads, bytes.length, register) >>> 0;
  };
})();
