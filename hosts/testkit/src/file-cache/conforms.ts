/** The contract of the slot `fileCache`, clause by clause. */
import type { Check } from '../check.ts';
import { crashClauses } from './crash-clauses.ts';
import { fileClauses } from './file-clauses.ts';
import { lockClauses } from './lock-clauses.ts';
import { modelClauses } from './model-clauses.ts';
import { nameClauses } from './name-clauses.ts';
import { sharingClauses } from './sharing-clauses.ts';
import type { Bounds, FileCacheUnderTest } from './under-test.ts';

export function conformsToFileCache(under: FileCacheUnderTest): readonly Check[] {
  const bounds: Bounds = {
    staleSeconds: under.consistency === 'sequential' ? 0 : 60,
    keepsRemoved: 'cluster',
    locksBind: 'cluster',
    courses: 8,
    ...under,
  };
  return [fileClauses, nameClauses, sharingClauses, lockClauses, crashClauses, modelClauses].flatMap(
    (clauses) => clauses(bounds),
  );
}
