/** A bitmap as it lies on the disk, in blocks; a set bit is something in use. Remembers which of its blocks have changed. */
import { bitsPerBlock, blockBytes } from './layouts.ts';

export class Bitmap {
  readonly bits: number;
  readonly bytes: Uint8Array;
  /** Blocks of the bitmap that are not on the disk as they are here. */
  readonly changed: Set<number> = new Set();

  /** Bits beyond `bits`, up to the end of the last block, are set: nobody gets them. */
  constructor(bits: number) {
    this.bits = bits;
    this.bytes = new Uint8Array(Math.ceil(bits / bitsPerBlock) * blockBytes);
    this.#closeEnd();
  }

  get blocks(): number {
    return this.bytes.length / blockBytes;
  }

  has(bit: number): boolean {
    return ((this.bytes[bit >>> 3] ?? 0xff) & (0x80 >>> (bit & 7))) !== 0;
  }

  put(bit: number, used: boolean): void {
    const mask = 0x80 >>> (bit & 7);
    const old = this.bytes[bit >>> 3] ?? 0;
    this.bytes[bit >>> 3] = used ? old | mask : old & ~mask;
    this.changed.add(Math.floor(bit / bitsPerBlock));
  }

  /** The four bits from a multiple of four on, the first one highest. */
  nibble(bit: number): number {
    const byte = this.bytes[bit >>> 3] ?? 0xff;
    return (bit & 4) === 0 ? byte >>> 4 : byte & 15;
  }

  /** The first clear bit from `from` to `to` - 1; -1 for none. */
  nextClear(from: number, to: number): number {
    for (let bit = from; bit < to; ) {
      if ((bit & 7) === 0 && this.bytes[bit >>> 3] === 0xff) bit += 8;
      else if (this.has(bit)) bit++;
      else return bit;
    }
    return -1;
  }

  countClear(): number {
    let clear = 0;
    const whole = this.bits >>> 3;
    for (let at = 0; at < whole; at++) {
      // Most bytes of a disk's bitmaps are all clear or all set.
      const byte = this.bytes[at] ?? 0xff;
      if (byte === 0) clear += 8;
      else for (let free = ~byte & 0xff; free !== 0; free &= free - 1) clear++;
    }
    for (let i = whole * 8; i < this.bits; i++) if (!this.has(i)) clear++;
    return clear;
  }

  /** One of its blocks, for the disk: a copy. */
  block(n: number): Uint8Array {
    return this.bytes.slice(n * blockBytes, (n + 1) * blockBytes);
  }

  /** Takes over what the disk has. Bits beyond the end stay set. */
  load(bytes: Uint8Array): void {
    this.bytes.set(bytes.subarray(0, this.bytes.length));
    this.#closeEnd();
  }

  #closeEnd(): void {
    const whole = Math.ceil(this.bits / 8);
    this.bytes.fill(0xff, whole);
    for (let i = this.bits; i < whole * 8; i++) this.put(i, true);
    this.changed.clear();
  }
}
