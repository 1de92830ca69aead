/** The published tables, by name. */
import { BackplaneError, nearest } from '@backplane/slots';
import { andrewTable } from './andrew.ts';
import { lfsTable } from './lfs.ts';
import { spriteFiles } from './sprite-files.ts';
import { spriteRpc } from './sprite-rpc.ts';
import type { PublishedTable } from './table.ts';
import { vTable } from './v.ts';

export const publishedTables: readonly PublishedTable[] = [
  spriteRpc,
  spriteFiles,
  andrewTable,
  vTable,
  lfsTable,
];

/** @throws BackplaneError with the nearest name */
export function publishedTable(name: string): PublishedTable {
  const table = publishedTables.find((t) => t.name === name);
  if (table !== undefined) return table;
  const names = publishedTables.map((t) => t.name);
  const near = nearest(name, names);
  throw new BackplaneError(
    'UNKNOWN_TABLE',
    { name },
    `There is no published table "${name}".`,
    near === undefined ? `There are: ${names.join(', ')}.` : `Did you mean "${near}"?`,
  );
}
