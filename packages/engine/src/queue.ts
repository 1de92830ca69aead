/**
 * The event queue: a binary heap on typed arrays, key (time, order of entry), so that equal times come out first in,
 * first out.
 *
 * A heap node is a time and a slot. What waits in the slot, and its sequence number, lie in arrays by slot, so moving a
 * node moves two numbers, and sequence numbers are looked at only when times are equal.
 *
 *   invariants   timeNs[i] <= timeNs[2i+1], timeNs[2i+2] for i < size; all of them finite
 *                timeNs[i] is Infinity for i >= size, and capacity > size: a node with one child has a second to
 *                compare with, and the time of an empty heap is Infinity
 *                item.slot is the slot that holds the item; -1 when it is not queued
 *                every index used is in range: `?? 0` is there for the type checker, and costs nothing
 *
 * - Pop empties the root and leaves it: most events queue another at once, which takes its place. Only if none has, the root
 *   is removed when somebody looks at it.
 * - Who takes the root's place sinks: the hole walks to a leaf along the smaller children, chosen without a branch (the
 *   processor could only guess it), and the node climbs from there, mostly a step or two ("bottom-up heapsort", Wegener
 *   1993). When the root is removed, that is the last node.
 * - The hole walks two levels at a time where it can: the pairs of grandchildren are compared while it is not yet known
 *   whose parent is the smaller child, so the processor waits for memory once for two levels.
 * - Cancel is lazy: it empties the slot, and the node is dropped when it comes up. When such dead nodes outnumber the
 *   living the heap is rebuilt without them, so a timer that is set and cancelled for ever costs amortised constant
 *   time and no memory. Rebuilding changes the layout, never the order in which items come out.
 */

/** What can wait in a queue: it keeps its own slot. */
export interface Queued {
  slot: number;
}

/** A heap below this size is not worth rebuilding. */
const REBUILD_MIN = 64;

export class Queue<E extends Queued> {
  private size = 0;
  /** Nodes whose slot is empty, the root after a pop among them. */
  private dead = 0;
  /** The root is one of them, and nobody has looked at it since the pop. */
  private popped = false;
  private capacity = 64;
  private sequence = 0;
  /** By node. */
  private timeNs: Float64Array = new Float64Array(64).fill(Infinity);
  private slot: Int32Array = new Int32Array(64);
  /** By slot. */
  private readonly items: (E | null)[] = new Array<E | null>(64).fill(null);
  private order: Float64Array = new Float64Array(64);
  /** The slots that are free: a stack. */
  private free: Int32Array = Int32Array.from({ length: 64 }, (_, i) => 63 - i);
  private freeCount = 64;

  /** Items that wait. */
  get length(): number {
    return this.size - this.dead;
  }

  /** Queues an item, which must not be queued, for a finite time. */
  push(timeNs: number, item: E): void {
    if (this.popped) {
      this.replaceRoot(timeNs, item);
      return;
    }
    if (this.size + 1 === this.capacity) this.grow();
    const slot = this.free[--this.freeCount] ?? 0;
    this.items[slot] = item;
    item.slot = slot;
    this.order[slot] = this.sequence++;
    this.climb(this.size++, timeNs, slot);
  }

  /** Time of the earliest item; Infinity when there is none. */
  peekNs(): number {
    this.popped = false;
    while (this.dead > 0 && this.items[this.slot[0] ?? 0] === null) {
      this.dead--;
      this.removeRoot();
    }
    return this.timeNs[0] ?? 0;
  }

  /** Takes the earliest item, which `peekNs` has found. */
  pop(): E {
    const slot = this.slot[0] ?? 0;
    const item = this.items[slot] as E; // boundary: `peekNs` left a living one at the root
    this.items[slot] = null;
    item.slot = -1;
    this.dead++;
    this.popped = true;
    return item;
  }

  /** Takes an item back, which must be queued. */
  cancel(item: E): void {
    this.items[item.slot] = null;
    item.slot = -1;
    this.dead++;
    if (this.dead * 2 > this.size && this.size >= REBUILD_MIN) this.rebuild();
  }

