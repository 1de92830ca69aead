/**
 * The numbers that boards keep, collected when somebody asks. Boards of one boot are read for the last time when the
 * boot ends, and what they counted stays in the machine's totals.
 */
import type { Metrics, Undo } from '@backplane/slots';

type Combine = 'sum' | 'max';
interface Reader {
  readonly name: string;
  readonly read: () => number;
  readonly combine: Combine;
}

const combined = (combine: Combine, a: number | undefined, b: number): number =>
  a === undefined ? b : combine === 'sum' ? a + b : Math.max(a, b);

/** The readers of one life: a machine's hardware, or one boot. */
export class MetricReaders implements Metrics {
  readonly #readers = new Set<Reader>();

  register(name: string, read: () => number, combine: Combine = 'sum'): Undo {
    const reader: Reader = { name, read, combine };
    this.#readers.add(reader);
    return () => void this.#readers.delete(reader);
  }

  addTo(totals: MetricTotals): void {
    for (const r of this.#readers) totals.add(r.name, r.read(), r.combine);
  }
}

export class MetricTotals {
  readonly #values = new Map<string, { value: number; combine: Combine }>();

  add(name: string, value: number, combine: Combine): void {
    const known = this.#values.get(name);
    this.#values.set(name, { value: combined(combine, known?.value, value), combine });
  }

  addAll(other: MetricTotals): void {
    for (const [name, { value, combine }] of other.#values) this.add(name, value, combine);
  }

  /** Sorted by name. */
  toRecord(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      [...this.#values]
        .map(([name, { value }]): [string, number] => [name, value])
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }
}
