/**
 * A first-in first-out queue in a ring: push and shift in O(1), no allocation except when it doubles.
 *
 * Capacity is a power of two, so that a position wraps by a mask. Emptied places are cleared: a ring keeps nothing alive.
 */
export class Ring<T> {
  private items: (T | undefined)[] = new Array<T | undefined>(4).fill(undefined);
  private head = 0;
  private count = 0;

  get length(): number {
    return this.count;
  }

  push(x: T): void {
    if (this.count === this.items.length) this.grow();
    this.items[(this.head + this.count++) & (this.items.length - 1)] = x;
  }

  /** The oldest item; undefined when empty (a ring of undefineds asks `length` first). */
  shift(): T | undefined {
    if (this.count === 0) return undefined;
    const { head, items } = this;
    const x = items[head];
    items[head] = undefined;
    this.head = (head + 1) & (items.length - 1);
    this.count--;
    return x;
  }

  private grow(): void {
    const { items, head } = this;
    this.items = [
      ...items.slice(head),
      ...items.slice(0, head),
      ...new Array<T | undefined>(items.length).fill(undefined),
    ];
    this.head = 0;
  }
}
