/** The contract of the slot `disk`, clause by clause. */
import type { Check } from '../check.ts';
import { barrierClauses } from './barrier-clauses.ts';
import { failureClauses } from './failure-clauses.ts';
import { powerClauses } from './power-clauses.ts';
import { sectorClauses } from './sector-clauses.ts';
import type { Bounds, DiskUnderTest } from './under-test.ts';

export function conformsToDisk(under: DiskUnderTest): readonly Check[] {
  const bounds: Bounds = { courses: 15, of: [], ...under };
  return [sectorClauses, failureClauses, barrierClauses, powerClauses].flatMap((clauses) => clauses(bounds));
}
