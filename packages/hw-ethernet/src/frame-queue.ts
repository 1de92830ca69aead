/** Frames that wait for an interface, first in first out: a ring that doubles when it is full. */
import type { Frame } from '@backplane/slots';

export class FrameQueue {
  #frames: (Frame | null)[] = [null, null, null, null, null, null, null, null];
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(frame: Frame): void {
    if (this.#length === this.#frames.length) this.#grow();
    this.#frames[(this.#head + this.#length) & (this.#frames.length - 1)] = frame;
    this.#length++;
  }

  /** The oldest frame; undefined when there is none. */
  shift(): Frame | undefined {
    if (this.#length === 0) return undefined;
    const frame = this.#frames[this.#head] ?? undefined;
    this.#frames[this.#head] = null;
    this.#head = (this.#head + 1) & (this.#frames.length - 1);
    this.#length--;
    return frame;
  }

  clear(): void {
    while (this.#length > 0) this.shift();
  }

  #grow(): void {
    const old = this.#frames;
    this.#frames = Array.from({ length: 2 * old.length }, (_, i) =>
      i < old.length ? (old[(this.#head + i) & (old.length - 1)] ?? null) : null,
    );
    this.#head = 0;
  }
}
