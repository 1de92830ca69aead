/**
 * Sprite's log-structured file system (Rosenblum and Ousterhout 1992; Rosenblum's dissertation of 1992) and what it was
 * compared with. In the place of SunOS stands a file system that is updated in place, the BSD way.
 */
import { lfsAndrew } from './lfs-andrew.ts';
import { lfsCleaning } from './lfs-cleaning.ts';
import { lfsFiles } from './lfs-files.ts';
import { lfsRecovery } from './lfs-recovery.ts';
import { lfsSegments } from './lfs-segments.ts';
import type { PublishedTable } from './table.ts';

export const lfsTable: PublishedTable = {
  name: 'lfs',
  title: 'The log-structured file system',
  *measure(given) {
    return [
      ...(yield* lfsFiles(given)),
      ...(yield* lfsSegments(given)),
      ...(yield* lfsCleaning(given)),
      ...(yield* lfsAndrew(given)),
      ...(yield* lfsRecovery(given)),
    ];
  },
};
