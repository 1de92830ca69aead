/** Round trips of a kernel's transport by size: the published RPC rows. */
import type { Task } from '@backplane/engine';
import { roundTrips, serveRoundTrips } from '@backplane/workloads';
import { defineExperiment, type Experiment, type ParameterText } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';

interface Row {
  readonly bytes: number;
  readonly milliseconds: number;
  readonly kilobytesPerSecond: number;
}
export interface RoundTripResult {
  readonly rows: readonly Row[];
}
interface Parameters {
  readonly sizes: readonly number[];
  readonly calls: number;
}

const texts = (sizes: string): readonly ParameterText[] => [
  { name: 'calls', value: '20', description: 'round trips of each size' },
  { name: 'sizes', value: sizes, description: 'bytes to the server, a list with commas' },
];

const describe = (
  name: string,
  description: string,
  sizes: string,
): Experiment<Parameters, RoundTripResult> =>
  defineExperiment({
    name,
    description,
    shape: () => ({
      clients: 1,
      servers: 1,
      machineTypes: { client: 'sun3-75', server: 'sun3-75' },
      prefixes: [['/']],
    }),
    parameterTexts: texts(sizes),
    parameters(given) {
      checkNames(name, given, texts(sizes));
      return {
        calls: count(name, given, 'calls', 20),
        sizes: (given['sizes'] ?? sizes)
          .split(',')
          .map((s) => count(name, { sizes: s === '0' ? '1' : s }, 'sizes', 1, 16_384) - (s === '0' ? 1 : 0)),
      };
    },
    *run({ clients: [client], servers: [server], parameters, cluster }): Task<RoundTripResult> {
      if (client === undefined || server === undefined) return { rows: [] };
      serveRoundTrips(server.board('transport'));
      const rows: Row[] = [];
      const now = (): number => cluster.engine.nowNs;
      for (const bytes of parameters.sizes) {
        // On the client's own processor, as a thread of its kernel.
        const trips = roundTrips(client.board('transport'), server.host, bytes, parameters.calls, now);
        const meanNs = yield* client.scope.spawn(name, trips).join();
        rows.push({ bytes, milliseconds: meanNs / 1e6, kilobytesPerSecond: bytes / 1024 / (meanNs / 1e9) });
      }
      return { rows };
    },
    measures: ({ rows }) =>
      Object.fromEntries(rows.map((r) => [`rpc.${r.bytes}.milliseconds`, r.milliseconds])),
    table: ({ rows }) => ({
      title: 'Round trips from one kernel to another',
      head: ['bytes', 'ms', 'KB/s'],
      rows: rows.map((r) => [
        String(r.bytes),
        r.milliseconds.toFixed(2),
        r.bytes === 0 ? '' : r.kilobytesPerSecond.toFixed(0),
      ]),
    }),
  });

export const nullRpc: Experiment<Parameters, RoundTripResult> = describe(
  'null-rpc',
  'the time of one remote procedure call without data',
  '0',
);
export const bulk: Experiment<Parameters, RoundTripResult> = describe(
  'bulk',
  '0 to 16 KB to a server by remote procedure call, in as many calls as the transport needs',
  '0,1024,2048,4096,8192,12288,16384',
);
