/** Sequential and concurrent write sharing, with readers that check every byte they see. */
import { ms, type Task } from '@backplane/engine';
import { recordBytes, SharedRecords, shareFiles, type Violation } from '@backplane/workloads';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';

interface Parameters {
  readonly rounds: number;
  readonly files: number;
}

export interface SharingResult {
  readonly reads: number;
  readonly stale: number;
  readonly first: Violation | null;
  readonly seconds: number;
}

const name = 'sharing';
const recordsPerFile = 16;
const parameterTexts = [
  { name: 'rounds', value: '40', description: 'opens by each client' },
  { name: 'files', value: '3', description: 'files that they share' },
];

export const sharing: Experiment<Parameters, SharingResult> = defineExperiment({
  name,
  description: 'clients share files for writing; every byte read is checked against a model',
  uses: ['systemCalls'],
  parameterTexts,
  parameters(given) {
    checkNames(name, given, parameterTexts);
    return { rounds: count(name, given, 'rounds', 40), files: count(name, given, 'files', 3, 100) };
  },
  shape: () => ({
    clients: 3,
    servers: 1,
    machineTypes: { client: 'sun3-75', server: 'sun3-180' },
    prefixes: [['/']],
  }),
  *run({ cluster, clients, parameters, start }): Task<SharingResult> {
    const files = Array.from({ length: parameters.files }, (_, i) => `/shared${i}`);
    const [first] = clients;
    if (first === undefined) return { reads: 0, stale: 0, first: null, seconds: 0 };
    yield* start(first, 'create', function* (sys) {
      for (const file of files) {
        const fd = yield* sys.open(file, { write: true, create: true, mode: 0o666 });
        yield* sys.write(fd, new Uint8Array(recordsPerFile * recordBytes));
        yield* sys.close(fd);
      }
      return 0;
    }).join();
    const records = new SharedRecords();
    const startNs = cluster.engine.nowNs;
    const running = clients.map((c) =>
      start(c, name, function* (sys) {
        const random = cluster.engine.random('sharing', c.name);
        yield* shareFiles(sys, c.name, records, random, {
          files,
          recordsPerFile,
          rounds: parameters.rounds,
          thinkNsMax: ms(400),
        });
        return 0;
      }),
    );
    for (const r of running) yield* r.join();
    return {
      reads: records.readsChecked,
      stale: records.violations.length,
      first: records.violations[0] ?? null,
      seconds: (cluster.engine.nowNs - startNs) / 1e9,
    };
  },
  passed: (r) => r.stale === 0,
  measures: (r) => ({ 'sharing.stale': r.stale, 'sharing.seconds': r.seconds }),
  table: (r) => ({
    title: 'Write sharing',
    head: ['reads checked', 'stale', 'virtual s'],
    rows: [[String(r.reads), String(r.stale), r.seconds.toFixed(1)]],
    ...(r.first !== null && {
      note: `first: ${r.first.client} read stamp ${r.first.stamp} of ${r.first.file}, record ${r.first.record}, at ${r.first.virtualSeconds} s; ${r.first.newest} had been written`,
    }),
  }),
});
