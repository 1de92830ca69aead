/**
 * CRC-32 of IEEE 802.3 (section 3.2.8): polynomial 0x04C11DB7, bits taken least significant first, register preset to ones
 * and complemented at the end.
 *
 * Four bytes are taken at a time, with a table for each (D. V. Sarwate, "Computation of cyclic redundancy checks via table
 * look-up", CACM 31(8), 1988; extended to several bytes by M. Kounavis and F. Berry, "A systematic approach to building
 * high performance software-based CRC generators", ISCC 2005).
 */

/** The polynomial with its bits reversed. */
const POLYNOMIAL = 0xedb88320;

/** Table k, entry b, at 256 * k + b: what byte b does to the register after k further zero bytes. */
const makeTables = (): Int32Array => {
  const tables = new Int32Array(4 * 256);
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

const TABLES: Int32Array = makeTables();

/**
 * The CRC of `bytes`, 0 to 2 ** 32 - 1. Several runs of bytes are checked as one by handing each call the result of the
 * one before: `crc32(second, crc32(first))`.
 */
export const crc32 = (bytes: Uint8Array, before = 0): number => {
  let register = ~before;
  let at = 0;
  // The indices are within the bytes and the tables, so that no `?? 0` is taken.
  for (const last = bytes.length - 4; at <= last; at += 4) {
    register ^=
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24);
    register =
      (TABLES[768 + (register & 0xff)] ?? 0) ^
      (TABLES[512 + ((register >>> 8) & 0xff)] ?? 0) ^
      (TABLES[256 + ((register >>> 16) & 0xff)] ?? 0) ^
      (TABLES[register >>> 24] ?? 0);
  }
  for (; at < bytes.length; at++) {
    register = (TABLES[(register ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (register >>> 8);
  }
  return ~register >>> 0;
};
