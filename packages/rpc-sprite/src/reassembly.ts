/**
 * A message that is being put together from its fragments. They are kept as they came and joined once, at the end: that is
 * the one copy that the real system made, and where the fragments lie side by side in one sender's bytes it costs nothing
 * here.
 *
 *   invariants   bit k of `mask` is set when fragment k is here; no fragment replaces another
 *                `fragments` is the number that the first packet named; packets that name another are refused
 */
import type { Payload } from '@backplane/slots';
import { limits } from './layout.ts';
import { allOf, noBytes, type Packet } from './packet.ts';

export type Added = 'added' | 'duplicate' | 'refused';

export class Reassembly {
  mask = 0;
  fragments = 0;
  readonly #parameters: Uint8Array[] = new Array<Uint8Array>(limits.fragments).fill(noBytes);
  readonly #data: Uint8Array[] = new Array<Uint8Array>(limits.fragments).fill(noBytes);
  readonly #parameterOffsets: Int32Array = new Int32Array(limits.fragments);
  readonly #dataOffsets: Int32Array = new Int32Array(limits.fragments);

  get started(): boolean {
    return this.mask !== 0;
  }

  get complete(): boolean {
    return this.mask === allOf(this.fragments);
  }

  add(p: Packet): Added {
    if (this.mask === 0) this.fragments = p.fragments;
    else if (p.fragments !== this.fragments) return 'refused';
    if ((this.mask & p.fragmentMask) !== 0) return 'duplicate';
    const k = 31 - Math.clz32(p.fragmentMask);
    this.mask |= p.fragmentMask;
    this.#parameters[k] = p.parameters;
    this.#data[k] = p.data;
    this.#parameterOffsets[k] = p.parameterOffset;
    this.#dataOffsets[k] = p.dataOffset;
    return 'added';
  }

  /** The message, once it is complete; undefined when its fragments leave gaps or overlap. Starts anew in either case. */
  take(): Payload | undefined {
    const parameters = join(this.#parameters, this.#parameterOffsets, this.fragments);
    const data = join(this.#data, this.#dataOffsets, this.fragments);
    this.clear();
    return parameters === undefined || data === undefined ? undefined : { parameters, data };
  }

  clear(): void {
    for (let k = 0; k < this.fragments; k++) {
      this.#parameters[k] = noBytes;
      this.#data[k] = noBytes;
    }
    this.mask = 0;
    this.fragments = 0;
  }
}

/** One area from its pieces in order; empty pieces have no place. */
function join(pieces: readonly Uint8Array[], offsets: Int32Array, count: number): Uint8Array | undefined {
  let first = noBytes;
  let bytes = 0;
  let sideBySide = true;
  for (let k = 0; k < count; k++) {
    const piece = pieces[k] as Uint8Array; // boundary: the mask is complete
    if (piece.length === 0) continue;
    if (offsets[k] !== bytes) return undefined;
    if (bytes === 0) first = piece;
    else sideBySide &&= piece.buffer === first.buffer && piece.byteOffset === first.byteOffset + bytes;
    bytes += piece.length;
  }
  if (bytes === first.length) return first;
  if (sideBySide) return new Uint8Array(first.buffer, first.byteOffset, bytes);
  const whole = new Uint8Array(bytes);
  for (let k = 0; k < count; k++) {
    const piece = pieces[k] as Uint8Array; // boundary: as above
    if (piece.length > 0) whole.set(piece, offsets[k]);
  }
  return whole;
}
