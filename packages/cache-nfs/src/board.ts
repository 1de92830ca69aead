/** The board for slot `fileCache`: the client's half on every machine, the server's where there is a storage. */
import { seconds } from '@backplane/engine';
import { OwnCalls } from '@backplane/file-service';
import { type Component, defineComponent } from '@backplane/slots';
import { z } from 'zod';
import { Client } from './client.ts';
import { Counters, register } from './counters.ts';
import { Server } from './server.ts';
import { version } from './version.ts';

const trusted = z.number().min(0).max(3600);
const options = z.strictObject({
  attributeMinSeconds: trusted
    .default(3)
    .describe('attributes of a file are trusted at least so long after they were heard, in seconds'),
  attributeMaxSeconds: trusted.default(30).describe('... and at most so long'),
  directoryMinSeconds: trusted.default(30).describe('the same for directories, in seconds'),
  directoryMaxSeconds: trusted.default(60).describe('... and at most so long'),
  closeToOpen: z
    .boolean()
    .default(true)
    .describe(
      'ask for the attributes at each open, trusted or not, so that a reader sees what was closed before',
    ),
  nameCache: z
    .boolean()
    .default(false)
    .describe('keep names that were looked up while the attributes of their directory are trusted'),
  transferBytes: z
    .int()
    .min(4096)
    .max(65_536)
    .multipleOf(4096)
    .default(8192)
    .describe('bytes of one read or write call'),
  daemons: z
    .int()
    .min(0)
    .max(64)
    .default(4)
    .describe('writes that are under way while their program goes on'),
  delaySeconds: z
    .number()
    .positive()
    .default(30)
    .describe('age at which written blocks leave that fill no transfer, in seconds'),
  filesMax: z.int().min(16).default(1000).describe('files whose attributes and blocks are kept'),
});
export interface NfsCacheOptions {
  readonly attributeMinSeconds?: number;
  readonly attributeMaxSeconds?: number;
  readonly directoryMinSeconds?: number;
  readonly directoryMaxSeconds?: number;
  readonly closeToOpen?: boolean;
  readonly nameCache?: boolean;
  readonly transferBytes?: number;
  readonly daemons?: number;
  readonly delaySeconds?: number;
  readonly filesMax?: number;
}

export const nfsCache: Component<'fileCache', NfsCacheOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/cache-nfs',
  version,
  slot: 'fileCache',
  contract: 1,
  requires: ['transport', 'naming', 'streams', 'blockCache', 'storage?'],
  speaks: ['files-nfs'],
  serves: [{ protocol: 'files-nfs', where: 'storage' }],
  options,
  create: ({ transport, naming, streams, blockCache, storage }, o, machine) => {
    const counters = new Counters();
    register(machine.metrics, counters);
    const calls = new OwnCalls(transport, machine);
    const server = storage.size > 0 ? new Server(storage, machine, calls, naming) : null;
    const client = new Client(
      {
        machine,
        transport,
        calls,
        blockCache,
        streams,
        counters,
        trust: {
          fileMinNs: seconds(o.attributeMinSeconds),
          fileMaxNs: seconds(o.attributeMaxSeconds),
          directoryMinNs: seconds(o.directoryMinSeconds),
          directoryMaxNs: seconds(o.directoryMaxSeconds),
        },
        transferBytes: o.transferBytes,
        closeToOpen: o.closeToOpen,
        nameCache: o.nameCache,
        delayNs: seconds(o.delaySeconds),
        filesMax: o.filesMax,
        daemons: { free: o.daemons },
      },
      server,
    );
    streams.protocol(client);
    return client;
  },
  *start(board) {
    const { server } = board as Client;
    if (server !== null) yield* server.start();
  },
  *halt(board) {
    const client = board as Client;
    yield* client.settleAll();
    if (client.server !== null) yield* client.server.halt();
  },
});
