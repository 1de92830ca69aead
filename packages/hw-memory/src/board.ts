/**
 * The board for slot `memory`: as many page frames as the machine's memory holds, less what the kernel itself fills.
 *
 * A frame's content is only there while somebody occupies the frame. Power off scrambles it: a frame handed out anew
 * shows a fixed pattern, never what an earlier owner left.
 */
import {
  assert,
  type Component,
  defineComponent,
  type Machine,
  type Memory,
  type PageFrame,
} from '@backplane/slots';
import { z } from 'zod';
import { version } from './version.ts';

const options = z.strictObject({
  kernelBytes: z
    .int()
    .min(0)
    .default(1_500_000)
    .describe('memory that the kernel itself fills, and that nobody else can have'),
});
export interface MemoryOptions {
  readonly kernelBytes?: number;
}

export const memory: Component<'memory', MemoryOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/hw-memory',
  version,
  slot: 'memory',
  contract: 1,
  requires: [],
  options,
  create: (_granted, { kernelBytes }, machine) => new PageFrames(machine, kernelBytes),
  reset: (board) => (board as PageFrames).reset(),
});

class Occupied implements PageFrame {
  readonly number: number;
  bytes: Uint8Array;
  readonly owner: string;

  constructor(number: number, bytes: Uint8Array, owner: string) {
    this.number = number;
    this.bytes = bytes;
    this.owner = owner;
  }
}

class PageFrames implements Memory {
  readonly frameBytes: number;
  readonly frameCount: number;
  /** Frames from this number on have not been handed out since power came on: a machine at rest costs no tables. */
  #untouched = 0;
  /** Numbers of the frames that were given back; the last one is handed out next. */
  #released: number[] = [];
  /** By number, below `untouched`; null where free. */
  #occupied: (Occupied | null)[] = [];
  readonly #frames = new Map<string, number>();
  /** What a frame shows before its owner has filled it. Shared, since frames are filled by replacing their bytes. */
  readonly #scrambled: Uint8Array;

  constructor(machine: Machine, kernelBytes: number) {
    this.frameBytes = machine.type.pageBytes;
    this.frameCount = Math.floor(Math.max(0, machine.type.memoryBytes - kernelBytes) / this.frameBytes);
    this.#scrambled = new Uint8Array(this.frameBytes).fill(0xdb);
    machine.metrics.register(
      'memory.occupiedBytes',
      () => (this.frameCount - this.freeCount) * this.frameBytes,
    );
  }

  get freeCount(): number {
    return this.#released.length + this.frameCount - this.#untouched;
  }

  allocate(owner: string): PageFrame | undefined {
    if (this.freeCount === 0) return undefined;
    const number = this.#released.pop() ?? this.#untouched++;
    const frame = new Occupied(number, this.#scrambled, owner);
    this.#occupied[number] = frame;
    this.#frames.set(owner, this.occupiedBy(owner) + 1);
    return frame;
  }

  release(frame: PageFrame): void {
    const occupied = this.#occupied[frame.number];
    assert(
      occupied === frame,
      'memory',
      `frame ${frame.number} is released by somebody who does not have it`,
    );
    this.#occupied[frame.number] = null;
    this.#released.push(frame.number);
    this.#frames.set(occupied.owner, this.occupiedBy(occupied.owner) - 1);
  }

  occupiedBy(owner: string): number {
    return this.#frames.get(owner) ?? 0;
  }

  reset(): void {
    this.#untouched = 0;
    this.#released = [];
    this.#occupied = [];
    this.#frames.clear();
  }
}
