/** The contract of the slot `medium`, clause by clause. */
import type { Check } from '../check.ts';
import { deliveryClauses } from './delivery-clauses.ts';
import { ruleClauses } from './rule-clauses.ts';
import type { Bounds, MediumUnderTest } from './under-test.ts';
import { wireClauses } from './wire-clauses.ts';

export function conformsToMedium(under: MediumUnderTest): readonly Check[] {
  const bounds: Bounds = { courses: 10, ...under };
  return [deliveryClauses, wireClauses, ruleClauses].flatMap((clauses) => clauses(bounds));
}
