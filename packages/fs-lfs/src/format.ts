/** What a disk of this storage looks like to checkers and other programs that are no part of a kernel. */
import type { StoreFormat } from '@backplane/slots';
import { auditLfs } from './audit.ts';
import { hasSuperblock } from './audit-start.ts';
import { dumpLfs } from './dump.ts';
import { layouts } from './layouts.ts';

export const lfsFormat: StoreFormat = {
  name: 'lfs',
  recognizes: hasSuperblock,
  audit: auditLfs,
  dump: dumpLfs,
  layouts,
};
