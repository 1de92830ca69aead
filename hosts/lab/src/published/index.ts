/** The published tables, and every constant of every machine with its source. */
import { machineTypes } from '@backplane/hw-machines';
import { BackplaneError, nearest } from '@backplane/slots';
import { andrewTable } from './andrew.ts';
import { spriteFiles } from './sprite-files.ts';
import { spriteRpc } from './sprite-rpc.ts';
import type { PublishedTable } from './table.ts';

export const publishedTables: readonly PublishedTable[] = [spriteRpc, spriteFiles, andrewTable];

export interface PublishedConstant {
  readonly machine: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly source: string;
}

export function publishedConstants(): readonly PublishedConstant[] {
  return machineTypes.flatMap((type) =>
    Object.entries(type.sources).map(([name, { evidence, source }]) => ({
      machine: type.name,
      name,
      value: type.costs[name as keyof typeof type.costs],
      unit: name.endsWith('PerByte') ? 'ns/byte' : 'ns',
      source: `${evidence}: ${source}`,
    })),
  );
}

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
