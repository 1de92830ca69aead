/** What a disk of this storage looks like to checkers and other programs that are no part of a kernel. */
import type { StoreFormat } from '@backplane/slots';
import { auditOfs } from './audit.ts';
import { hasLabel } from './audit-regions.ts';
import { dumpOfs } from './dump.ts';
import { descriptorRecord, directoryRecord, diskLabel, domainHeader, pointer, summary } from './layouts.ts';

export const ofsFormat: StoreFormat = {
  name: 'ofs',
  recognizes: hasLabel,
  audit: auditOfs,
  dump: dumpOfs,
  layouts: [diskLabel, summary, domainHeader, descriptorRecord, pointer, directoryRecord],
};
