/** What may be read from a word that several hosts store into, by when each store and each read began and ended. */
interface Store {
  readonly value: number;
  readonly startNs: number;
  /** When it had certainly been made: its end, or the end of the first read that saw it. */
  endNs: number;
}

export class Register {
  readonly #stores: Store[] = [{ value: 0, startNs: -1, endNs: -1 }];

  begin(value: number, startNs: number): Store {
    const store = { value, startNs, endNs: Number.POSITIVE_INFINITY };
    this.#stores.push(store);
    return store;
  }

  end(store: Store, endNs: number): void {
    store.endNs = Math.min(store.endNs, endNs);
  }

  /** Null when the read saw what it may have seen: a store that no later one had replaced before the read began. */
  wrong(value: number, startNs: number, endNs: number): string | null {
    const seen = this.#stores.find((s) => s.value === value);
    if (seen === undefined) return `${value} was never stored`;
    if (seen.startNs > endNs) return `${value} was stored later`;
    const later = this.#stores.find((s) => s.startNs > seen.endNs && s.endNs < startNs);
    if (later !== undefined) return `${value} was replaced by ${later.value} before`;
    this.end(seen, endNs);
    return null;
  }
}
