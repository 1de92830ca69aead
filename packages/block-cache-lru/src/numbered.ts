/**
 * Things by block number, in the order in which they came. Most objects have one block: the only thing is held here, and a
 * table is made for the second. A table stays, since who has had two blocks is likely to have two again.
 */
export class Numbered<T> {
  #number = 0;
  #only: T | undefined = undefined;
  /** All of them, once there have been two; then there is no only one. */
  #table: Map<number, T> | null = null;

  get size(): number {
    return this.#table?.size ?? (this.#only === undefined ? 0 : 1);
  }

  get(n: number): T | undefined {
    if (this.#table !== null) return this.#table.get(n);
    return n === this.#number ? this.#only : undefined;
  }

  /** Nothing has the number yet. */
  add(n: number, t: T): void {
    if (this.#table !== null) this.#table.set(n, t);
    else if (this.#only === undefined) {
      this.#number = n;
      this.#only = t;
    } else {
      this.#table = new Map([
        [this.#number, this.#only],
        [n, t],
      ]);
      this.#only = undefined;
    }
  }

  delete(n: number): void {
    if (this.#table !== null) this.#table.delete(n);
    else if (n === this.#number) this.#only = undefined;
  }

  /** Those that are here now, in an array of the caller's own. */
  all(): T[] {
    if (this.#table !== null) return [...this.#table.values()];
    return this.#only === undefined ? [] : [this.#only];
  }

  values(): Iterable<T> {
    if (this.#table !== null) return this.#table.values();
    return this.#only === undefined ? none : [this.#only];
  }
}

const none: readonly never[] = [];
