/** The contract of the slot `blockCache`, clause by clause. */
import type { Check } from '../check.ts';
import { flushClauses } from './flush-clauses.ts';
import { placeClauses } from './place-clauses.ts';
import { readClauses } from './read-clauses.ts';
import { tryClauses } from './try-clauses.ts';
import type { BlockCacheUnderTest, Bounds } from './under-test.ts';

export function conformsToBlockCache(under: BlockCacheUnderTest): readonly Check[] {
  const bounds: Bounds = { lateSeconds: 10, courses: 10, ...under };
  return [readClauses, flushClauses, placeClauses, tryClauses].flatMap((clauses) => clauses(bounds));
}
