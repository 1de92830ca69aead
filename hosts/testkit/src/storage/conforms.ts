/** The contract of the slot `storage`, clause by clause. */
import type { Check } from '../check.ts';
import { crashClauses } from './crash-clauses.ts';
import { fileClauses } from './file-clauses.ts';
import { modelClauses } from './model-clauses.ts';
import { nameClauses } from './name-clauses.ts';
import { renameClauses } from './rename-clauses.ts';
import { sharingClauses } from './sharing-clauses.ts';
import type { Bounds, StorageUnderTest } from './under-test.ts';

export function conformsToStorage(under: StorageUnderTest): readonly Check[] {
  const bounds: Bounds = { survives: true, courses: 10, ...under };
  const always = [fileClauses, nameClauses, renameClauses, sharingClauses, modelClauses];
  return (bounds.survives ? [...always, crashClauses] : always).flatMap((clauses) => clauses(bounds));
}
