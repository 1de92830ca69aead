/**
 * The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit words.
 *
 * The sum does not depend on the order of words, so that a header, its pseudo-header and the payload may be summed apart
 * and carried on, as long as all parts but the last have an even length.
 */

/**
 * The one's complement sum, 0 to 0xffff, of `bytes` from `start` up to `end` taken as big-endian words and carried on from
 * `before`. An odd byte at the end counts as the high half of a word.
 */
export const onesComplementSum = (
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  before = 0,
): number => {
  let sum = before;
  let at = start;
  // Carries are folded in at the end: a double holds the plain sum of any array exactly.
  for (; at + 1 < end; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if (at < end) sum += (bytes[at] ?? 0) << 8;
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return sum;
};

/**
 * What a sender puts into the checksum field (after writing zero there), and 0 for a receiver if nothing was changed on
 * the way: the sum over a block that contains its own checksum is 0xffff.
 */
export const internetChecksum = (
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  before = 0,
): number => ~onesComplementSum(bytes, start, end, before) & 0xffff;
