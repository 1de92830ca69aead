/**
 * Blocks in order of use: exact, since every access is a call. A list through the blocks themselves. Who writes much more than
 * memory holds asks again and again for the oldest clean block, behind thousands of dirty ones: where to look is remembered.
 */
import type { Block } from './block.ts';

export class AgeOrder {
  #oldest: Block | null = null;
  #youngest: Block | null = null;
  #length = 0;
  /** All that are older than this one are dirty. Null: all are. */
  #cleanFrom: Block | null = null;
  /** What the next youngest, and the next oldest, is numbered by. */
  #nextRank = 0;
  #nextRankBelow = -1;

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
    b.rank = this.#nextRank++;
    this.#cleanFrom ??= b;
  }

  addOldest(b: Block): void {
    b.younger = this.#oldest;
    b.older = null;
    if (this.#oldest !== null) this.#oldest.older = b;
    else this.#youngest = b;
    this.#oldest = b;
    this.#length++;
    b.rank = this.#nextRankBelow--;
    this.#cleanFrom = b;
  }

  remove(b: Block): void {
    if (b === this.#cleanFrom) this.#cleanFrom = b.younger;
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

  /** It was dirty, and is not any more. */
  cleaned(b: Block): void {
    if (this.#cleanFrom === null || b.rank < this.#cleanFrom.rank) this.#cleanFrom = b;
  }

  /** The oldest block that is neither dirty nor on its way to the disk. */
  oldestClean(): Block | null {
    let b = this.#cleanFrom;
    while (b?.dirty === true) b = b.younger;
    this.#cleanFrom = b;
    while (b !== null && (b.dirty || b.writing)) b = b.younger;
    return b;
  }

  /** The oldest block that is not on its way to the disk. */
  oldestIdle(): Block | null {
    let b = this.#oldest;
    while (b?.writing === true) b = b.younger;
    return b;
  }
}
