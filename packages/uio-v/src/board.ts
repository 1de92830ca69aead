/** The board for slot `fileCache` that keeps no copies: files as V has them, by messages to file servers. */
import { seconds } from '@backplane/engine';
import { type Component, defineComponent, type WriteWhen } from '@backplane/slots';
import { z } from 'zod';
import { Client } from './client.ts';
import { FileServer } from './file-server.ts';
import { version } from './version.ts';

const options = z.strictObject({
  threads: z
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe('how many requests a file server works on at once; more wait in line'),
  probeSeconds: z
    .number()
    .positive()
    .default(30)
    .describe('how often a file server asks whether the owners of open files are alive'),
  writes: z
    .enum(['delayed', 'soon', 'through'])
    .default('through')
    .describe(
      'when a file server brings what was written to its disk: by age, at once, or before it answers',
    ),
});
export interface UioOptions {
  readonly writes?: WriteWhen;
  readonly threads?: number;
  readonly probeSeconds?: number;
}

export const uio: Component<'fileCache', UioOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/uio-v',
  version,
  slot: 'fileCache',
  contract: 1,
  requires: ['ipc', 'naming', 'streams', 'storage?'],
  speaks: ['uio'],
  serves: [{ protocol: 'uio', where: 'storage' }],
  options,
  create: ({ ipc, naming, streams, storage }, { threads, probeSeconds, writes }, machine) => {
    const parts = { storages: storage, ipc, streams, naming, machine };
    const server =
      storage.size > 0 ? new FileServer(parts, { threads, probeNs: seconds(probeSeconds), writes }) : null;
    if (server !== null) {
      machine.metrics.register('uio.instances', () => server.objects.instances.count);
      machine.metrics.register('uio.collected', () => server.objects.instances.collected);
    }
    const client = new Client(ipc, naming, machine, server);
    streams.protocol(client);
    return client;
  },
  *start(board) {
    const { server, protocol } = board as Client;
    if (server !== null) yield* server.start(protocol);
  },
  *halt(board) {
    const { server } = board as Client;
    if (server !== null) yield* server.halt();
  },
});
