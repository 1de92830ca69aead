/**
 * The contract of the capability `entities` of the slot `transport`, clause by clause.
 *
 * Each check composes a small cluster of its own, from the boards under test and the hardware of the project, and runs it.
 * Where the contract leaves something open, so do the checks: when an abandoned request is told so within the bounds, how
 * long a retry takes, whether a response that nobody asked for is kept, what a client hears of a host that has rebooted
 * while it waited.
 */
import type { Check } from '../check.ts';
import { deathClauses } from './death-clauses.ts';
import { deliveryClauses } from './delivery-clauses.ts';
import { forwardClauses } from './forward-clauses.ts';
import { groupClauses } from './group-clauses.ts';
import { moveClauses, noMoveClauses } from './move-clauses.ts';
import { nearClauses } from './near-clauses.ts';
import { numberClauses } from './number-clauses.ts';
import { onceClauses } from './once-clauses.ts';
import { placeClauses } from './place-clauses.ts';
import { transactionClauses } from './transaction-clauses.ts';
import type { Bounds, EntitiesUnderTest } from './under-test.ts';
import { wireClauses } from './wire-clauses.ts';

export function conformsToEntities(under: EntitiesUnderTest): readonly Check[] {
  const bounds: Bounds = { silenceSeconds: 60, noticeSeconds: 60, courses: 20, ...under };
  return [
    numberClauses,
    transactionClauses,
    deliveryClauses,
    placeClauses,
    forwardClauses,
    groupClauses,
    nearClauses,
    deathClauses,
    onceClauses,
    wireClauses,
    ...(bounds.moves === undefined ? [] : [bounds.moves ? moveClauses : noMoveClauses]),
  ].flatMap((clauses) => clauses(bounds));
}
