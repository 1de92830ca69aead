/** Operation files on a cluster: traces, tests, and what belongs to a bug report. */
import { readFileSync } from 'node:fs';
import type { Task } from '@backplane/engine';
import { BackplaneError, type Calls, isKernelError } from '@backplane/slots';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { type Checked, type Performed, Replay, type Replayed } from '../operations/execute.ts';
import type { Workload } from '../operations/operation.ts';
import { parseOperations } from '../operations/parse.ts';
import { checkNames } from '../parameters.ts';

interface Parameters {
  readonly workloads: readonly Workload[];
}
export interface ReplayResult {
  readonly operations: readonly Performed[];
  readonly conditions: readonly Checked[];
}

const name = 'replay';
const parameterTexts = [{ name: 'ops', value: 'FILE', description: 'the operation file' }];

function readOperations(file: string | undefined): readonly Workload[] {
  if (file === undefined)
    throw new BackplaneError(
      'WRONG_PARAMETER',
      { experiment: name },
      'replay needs an operation file.',
      'backplane run replay --ops FILE',
    );
  try {
    return parseOperations(readFileSync(file, 'utf8'), file);
  } catch (e) {
    if (e instanceof Error && 'syscall' in e)
      throw new BackplaneError(
        'UNREADABLE_OPERATIONS',
        { file },
        `--ops ${file}: ${e.message}`,
        'Give a file that can be read.',
      );
    throw e;
  }
}

/** The highest client that is named: c3 makes three. */
function clientsIn(workloads: readonly Workload[]): number {
  const numbers = workloads.flatMap((w) =>
    w.steps.map((s) => (s.step === 'file' ? Number(/^c(\d+)$/.exec(s.client)?.[1] ?? 1) : 1)),
  );
  return Math.max(1, ...numbers);
}

export const replay: Experiment<Parameters, ReplayResult> = defineExperiment({
  name,
  description:
    'carries out an operation file: several clients and processes, crashes, partitions, conditions',
  uses: ['systemCalls'],
  parameterTexts,
  parameters(given) {
    checkNames(name, given, parameterTexts);
    return { workloads: readOperations(given['ops']) };
  },
  shape: ({ workloads }) => ({
    clients: clientsIn(workloads),
    clientsMin: clientsIn(workloads),
    servers: 1,
    machineTypes: { client: 'sun3-75', server: 'sun3-180' },
    prefixes: [['/']],
  }),
  *run({ cluster, clients, parameters, start }): Task<ReplayResult> {
    const done: Replayed[] = [];
    for (const [i, workload] of parameters.workloads.entries()) {
      const [client] = clients;
      if (i > 0 && client !== undefined) yield* start(client, 'clean up', empty).join();
      done.push(yield* new Replay(cluster, clients).run(workload));
    }
    return { operations: done.flatMap((d) => d.operations), conditions: done.flatMap((d) => d.conditions) };
  },
  passed: ({ conditions }) => conditions.every((c) => c.ok),
  measures: ({ operations }) => ({
    'replay.seconds': Math.max(0, ...operations.map((o) => o.end)),
    'replay.failed': operations.filter((o) => !o.ok).length,
  }),
  table: ({ operations, conditions }) => ({
    title: `${operations.length} operations`,
    head: ['line', 'process', 'operation', 'seconds', 'error', 'value'],
    rows: [
      ...operations.map((o) => [
        String(o.line),
        o.client === null ? '' : `${o.client}.${o.process}`,
        o.op,
        (o.end - o.start).toFixed(6),
        o.error ?? '',
        o.value === null ? '' : JSON.stringify(o.value),
      ]),
      ...conditions.map((c) => [String(c.line), '', 'condition', '', c.ok ? '' : 'failed', c.why ?? 'holds']),
    ],
  }),
});

/** Each workload starts on an empty file system. */
function* empty(sys: Calls): Task<number> {
  yield* removeAll(sys, '/');
  return 0;
}

function* removeAll(sys: Calls, directory: string): Task<void> {
  for (const entry of yield* sys.entries(directory)) {
    const path = directory === '/' ? `/${entry}` : `${directory}/${entry}`;
    const { type } = yield* sys.stat(path, { follow: false });
    try {
      if (type === 'directory') {
        yield* removeAll(sys, path);
        yield* sys.rmdir(path);
      } else yield* sys.unlink(path);
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
  }
}
