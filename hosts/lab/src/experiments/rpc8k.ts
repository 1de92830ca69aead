/** Every host asks every other for 8 KB: the workload on which the emulation's speed is compared with other simulators. */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { type Rpc8kCounts, rpc8kClient, serveRpc8k } from '@backplane/workloads';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { checkNames, choice, count } from '../parameters.ts';

interface Point {
  readonly hosts: number;
  /** Mean. */
  readonly thinkNs: number;
}
const rpc8kPoints: { readonly A: Point; readonly B: Point; readonly C: Point } = {
  A: { hosts: 10, thinkNs: ms(100) },
  B: { hosts: 100, thinkNs: seconds(1) },
  C: { hosts: 100, thinkNs: 0 },
};

interface Parameters {
  readonly point: keyof typeof rpc8kPoints;
  readonly simulatedSeconds: number;
}
export interface Rpc8kResult {
  readonly point: string;
  readonly rpcs: number;
  readonly failures: number;
  readonly frames: number;
  readonly collisions: number;
  readonly simulatedSeconds: number;
  readonly rpcsPerSecond: number;
  readonly meanMilliseconds: number;
}

const name = 'rpc8k';
const parameterTexts = [
  {
    name: 'point',
    value: 'A',
    description: 'A: 10 hosts that think 100 ms; B: 100 that think 1 s; C: 100 that do not think',
  },
  { name: 'seconds', value: '400', description: 'simulated seconds' },
];

export const rpc8k: Experiment<Parameters, Rpc8kResult> = defineExperiment({
  name,
  description: 'every host asks every other for 8 KB',
  parameterTexts,
  parameters(given) {
    checkNames(name, given, parameterTexts);
    const point = choice(name, given, 'point', ['A', 'B', 'C'], 'A');
    return { point, simulatedSeconds: count(name, given, 'seconds', 400) };
  },
  shape: ({ point }) => ({
    clients: rpc8kPoints[point].hosts,
    servers: 0,
    // Each asks the others, by host numbers without a gap.
    clientsMin: 2,
    serversMax: 0,
    machineTypes: { client: 'zero-cost', server: 'zero-cost' },
    prefixes: [],
    without: ['servers', 'fileCache', 'systemCalls'],
  }),
  *run({ clients, cluster, parameters }): Task<Rpc8kResult> {
    const { thinkNs } = rpc8kPoints[parameters.point];
    const counts: Rpc8kCounts = { rpcs: 0, waitedNs: 0, failures: 0 };
    const now = (): number => cluster.engine.nowNs;
    for (const c of clients) serveRpc8k(c.board('transport'));
    const before = cluster.metrics();
    for (const [i, c] of clients.entries())
      c.scope.spawn('rpc8k', rpc8kClient(c.board('transport'), i, clients.length, thinkNs, now, counts));
    yield* sleep(seconds(parameters.simulatedSeconds));
    const after = cluster.metrics();
    const grown = (metric: string): number => (after[metric] ?? 0) - (before[metric] ?? 0);
    return {
      point: parameters.point,
      rpcs: counts.rpcs,
      failures: counts.failures,
      frames: grown('network.frames'),
      collisions: grown('network.collisions'),
      simulatedSeconds: parameters.simulatedSeconds,
      rpcsPerSecond: counts.rpcs / parameters.simulatedSeconds,
      meanMilliseconds: counts.waitedNs / counts.rpcs / 1e6,
    };
  },
  measures: (r) => ({ 'rpc8k.rpcsPerSecond': r.rpcsPerSecond, 'rpc8k.meanMilliseconds': r.meanMilliseconds }),
  table: (r) => ({
    title: `rpc8k, point ${r.point}`,
    head: ['RPCs', 'per s', 'mean ms', 'frames', 'collisions', 'failed'],
    rows: [
      [
        String(r.rpcs),
        r.rpcsPerSecond.toFixed(1),
        r.meanMilliseconds.toFixed(1),
        String(r.frames),
        String(r.collisions),
        String(r.failures),
      ],
    ],
  }),
});
