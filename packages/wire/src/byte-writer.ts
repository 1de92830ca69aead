/**
 * Writes a sequence of values of variable length: parameter areas, directory entries, XDR.
 *
 * Conventions of XDR (RFC 4506), for those who speak it, in big-endian order: int `i32`, unsigned int and enum `u32`,
 * hyper `i64`, unsigned hyper `u64` or `number64`, bool `bool`, fixed opaque `bytes(b).align(4)`, variable opaque `opaque`, string
 * `string`, variable array `list`, optional data a `bool` and what follows.
 *
 * Rules of use: methods return the writer, so that they chain; `finish` gives the bytes away and leaves the writer empty.
 */
import { outOfRange } from './errors.ts';
import type { Accessor, Endian } from './field.ts';
import type { Layout } from './layout.ts';
import { encodeUtf8 } from './utf8.ts';
import { type Words, wordsOf } from './words.ts';

const HEAP_BYTES_MAX = 64;

export class ByteWriter {
  readonly #words: Words;
  #bytes: Uint8Array;
  #length = 0;

  /** `capacity` is how many bytes to make room for at once; more are found when needed. */
  constructor(options: { readonly endian?: Endian; readonly capacity?: number } = {}) {
    this.#words = wordsOf(options.endian ?? 'big');
    this.#bytes = new Uint8Array(options.capacity ?? HEAP_BYTES_MAX);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    return this.#put(this.#words.u8, 1, value);
  }

  u16(value: number): this {
    return this.#put(this.#words.u16, 2, value);
  }

  u32(value: number): this {
    return this.#put(this.#words.u32, 4, value);
  }

  i32(value: number): this {
    return this.#put(this.#words.i32, 4, value);
  }

  /** As `u64`, of a number: for times and sizes, where a bigint at each would cost too much. */
  number64(value: number): this {
    if (!Number.isInteger(value) || value < 0 || value >= 0x1_0000_0000_0000_0000)
      throw outOfRange('number64', value, 'an integer from 0 to 2 ** 64 - 1');
    const at = this.#room(8);
    const big = this.#words.endian === 'big';
    const high = Math.floor(value / 0x1_0000_0000);
    this.#words.u32.set(this.#bytes, big ? at : at + 4, high);
    this.#words.u32.set(this.#bytes, big ? at + 4 : at, value - high * 0x1_0000_0000);
    this.#length = at + 8;
    return this;
  }

  u64(value: bigint): this {
    return this.#put(this.#words.u64, 8, value);
  }

  i64(value: bigint): this {
    if (BigInt.asIntN(64, value) !== value) throw outOfRange('i64', value, 'a signed bigint of 64 bits');
    return this.u64(BigInt.asUintN(64, value));
  }

  /** A word of 32 bits, 0 or 1. */
  bool(value: boolean): this {
    return this.u32(value ? 1 : 0);
  }

  /** The bytes as they are: no length, no padding. */
  bytes(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
    this.#length = at + value.length;
    return this;
  }

  /** Zeros up to the next multiple of `boundary` bytes from the start. */
  align(boundary: number): this {
    const count = (boundary - (this.#length % boundary)) % boundary;
    const at = this.#room(count);
    this.#length = at + count;
    this.#bytes.fill(0, at, this.#length);
    return this;
  }

  /** Length in a `u32`, the bytes, zeros up to a multiple of four. */
  opaque(value: Uint8Array): this {
    return this.u32(value.length).bytes(value).align(4);
  }

  /** UTF-8, as `opaque`. */
  string(text: string): this {
    return this.opaque(encodeUtf8(text));
  }

  /** UTF-8 and a zero byte; refuses a text that has a zero in it. */
  cString(text: string): this {
    if (text.includes('\0')) throw outOfRange('cString', JSON.stringify(text), 'free of zero characters');
    return this.bytes(encodeUtf8(text)).u8(0);
  }

  /** A record of fixed layout, in the layout's own byte order. */
  record<T>(layout: Layout<T>, value: T): this {
    const at = this.#room(layout.size);
    layout.encode(value, this.#bytes, at);
    this.#length = at + layout.size;
    return this;
  }

  /** Length in a `u32`, then each element. */
  list<T>(elements: readonly T[], write: (to: this, element: T) => void): this {
    this.u32(elements.length);
    for (const element of elements) write(this, element);
    return this;
  }

  finish(): Uint8Array {
    // V8 keeps arrays of up to 64 bytes in its heap; a view of one would first move it out, which costs more than a copy.
    const small = this.#bytes.length <= HEAP_BYTES_MAX;
    const written = small ? this.#bytes.slice(0, this.#length) : this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return written;
  }

  /** Nothing is written of a value that does not fit. */
  #put<T>(word: Accessor<T>, width: number, value: T): this {
    const at = this.#room(width);
    word.set(this.#bytes, at, value);
    this.#length = at + width;
    return this;
  }

  /** Makes room for `count` bytes more, and returns where they will start. */
  #room(count: number): number {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(HEAP_BYTES_MAX, 2 * this.#bytes.length, needed));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return this.#length;
  }
}
