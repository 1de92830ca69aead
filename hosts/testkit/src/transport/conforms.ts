/**
 * The contract of the slot `transport`, clause by clause.
 *
 * Each check composes a small cluster of its own, from the boards under test and the hardware of the project, and runs it.
 */
import type { Check } from '../check.ts';
import { askClauses } from './ask-clauses.ts';
import { callClauses } from './call-clauses.ts';
import { onceClauses } from './once-clauses.ts';
import { peerClauses } from './peer-clauses.ts';
import type { Bounds, TransportUnderTest } from './under-test.ts';
import { wireClauses } from './wire-clauses.ts';

export function conformsToTransport(under: TransportUnderTest): readonly Check[] {
  const bounds: Bounds = { silenceSeconds: 60, noticeSeconds: 60, courses: 20, ...under };
  return [callClauses, onceClauses, askClauses, peerClauses, wireClauses].flatMap((clauses) =>
    clauses(bounds),
  );
}
