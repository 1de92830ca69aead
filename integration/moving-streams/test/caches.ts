/** The file caches, and whether hosts can share an offset with them. */
import { nfsCache } from '@backplane/cache-nfs';
import { noCache } from '@backplane/cache-none';
import { spriteCache } from '@backplane/cache-sprite';
import type { Board } from '@backplane/slots';

export const caches: readonly (readonly [string, () => Board<'fileCache'>, boolean])[] = [
  ['none', () => noCache(), true],
  ['sprite', () => spriteCache(), true],
  ['nfs', () => nfsCache(), false],
];
