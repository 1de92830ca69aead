/**
 * Room in the host's memory for the bytes of blocks. Many blocks are a small file's only one and stay short; one that grows
 * comes to a whole block in three steps.
 *
 * An array of its own costs more to make and to collect than a kilobyte costs to copy. So the smallest rooms are cut from
 * larger arrays, eight from each, which stay as long as one of the eight is used.
 */
import { blockBytes } from './block.ts';

const smallestBytes = blockBytes / 4;
const roomsTogether = 8;

export class Rooms {
  /** What the next small rooms are cut from, and where the next one begins. */
  #together: Uint8Array = new Uint8Array(0);
  #next = 0;

  /** Room for so many bytes, or for more: zeros. */
  take(bytes: number): Uint8Array {
    if (bytes <= smallestBytes) return this.#small();
    let room = smallestBytes;
    while (room < bytes) room *= 2;
    return new Uint8Array(Math.min(room, blockBytes));
  }

  #small(): Uint8Array {
    if (this.#next === this.#together.length) {
      this.#together = new Uint8Array(roomsTogether * smallestBytes);
      this.#next = 0;
    }
    const from = this.#next;
    this.#next += smallestBytes;
    return this.#together.subarray(from, this.#next);
  }
}
