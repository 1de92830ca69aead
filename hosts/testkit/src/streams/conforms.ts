/** The contract of the slot `streams`, clause by clause. */
import type { KernelSpec } from '@backplane/slots';
import type { Check } from '../check.ts';
import { nameClauses } from './name-clauses.ts';
import { offsetClauses } from './offset-clauses.ts';
import { switchClauses } from './switch-clauses.ts';
import { waitClauses } from './wait-clauses.ts';

export interface StreamsUnderTest {
  /** The streams, and what they need besides a transport and naming. */
  readonly boards: KernelSpec;
}

export function conformsToStreams({ boards }: StreamsUnderTest): readonly Check[] {
  return [switchClauses, nameClauses, offsetClauses, waitClauses].flatMap((clauses) => clauses(boards));
}
