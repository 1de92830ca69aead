/** The contract of the slot `naming`, clause by clause. */
import type { Check } from '../check.ts';
import { directoryClauses } from './directory-clauses.ts';
import { exportClauses } from './export-clauses.ts';
import { loopClauses } from './loop-clauses.ts';
import { modelClauses } from './model-clauses.ts';
import { twoNameClauses } from './two-name-clauses.ts';
import type { Bounds, NamingUnderTest } from './under-test.ts';
import { wholeClauses } from './whole-clauses.ts';

export function conformsToNaming(under: NamingUnderTest): readonly Check[] {
  const bounds: Bounds = { courses: 10, ...under };
  const all = [exportClauses, loopClauses, directoryClauses, wholeClauses, twoNameClauses, modelClauses];
  return all.flatMap((clauses) => clauses(bounds));
}
