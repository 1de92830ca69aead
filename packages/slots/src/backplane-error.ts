/**
 * What a developer did wrong, or an invariant that does not hold: it stops the run. Code and data are for tests and
 * tools; the text says what happened and the hint what to do. Known by brand across copies of this package.
 */
import type { Plain } from './vocabulary.ts';

export class BackplaneError extends Error {
  readonly backplane: string = 'BackplaneError';
  readonly code: string;
  readonly data: Readonly<Record<string, Plain>>;
  readonly hint: string;

  constructor(code: string, data: Readonly<Record<string, Plain>>, text: string, hint: string) {
    super(text);
    this.name = 'BackplaneError';
    this.code = code;
    this.data = data;
    this.hint = hint;
  }
}

export function isBackplaneError(e: unknown): e is BackplaneError {
  return e instanceof Error && (e as Partial<BackplaneError>).backplane === 'BackplaneError';
}

/** Stops the run when an invariant does not hold. The text names the place and the fact: "server-channel: reply while idle". */
export function assert(condition: boolean, where: string, what: string): asserts condition {
  if (!condition)
    throw new BackplaneError(
      'INVARIANT',
      { where, what },
      `${where}: ${what}`,
      'This is a defect in the board. Replay the run with the same seed to see it again.',
    );
}

/** The known spelling nearest to a wrong one (Damerau-Levenshtein distance at most a third of its length), if any. */
export function nearest(wrong: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wrong.length / 3)) + 1;
  for (const candidate of known) {
    const d = distance(wrong.toLowerCase(), candidate.toLowerCase());
    if (d < bestDistance) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best;
}

/** Edits between two words, a swap of neighbours counting as one. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let d = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        d = Math.min(d, (beforeLast[j - 2] ?? 0) + 1);
      row.push(d);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
