/**
 * What the cache claims and gives up at a time: as many page frames as hold a whole number of blocks. With pages of 8 KB a
 * unit is one frame for two blocks; with pages of 1 KB four frames for one block.
 */
import type { Memory, PageFrame } from '@backplane/slots';
import { type Block, blockBytes } from './block.ts';

export class Unit {
  readonly frames: readonly PageFrame[];
  /** Still ours? */
  held = true;
  /** A list through the blocks themselves, in the order in which they came: there are one or two as a rule. */
  #first: Block | null = null;

  constructor(frames: readonly PageFrame[]) {
    this.frames = frames;
  }

  get isEmpty(): boolean {
    return this.#first === null;
  }

  get blocks(): Block[] {
    const blocks: Block[] = [];
    for (let b = this.#first; b !== null; b = b.next) blocks.push(b);
    return blocks;
  }

  enter(block: Block): void {
    if (this.#first === null) this.#first = block;
    else {
      let last = this.#first;
      while (last.next !== null) last = last.next;
      last.next = block;
    }
  }

  leave(block: Block): void {
    if (this.#first === block) this.#first = block.next;
    else
      for (let b = this.#first; b !== null; b = b.next)
        if (b.next === block) {
          b.next = block.next;
          break;
        }
    block.next = null;
  }
}

export class Units {
  readonly framesPerUnit: number;
  readonly blocksPerUnit: number;
  readonly #memory: Memory;
  #units = 0;
  /** Places for blocks in units that we hold. */
  readonly #free: Unit[] = [];

  constructor(memory: Memory) {
    this.#memory = memory;
    this.framesPerUnit = Math.max(1, Math.ceil(blockBytes / memory.frameBytes));
    this.blocksPerUnit = Math.max(1, Math.floor(memory.frameBytes / blockBytes));
  }

  get frames(): number {
    return this.#units * this.framesPerUnit;
  }

  add(frames: readonly PageFrame[]): void {
    const unit = new Unit(frames);
    this.#units++;
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
    if (!unit.held) return false;
    unit.held = false;
    this.#units--;
    for (let i = this.#free.length - 1; i >= 0; i--) if (this.#free[i] === unit) this.#free.splice(i, 1);
    for (const frame of unit.frames) this.#memory.release(frame);
    return true;
  }
}
