/**
 * Reads a sequence of values of variable length out of bytes that somebody else made.
 *
 * Nothing here throws on what the bytes hold. The first read that they do not bear out (past their end, a length beyond
 * them or beyond the stated limit, a string without its zero, a `bool` of 2) puts the reader into its failed state: that
 * read and all later ones give zero, false, empty bytes or ''. So a record is read straight through, and `failed` is
 * looked at once, before anything that was read is used:
 *
 *   const from = new ByteReader(bytes);
 *   const request = { handle: from.u32(), name: from.string(255) };
 *   if (from.failed) return undefined;
 *
 * Rules of use: bound loops by `list` or by `failed`, never by a count that was read; do not act on values before `failed`
 * was checked. Bytes that are read are views, not copies. Which method reads what: see `ByteWriter`.
 */
import type { Endian } from './field.ts';
import type { Layout } from './layout.ts';
import { decodeUtf8 } from './utf8.ts';
import { type Words, wordsOf } from './words.ts';

export class ByteReader {
  readonly #words: Words;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  #next: number;
  #failed = false;

  /** Starts at byte `at`; alignment counts from there. */
  constructor(bytes: Uint8Array, options: { readonly endian?: Endian; readonly at?: number } = {}) {
    this.#words = wordsOf(options.endian ?? 'big');
    this.#bytes = bytes;
    this.#start = options.at ?? 0;
    this.#next = this.#start;
    if (this.#start > bytes.length) this.fail();
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Bytes read so far. */
  get length(): number {
    return this.#next - this.#start;
  }

  /** Bytes not yet read; none once failed. */
  get remaining(): number {
    return this.#failed ? 0 : this.#bytes.length - this.#next;
  }

  /** Declares the bytes bad: for values that have the right form and make no sense. */
  fail(): void {
    this.#failed = true;
  }

  u8(): number {
    return this.#take(1) ? this.#words.u8.get(this.#bytes, this.#next - 1) : 0;
  }

  u16(): number {
    return this.#take(2) ? this.#words.u16.get(this.#bytes, this.#next - 2) : 0;
  }

  u32(): number {
    return this.#take(4) ? this.#words.u32.get(this.#bytes, this.#next - 4) : 0;
  }

  i32(): number {
    return this.#take(4) ? this.#words.i32.get(this.#bytes, this.#next - 4) : 0;
  }

  /** 64 bits as a number: exact below 2 ** 53, beyond it the nearest one. */
  number64(): number {
    if (!this.#take(8)) return 0;
    const at = this.#next - 8;
    const big = this.#words.endian === 'big';
    const high = this.#words.u32.get(this.#bytes, big ? at : at + 4);
    const low = this.#words.u32.get(this.#bytes, big ? at + 4 : at);
    return high * 0x1_0000_0000 + low;
  }

  u64(): bigint {
    return this.#take(8) ? this.#words.u64.get(this.#bytes, this.#next - 8) : 0n;
  }

  i64(): bigint {
    return BigInt.asIntN(64, this.u64());
  }

  bool(): boolean {
    const value = this.u32();
    if (value > 1) this.fail();
    return value === 1;
  }

  bytes(count: number): Uint8Array {
    const from = this.#next;
    return this.#take(count) ? this.#bytes.subarray(from, from + count) : this.#bytes.subarray(0, 0);
  }

  /** Skips to the next multiple of `boundary` bytes from the start; what is skipped may hold anything. */
  align(boundary: number): void {
    this.#take((boundary - (this.length % boundary)) % boundary);
  }

  /** @param sizeMax bytes beyond which the reader fails, though they be there */
  opaque(sizeMax: number = this.#bytes.length): Uint8Array {
    const count = this.u32();
    if (count > sizeMax) this.fail();
    const value = this.bytes(count);
    this.align(4);
    return value;
  }

  /** @param sizeMax bytes of UTF-8 beyond which the reader fails */
  string(sizeMax?: number): string {
    return decodeUtf8(this.opaque(sizeMax));
  }

  /** UTF-8 up to a zero byte, which is read too. */
  cString(): string {
    const zero = this.#bytes.indexOf(0, this.#next);
    if (zero < 0) this.fail();
    const text = decodeUtf8(this.bytes(zero - this.#next));
    this.#take(1);
    return this.#failed ? '' : text;
  }

  /** A record of fixed layout; a failed reader gives one read from zeros. */
  record<T>(layout: Layout<T>): T {
    const from = this.#next;
    return this.#take(layout.size)
      ? layout.decode(this.#bytes, from)
      : layout.decode(new Uint8Array(layout.size));
  }

  /**
   * A counted list. Stops at the first failure; each element must take at least one byte, so that a count beyond the
   * bytes that are left fails at once.
   */
  list<T>(read: (from: this) => T, countMax: number = this.remaining): readonly T[] {
    const count = this.u32();
    if (count > countMax || count > this.remaining) this.fail();
    const elements: T[] = [];
    while (!this.#failed && elements.length < count) elements.push(read(this));
    return this.#failed ? [] : elements;
  }

  /** Moves past `count` bytes, if they are there. */
  #take(count: number): boolean {
    if (this.#failed || count < 0 || count > this.#bytes.length - this.#next) {
      this.#failed = true;
      return false;
    }
    this.#next += count;
    return true;
  }
}
