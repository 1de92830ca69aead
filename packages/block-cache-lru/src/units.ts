/**
 * What the cache claims and gives up at a time: as many page frames as hold a whole number of blocks. With pages of 8 KB a
 * unit is one frame for two blocks; with pages of 1 KB four frames for one block.
 */
import type { Memory, PageFrame } from '@backplane/slots';
import { type Block, blockBytes } from './block.ts';

export class Unit {
  readonly frames: readonly PageFrame[];
  readonly blocks: Set<Block> = new Set();

  constructor(frames: readonly PageFrame[]) {
    this.frames = frames;
  }
}

export class Units {
  readonly framesPerUnit: number;
  readonly blocksPerUnit: number;
  readonly #memory: Memory;
  readonly #units = new Set<Unit>();
  /** Places for blocks in units that we hold. */
  readonly #free: Unit[] = [];

  constructor(memory: Memory) {
    this.#memory = memory;
    this.framesPerUnit = Math.max(1, Math.ceil(blockBytes / memory.frameBytes));
    this.blocksPerUnit = Math.max(1, Math.floor(memory.frameBytes / blockBytes));
  }

  get frames(): number {
    return this.#units.size * this.framesPerUnit;
  }

  add(frames: readonly PageFrame[]): void {
    const unit = new Unit(frames);
    this.#units.add(unit);
    for (let i = 0; i < this.blocksPerUnit; i++) this.#free.push(unit);
  }

  takePlace(): Unit | undefined {
    return this.#free.pop();
  }

  returnPlace(unit: Unit): void {
    this.#free.push(unit);
  }

  /** Gives the frames of a unit without blocks back to memory. False: they have been given back. */
  release(unit: Unit): boolean {
    if (!this.#units.delete(unit)) return false;
    for (let i = this.#free.length - 1; i >= 0; i--) if (this.#free[i] === unit) this.#free.splice(i, 1);
    for (const frame of unit.frames) this.#memory.release(frame);
    return true;
  }
}
