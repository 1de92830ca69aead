/** Blocks in order of use: exact, since every access is a call. A list through the blocks themselves. */
import type { Block } from './block.ts';

export class AgeOrder {
  #oldest: Block | null = null;
  #youngest: Block | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get oldest(): Block | null {
    return this.#oldest;
  }

  addYoungest(b: Block): void {
    b.older = this.#youngest;
    b.younger = null;
    if (this.#youngest !== null) this.#youngest.younger = b;
    else this.#oldest = b;
    this.#youngest = b;
    this.#length++;
  }

  addOldest(b: Block): void {
    b.younger = this.#oldest;
    b.older = null;
    if (this.#oldest !== null) this.#oldest.older = b;
    else this.#youngest = b;
    this.#oldest = b;
    this.#length++;
  }

  remove(b: Block): void {
    if (b.older !== null) b.older.younger = b.younger;
    else this.#oldest = b.younger;
    if (b.younger !== null) b.younger.older = b.older;
    else this.#youngest = b.older;
    b.older = null;
    b.younger = null;
    this.#length--;
  }

  used(b: Block): void {
    if (b === this.#youngest) return;
    this.remove(b);
    this.addYoungest(b);
  }

  /** The oldest block that this says yes to. */
  oldestWhere(wanted: (b: Block) => boolean): Block | null {
    for (let b = this.#oldest; b !== null; b = b.younger) if (wanted(b)) return b;
    return null;
  }
}
