/**
 * Two kernels on one Ethernet: machines that run Sprite and machines that run V, each kind with a file server of its own. Neither
 * knows of the other; the wire is all that they share. The same benchmark runs on both at the same time.
 */
import type { ClusterMachine } from '@backplane/chassis';
import type { Task } from '@backplane/engine';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { checkNames } from '../parameters.ts';
import { type AndrewResult, andrewOn, shippedTree, source, systemFiles } from './andrew.ts';

interface Part {
  readonly kernel: string;
  readonly machines: readonly string[];
  readonly seconds: number;
  readonly treeDigest: string;
}
export interface MixedResult {
  readonly parts: readonly Part[];
}

const name = 'mixed';
const kernels = ['sprite', 'v'];

export const mixed: Experiment<Record<never, never>, MixedResult> = defineExperiment({
  name,
  description: 'Sprite and V beside one another on one Ethernet, each running the Andrew benchmark',
  uses: ['systemCalls'],
  kernel: (index) => kernels[index % kernels.length] ?? 'sprite',
  shape: () => ({
    clients: 2,
    servers: 2,
    clientsMin: 2,
    serversMax: 2,
    machineTypes: { client: 'sun3-75', server: 'sun3-180' },
    prefixes: [['/'], ['/']],
  }),
  parameterTexts: [],
  parameters(given) {
    checkNames(name, given, []);
    return {};
  },
  treeAt: source,
  defaultTree: shippedTree,
  *prepare(storage) {
    yield* systemFiles(storage);
  },
  *run({ cluster, clients, servers, start }): Task<MixedResult> {
    const lab = { cluster, start, parameters: { start: 'cold' } } as const;
    const running = servers.map((server) => {
      const own = clients.filter((c) => kindOf(c) === kindOf(server));
      return { own, thread: cluster.start(`${name} ${kindOf(server)}`, andrewOn(lab, own, [server])) };
    });
    const parts: Part[] = [];
    for (const { own, thread } of running) parts.push(partOf(own, yield* thread.join()));
    return { parts };
  },
  measures: ({ parts }) => Object.fromEntries(parts.map((p) => [`mixed.${p.kernel}.seconds`, p.seconds])),
  table: ({ parts }) => ({
    title: 'Two kernels on one Ethernet',
    head: ['kernel', 'machines', 'seconds'],
    rows: parts.map((p) => [p.kernel, p.machines.join(' '), p.seconds.toFixed(1)]),
  }),
});

/** The kernel's own name, whichever role it is for: a server's is `sprite-server`. */
const kindOf = ({ kernelName }: ClusterMachine): string => kernelName.replace(/-server$/, '');

const partOf = (machines: readonly ClusterMachine[], { seconds, treeDigest }: AndrewResult): Part => ({
  kernel: machines[0] === undefined ? '' : kindOf(machines[0]),
  machines: machines.map((m) => m.name),
  seconds,
  treeDigest,
});
