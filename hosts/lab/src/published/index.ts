/** The published tables, and every constant of machines, drives and workloads with its source. */
import { driveProfiles } from '@backplane/hw-disk';
import { machineTypes } from '@backplane/hw-machines';
import { BackplaneError, type CostSource, nearest } from '@backplane/slots';
import { andrewConstants } from '@backplane/workloads';
import { andrewTable } from './andrew.ts';
import { spriteFiles } from './sprite-files.ts';
import { spriteRpc } from './sprite-rpc.ts';
import type { PublishedTable } from './table.ts';

export const publishedTables: readonly PublishedTable[] = [spriteRpc, spriteFiles, andrewTable];

export interface PublishedConstant {
  /** Or drive, or workload. */
  readonly machine: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly source: string;
}

export function publishedConstants(): readonly PublishedConstant[] {
  const machines = machineTypes.flatMap(({ name, costs, sources }) => constantsOf(name, costs, sources));
  const drives = driveProfiles.flatMap(({ name, figures, sources }) =>
    figures === null ? [] : constantsOf(`drive ${name}`, figures, sources),
  );
  const workload = Object.entries(andrewConstants).map(([name, c]) =>
    constant('workload andrew', name, c.value, c),
  );
  return [...machines, ...drives, ...workload];
}

function constantsOf<K extends string>(
  owner: string,
  values: { readonly [N in K]: number },
  sources: { readonly [N in K]?: CostSource },
): readonly PublishedConstant[] {
  const noted = Object.entries(sources) as [K, CostSource][];
  return noted.map(([name, source]) => constant(owner, name, values[name], source));
}

const constant = (
  machine: string,
  name: string,
  value: number,
  { evidence, source }: CostSource,
): PublishedConstant => ({ machine, name, value, unit: unitOf(name), source: `${evidence}: ${source}` });

/** By the end of a constant's name, the longest first. */
const units: readonly (readonly [string, string])[] = [
  ['InstructionsPerByte', 'instructions/byte'],
  ['NsPerByte', 'ns/byte'],
  ['BytesPerSecond', 'bytes/s'],
  ['Sectors', 'sectors'],
  ['sectorsPerTrack', 'sectors'],
  ['Bytes', 'bytes'],
  ['rpm', '1/min'],
  ['Ns', 'ns'],
  ['Ms', 'ms'],
];

/** A count has none. */
const unitOf = (name: string): string => units.find(([end]) => name.endsWith(end))?.[1] ?? '';

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
