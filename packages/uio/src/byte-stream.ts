/**
 * Bytes in line with the program (Cheriton 1988): V's programs read and wrote bytes in their own memory; messages only fill
 * and empty a buffer, in whole blocks.
 *
 *   object            reading                                         writing
 *   random access     a buffer around the position; what was          a run of bytes from the position, until it is
 *                     written is brought out first                    interrupted or reaches the end of a unit
 *   a sequence        the block that came last                        a block, until it is full
 *   append only       as either                                       to the end, wherever that is
 *
 * A buffer is one unit: 8 KB, or as much as is asked for, of what takes several blocks at once, else a block. `flush` brings out what is kept back. An
 * object with random access has one position, for both; a sequence has none.
 *
 * Costs. A byte that is got or put by itself: `streamNsPerByte`. Bytes together: the copy.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import { Busy, KernelError, type MachineCosts } from '@backplane/slots';
import { has } from './attributes.ts';
import type { Instance } from './instance.ts';
import { unitBytes as defaultUnitBytes, positionOf, type ReleaseMode } from './operations.ts';

/** What `getByte` gets at the end. */
export const endOfStream = -1;

export type StreamCosts = Pick<MachineCosts, 'streamNsPerByte' | 'copyNsPerByte'>;

const none = new Uint8Array(0);

export class ByteStream {
  static {
    tasks(ByteStream);
  }

  readonly instance: Instance;
  readonly #byteNs: number;
  readonly #copyNs: number;
  readonly #unit: number;
  /** With random access: bytes of the object by offset. */
  readonly #random: boolean;
  /** The position. Of a sequence: how many bytes were read. */
  #at = 0;

  /** What was read, and lies around the position; of a sequence, the last block. */
  #in: Uint8Array = none;
  /** The offset of its first byte. */
  #inAt = 0;
  /** The block that a sequence reads next. */
  #next: number;

  /** Made on the first write. */
  #out: Uint8Array = none;
  #outBytes = 0;
  #outAt = 0;

  /** @param unitBytes of the buffer, at most: whole blocks of it are used, and not more than one operation moves */
  constructor(instance: Instance, costs: StreamCosts, unitBytes: number = defaultUnitBytes) {
    const { attributes, blockBytes } = instance;
    this.instance = instance;
    this.#byteNs = costs.streamNsPerByte;
    this.#copyNs = costs.copyNsPerByte;
    this.#random = has(attributes, 'randomAccess');
    const unit = Math.min(unitBytes, instance.transferBytes);
    this.#unit = Math.max(blockBytes, unit - (unit % blockBytes));
    this.#next = instance.description.nextRead;
  }

  get position(): number {
    return this.#at;
  }

  /** 0 to 255, or `endOfStream`. */
  *getByte(): Task<number> {
    let at = this.#at - this.#inAt;
    if (at < 0 || at >= this.#in.length || this.#outBytes > 0) {
      if (!(yield* this.#fill())) return endOfStream;
      at = this.#at - this.#inAt;
    }
    charge(this.#byteNs, Busy.user);
    this.#at++;
    return this.#in[at] ?? endOfStream;
  }

  *putByte(byte: number): Task<void> {
    if (this.#mustEmpty()) yield* this.flush();
    charge(this.#byteNs, Busy.user);
    this.#room()[this.#outBytes++] = byte;
    this.#moved(1);
    if (this.#isFull()) yield* this.flush();
  }

  /** Up to `count` bytes: of a sequence what the next block has, else all up to the end. None at the end. */
  *read(count: number): Task<Uint8Array> {
    const bytes = new Uint8Array(count);
    let got = 0;
    while (got < count && (yield* this.#fill())) {
      const from = this.#at - this.#inAt;
      const part = this.#in.subarray(from, from + count - got);
      bytes.set(part, got);
      got += part.length;
      this.#at += part.length;
      if (!this.#random) break;
    }
    charge(Math.round(got * this.#copyNs), Busy.user);
    return got === count ? bytes : bytes.subarray(0, got);
  }

  *write(bytes: Uint8Array): Task<void> {
    charge(Math.round(bytes.length * this.#copyNs), Busy.user);
    for (let done = 0; done < bytes.length; ) {
      if (this.#mustEmpty()) yield* this.flush();
      const room = this.#room();
      const part = bytes.subarray(done, done + this.#left());
      room.set(part, this.#outBytes);
      this.#outBytes += part.length;
      done += part.length;
      this.#moved(part.length);
      if (this.#isFull()) yield* this.flush();
    }
  }

  /** @throws KernelError `notSeekable` for a sequence */
  seek(at: number): void {
    if (!this.#random) throw new KernelError('notSeekable');
    if (!Number.isSafeInteger(at) || at < 0) throw new KernelError('badArgument', `seek to ${at}`);
    this.#at = at;
  }

  /** The manager has what was written when it returns; of a sequence, also a block that is not full. */
  *flush(): Task<void> {
    if (this.#outBytes === 0) return;
    const bytes = this.#out.subarray(0, this.#outBytes);
    // Handed over with the message: the next bytes go elsewhere.
    this.#out = none;
    this.#outBytes = 0;
    const { instance } = this;
    if (!this.#random || instance.can('appendOnly')) {
      const { block, first } = yield* instance.append(bytes);
      if (this.#random) this.#at = block * instance.blockBytes + first;
    } else yield* instance.write(positionOf(this.#outAt, instance.blockBytes), bytes);
  }

  *close(mode: ReleaseMode = 'normal'): Task<void> {
    if (mode === 'normal') yield* this.flush();
    yield* this.instance.release(mode);
  }

  /** The byte at the position is in the buffer. False at the end. */
  *#fill(): Task<boolean> {
    if (this.#random && this.#outBytes > 0) yield* this.flush();
    const at = this.#at - this.#inAt;
    if (at >= 0 && at < this.#in.length) return true;
    return this.#random ? yield* this.#fillAround() : yield* this.#fillNext();
  }

  *#fillAround(): Task<boolean> {
    const from = this.#at - (this.#at % this.#unit);
    const bytes = yield* this.instance.read(positionOf(from, this.instance.blockBytes), this.#unit);
    this.#in = bytes ?? none;
    this.#inAt = from;
    return this.#at - from < this.#in.length;
  }

  *#fillNext(): Task<boolean> {
    for (;;) {
      const bytes = yield* this.instance.read({ block: this.#next, first: 0 });
      if (bytes === null) return false;
      this.#next++;
      this.#in = bytes;
      this.#inAt = this.#at;
      // A block may be empty: it has no byte to get.
      if (bytes.length > 0) return true;
    }
  }

  /** What is kept back does not end where the next byte goes. */
  #mustEmpty(): boolean {
    return this.#outBytes > 0 && this.#random && this.#at !== this.#outAt + this.#outBytes;
  }

  #room(): Uint8Array {
    if (this.#outBytes > 0) return this.#out;
    this.#out = new Uint8Array(this.#unit);
    this.#outAt = this.#at;
    // It is about to be out of date.
    if (this.#random) this.#in = none;
    return this.#out;
  }

  /** Bytes up to the end of the unit. */
  #left(): number {
    return this.#unit - (this.#random ? this.#at % this.#unit : this.#outBytes);
  }

  #isFull(): boolean {
    return this.#random ? this.#at % this.#unit === 0 : this.#outBytes === this.#unit;
  }

  #moved(bytes: number): void {
    if (this.#random) this.#at += bytes;
  }
}
