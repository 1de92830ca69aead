/** Every constant of machines, drives and workloads with its source. */
import { driveProfiles } from '@backplane/hw-disk';
import { machineTypes } from '@backplane/hw-machines';
import type { CostSource } from '@backplane/slots';
import { andrewConstants } from '@backplane/workloads';

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

/** By the end of a constant's name; the first that fits. */
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
