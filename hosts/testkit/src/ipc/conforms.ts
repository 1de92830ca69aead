/**
 * The contract of the slot `ipc`, clause by clause.
 *
 * Each check runs processes on hosts that are composed for it. Location is not to show, so most of them are run twice:
 * with both processes on one host, and on two.
 */
import type { Check } from '../check.ts';
import { courseClauses } from './course-clauses.ts';
import { forwardClauses } from './forward-clauses.ts';
import { freezeClauses } from './freeze-clauses.ts';
import { groupClauses } from './group-clauses.ts';
import { lifeClauses } from './life-clauses.ts';
import { lineClauses } from './line-clauses.ts';
import { moveClauses, noMoveClauses } from './move-clauses.ts';
import { moveMemoryClauses } from './move-memory-clauses.ts';
import { procedureClauses } from './procedure-clauses.ts';
import { segmentClauses } from './segment-clauses.ts';
import { transactionClauses } from './transaction-clauses.ts';
import type { Bounds, IpcUnderTest } from './under-test.ts';
import { wanderClauses } from './wander-clauses.ts';

export function conformsToIpc(under: IpcUnderTest): readonly Check[] {
  const bounds: Bounds = { silenceSeconds: 120, noticeSeconds: 60, courses: 15, ...under };
  return [
    transactionClauses,
    lineClauses,
    forwardClauses,
    segmentClauses,
    groupClauses,
    procedureClauses,
    lifeClauses,
    freezeClauses,
    courseClauses,
    ...(bounds.moves === undefined
      ? []
      : bounds.moves
        ? [moveClauses, moveMemoryClauses, wanderClauses]
        : [noMoveClauses]),
  ].flatMap((clauses) => clauses(bounds));
}
