/** Who watches the stores into one address space. */
import type { WriteWatch } from './address-space.ts';

export class WriteWatches {
  /** The pages of each watch, since it began or was last asked. */
  readonly #watches = new Set<Set<number>>();

  /** A watch that begins now. */
  watch(): WriteWatch {
    const written = new Set<number>();
    this.#watches.add(written);
    return {
      taken: () => {
        const pages = [...written].sort((a, b) => a - b);
        written.clear();
        return pages;
      },
      end: () => void this.#watches.delete(written),
    };
  }

  /** A page was stored into. */
  stored(page: number): void {
    for (const written of this.#watches) written.add(page);
  }
}
