/** A failing case as a file that replays: an operation file with a comment that says where it crashed. */
import { badState } from './errors.ts';
import { type CrashWorkload, textOf } from './operation.ts';
import { readWorkloads } from './shipped.ts';
import { crashKinds, type StateSpec } from './states.ts';
import type { Failure } from './tally.ts';
import type { DiskSize } from './tester.ts';

const mark = '# crash-state ';

export interface Case {
  readonly storage: string;
  readonly workload: CrashWorkload;
  readonly size: DiskSize;
  readonly spec: StateSpec;
}

export function formatCase(storage: string, { workload, size, spec, violations }: Failure): string {
  const lines = [
    `# ${violations[0]?.kind}: ${violations[0]?.text.split('\n')[0] ?? ''}`,
    `# replay with: backplane crash replay THIS-FILE --storage ${storage}`,
    `${mark}${JSON.stringify({ storage, size, prelude: workload.prelude, ...spec })}`,
    ...(/^W\d+/.test(workload.name) ? [workload.name] : [`# ${workload.name}`]),
  ];
  for (const [i, o] of workload.operations.entries())
    lines.push(workload.points.includes(i) ? `${textOf(o)} @P${workload.points.indexOf(i) + 1}` : textOf(o));
  for (const d of workload.demands) lines.push(d.text);
  return `${lines.join('\n')}\n`;
}

/** Null for an operation file that says nothing of a crash. @throws BackplaneError BAD_CRASH_STATE */
export function parseCase(text: string, file: string): Case | null {
  const line = text.split('\n').find((l) => l.startsWith(mark));
  if (line === undefined) return null;
  const [workload] = readWorkloads(text, file);
  if (workload === undefined) throw badState(file, 'there are no operations.');
  let said: unknown;
  try {
    said = JSON.parse(line.slice(mark.length));
  } catch {
    throw badState(file, 'it is no JSON.');
  }
  if (!isState(said)) throw badState(file, 'kind, writes, moment, storage and size belong to it.');
  const { storage, size, prelude, ...spec } = said;
  return { storage, size, spec, workload: { ...workload, prelude: prelude ?? 0 } };
}

type Said = StateSpec & {
  readonly storage: string;
  readonly size: DiskSize;
  readonly prelude?: number;
};

function isState(x: unknown): x is Said {
  if (typeof x !== 'object' || x === null) return false;
  const s = x as Partial<Said>;
  return (
    typeof s.storage === 'string' &&
    (s.size === 'short' || s.size === 'long') &&
    crashKinds.some((k) => k === s.kind) &&
    Number.isInteger(s.writes) &&
    typeof s.moment === 'object' &&
    Number.isInteger(s.moment?.done) &&
    typeof s.moment?.underWay === 'boolean'
  );
}
