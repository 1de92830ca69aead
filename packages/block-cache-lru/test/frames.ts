/** Page frames, counted: enough of a memory for one board. */
import type { Memory, PageFrame } from '@backplane/slots';

export class Frames implements Memory {
  readonly frameBytes: number;
  readonly frameCount: number;
  readonly #free: number[];
  readonly #owners = new Map<PageFrame, string>();

  constructor(frameCount: number, frameBytes = 4096) {
    this.frameBytes = frameBytes;
    this.frameCount = frameCount;
    this.#free = Array.from({ length: frameCount }, (_, i) => i);
  }

  get freeCount(): number {
    return this.#free.length;
  }

  allocate(owner: string): PageFrame | undefined {
    const number = this.#free.pop();
    if (number === undefined) return undefined;
    const frame = { number, bytes: new Uint8Array(0) };
    this.#owners.set(frame, owner);
    return frame;
  }

  release(frame: PageFrame): void {
    if (!this.#owners.delete(frame)) throw new Error('released twice');
    this.#free.push(frame.number);
  }

  occupiedBy(owner: string): number {
    return [...this.#owners.values()].filter((o) => o === owner).length;
  }
}
