/**
 * A link frame: addresses, type, and a payload that is gathered from parts without copying, as an interface with
 * gather DMA does. The bytes are frozen: a medium that corrupts a frame makes a new one.
 *
 * The frame check sequence is right by construction unless a medium altered the bytes; `damaged` then says that the
 * receiving interface finds a wrong one. Captures compute it.
 */
import { BROADCAST_MAC, isMulticastMac } from '@backplane/wire';

/** 48-bit station address as a number. */
export type StationAddress = number;
export const broadcastAddress: StationAddress = BROADCAST_MAC;
export const isGroupAddress: (a: StationAddress) => boolean = isMulticastMac;

export class Frame {
  readonly destination: StationAddress;
  readonly source: StationAddress;
  readonly type: number;
  /** Payload bytes in all. */
  readonly lengthBytes: number;
  readonly damaged: boolean;
  readonly #parts: readonly Uint8Array[];
  #joined: Uint8Array | null;

  constructor(
    destination: StationAddress,
    source: StationAddress,
    type: number,
    parts: readonly Uint8Array[],
    damaged = false,
  ) {
    this.destination = destination;
    this.source = source;
    this.type = type;
    this.damaged = damaged;
    this.#parts = parts;
    this.#joined = parts.length === 1 ? (parts[0] ?? null) : null;
    let length = 0;
    for (let i = 0; i < parts.length; i++) length += (parts[i] as Uint8Array).length;
    this.lengthBytes = length;
  }

  /** The whole payload in one piece; joined once, on demand. */
  payload(): Uint8Array {
    if (this.#joined === null) {
      const joined = new Uint8Array(this.lengthBytes);
      let at = 0;
      for (const part of this.#parts) {
        joined.set(part, at);
        at += part.length;
      }
      this.#joined = joined;
    }
    return this.#joined;
  }

  /** The last `length` payload bytes, by reference where they are a part or lie in one; undefined if there are fewer. */
  tail(length: number): Uint8Array | undefined {
    const last = this.#parts[this.#parts.length - 1];
    return last?.length === length ? last : this.slice(this.lengthBytes - length, length);
  }

  /** `length` payload bytes from `at`, by reference where they lie in one part; undefined beyond the end. */
  slice(at: number, length: number): Uint8Array | undefined {
    if (at < 0 || length < 0 || at + length > this.lengthBytes) return undefined;
    let start = at;
    for (let i = 0; i < this.#parts.length; i++) {
      const part = this.#parts[i] as Uint8Array;
      if (start < part.length || (start === part.length && length === 0)) {
        if (start + length > part.length) break;
        return start === 0 && length === part.length ? part : part.subarray(start, start + length);
      }
      start -= part.length;
    }
    return this.payload().subarray(at, at + length);
  }
}
