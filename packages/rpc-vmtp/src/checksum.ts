/**
 * VMTP's checksum (RFC 1045): two one's complement sums of 16-bit words, one over the odd and one over the even
 * clusters of 16 words, so that a processor can add a cluster while the next one is on its way.
 *
 *   clusters 1, 3, 5, ...   the upper half of the checksum
 *   clusters 2, 4, 6, ...   the lower half
 *
 * A sum of 0 is sent as 0xffff, so four bytes of zero can mean that no checksum was computed. Unlike the internet's, the sums
 * are not complemented: the RFC's text does not ask for it.
 */
const clusterBytes = 32;

/** Sums a packet up in pieces of any length. One of it serves all packets of a host. */
export class ClusterSums {
  #odd = 0;
  #even = 0;
  #at = 0;

  start(): this {
    this.#odd = 0;
    this.#even = 0;
    this.#at = 0;
    return this;
  }

  /** The bytes that come next. */
  add(bytes: Uint8Array): this {
    for (let from = 0; from < bytes.length; ) {
      const at = this.#at + from;
      const end = Math.min(bytes.length, from + clusterBytes - (at % clusterBytes));
      const sum = sumOf(bytes, from, end, at % 2 === 1);
      if (at % (2 * clusterBytes) < clusterBytes) this.#odd += sum;
      else this.#even += sum;
      from = end;
    }
    this.#at += bytes.length;
    return this;
  }

  /** The checksum, 32 bits, never 0 in either half. */
  value(): number {
    return fold(this.#odd) * 0x1_0000 + fold(this.#even);
  }
}

/** The plain sum; `odd`: the first byte is the lower half of a word whose upper half came before. */
function sumOf(bytes: Uint8Array, start: number, end: number, odd: boolean): number {
  let sum = 0;
  let at = start;
  if (odd) sum += bytes[at++] ?? 0;
  for (; at + 1 < end; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if (at < end) sum += (bytes[at] ?? 0) << 8;
  return sum;
}

/** Carries around; 1 to 0xffff. */
function fold(plain: number): number {
  let sum = plain;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum === 0 ? 0xffff : sum;
}