  private replaceRoot(timeNs: number, item: E): void {
    this.popped = false;
    this.dead--;
    const slot = this.slot[0] ?? 0;
    this.items[slot] = item;
    item.slot = slot;
    this.order[slot] = this.sequence++;
    this.sink(timeNs, slot);
  }

  private removeRoot(): void {
    const { timeNs: t, slot: s } = this;
    this.free[this.freeCount++] = s[0] ?? 0;
    const n = --this.size;
    const timeNs = t[n] ?? 0;
    t[n] = Infinity;
    if (n > 0) this.sink(timeNs, s[n] ?? 0);
  }

  /** Puts a node where the root was, or below. */
  private sink(timeNs: number, slot: number): void {
    const { timeNs: t, slot: s, order, size } = this;
    let hole = 0;
    for (let i = 3; i + 3 < size; i = 4 * hole + 3) {
      const left = 2 * hole + 1;
      const tl = t[left] ?? 0;
      const tr = t[left + 1] ?? 0;
      const t0 = t[i] ?? 0; // grandchildren: i and i + 1 below the left child, i + 2 and i + 3 below the right one
      const t1 = t[i + 1] ?? 0;
      const t2 = t[i + 2] ?? 0;
      const t3 = t[i + 3] ?? 0;
      if (tr === tl || t1 === t0 || t3 === t2) break;
      const right = +(tr < tl);
      const belowLeft = +(t1 < t0);
      const belowRight = +(t3 < t2);
      const below = belowLeft ^ ((belowLeft ^ belowRight) & -right);
      const child = left + right;
      const grandchild = i + 2 * right + below;
      t[hole] = t[child] ?? 0;
      s[hole] = s[child] ?? 0;
      t[child] = t[grandchild] ?? 0;
      s[child] = s[grandchild] ?? 0;
      hole = grandchild;
    }
    for (const parents = size >> 1; hole < parents; ) {
      const left = 2 * hole + 1;
      const tl = t[left] ?? 0;
      const tr = t[left + 1] ?? 0;
      let child = left + +(tr < tl);
      if (tr === tl && (order[s[left + 1] ?? 0] ?? 0) < (order[s[left] ?? 0] ?? 0)) child = left + 1;
      t[hole] = t[child] ?? 0;
      s[hole] = s[child] ?? 0;
      hole = child;
    }
    this.climb(hole, timeNs, slot);
  }

  /** Puts a node at position i, or above. */
  private climb(i: number, timeNs: number, slot: number): void {
    const { timeNs: t, slot: s, order } = this;
    const mine = order[slot] ?? 0;
    let hole = i;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const tp = t[parent] ?? 0;
      if (tp < timeNs || (tp === timeNs && (order[s[parent] ?? 0] ?? 0) < mine)) break;
      t[hole] = tp;
      s[hole] = s[parent] ?? 0;
      hole = parent;
    }
    t[hole] = timeNs;
    s[hole] = slot;
  }

  private grow(): void {
    const from = this.capacity;
    const to = from * 2;
    const { timeNs, slot, order, free } = this;
    this.timeNs = new Float64Array(to).fill(Infinity, from);
    this.slot = new Int32Array(to);
    this.order = new Float64Array(to);
    this.free = new Int32Array(to);
    this.timeNs.set(timeNs);
    this.slot.set(slot);
    this.order.set(order);
    this.free.set(free);
    for (let i = to - 1; i >= from; i--) {
      this.free[this.freeCount++] = i;
    }
    for (let i = from; i < to; i++) this.items.push(null);
    this.capacity = to;
  }

  /** Drops the dead nodes and builds the heap anew. */
  private rebuild(): void {
    const { timeNs: t, slot: s, items } = this;
    let n = 0;
    for (let i = 0; i < this.size; i++) {
      const slot = s[i] ?? 0;
      if (items[slot] === null) {
        this.free[this.freeCount++] = slot;
        continue;
      }
      this.climb(n++, t[i] ?? 0, slot);
    }
    t.fill(Infinity, n, this.size);
    this.size = n;
    this.dead = 0;
    this.popped = false;
  }
}
