/** The board for slot `fileCache`: the client's half on every machine, the server's where there is a storage. */
import { OwnCalls } from '@backplane/file-service';
import { type Component, defineComponent } from '@backplane/slots';
import { z } from 'zod';
import { Client } from './client.ts';
import { Counters, register } from './counters.ts';
import { type Policy, policies, WritePolicy } from './policy.ts';
import { Server } from './server.ts';
import type { ServerWrite } from './server-io.ts';
import { Servers } from './servers.ts';
import { version } from './version.ts';

const options = z.strictObject({
  policy: z.enum(policies).default('delay').describe('when a client writes dirty blocks back'),
  delaySeconds: z
    .number()
    .positive()
    .default(30)
    .describe('age at which dirty blocks are written back, in seconds; for the policies that wait'),
  temporary: z
    .array(z.string())
    .default([])
    .describe('prefixes below which dirty blocks stay until they are asked for, such as "/tmp"'),
  clientCaching: z
    .boolean()
    .default(true)
    .describe('may clients keep copies at all; asked of the server of a file'),
  serverWrite: z
    .enum(['delayed', 'soon', 'through', 'last-dirty-block', 'write-backs'])
    .default('write-backs')
    .describe(
      'what a server does with what is written to it: keep it in its cache; start the disk write; answer when it is on the disk; answer the last dirty block of a file when all of the file is; or answer what comes from a cache when it is on the disk, and keep what programs write in its own',
    ),
});
export interface SpriteCacheOptions {
  readonly policy?: Policy;
  readonly delaySeconds?: number;
  readonly temporary?: string[];
  readonly clientCaching?: boolean;
  readonly serverWrite?: ServerWrite;
}

export const spriteCache: Component<'fileCache', SpriteCacheOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/cache-sprite',
  version,
  slot: 'fileCache',
  contract: 1,
  requires: ['transport', 'naming', 'streams', 'blockCache', 'storage?', 'recovery?'],
  speaks: ['files-sprite'],
  serves: [{ protocol: 'files-sprite', where: 'storage' }],
  options,
  create: ({ transport, naming, streams, blockCache, storage, recovery }, settings, machine) => {
    const { clientCaching, serverWrite } = settings;
    const counters = new Counters();
    register(machine.metrics, counters);
    const calls = new OwnCalls(transport, machine);
    const server =
      storage.size === 0
        ? null
        : new Server({
            storages: storage,
            streams,
            machine,
            transport,
            calls,
            naming,
            recovery,
            counters,
            clientCaching,
            serverWrite,
          });
    const { aside } = blockCache;
    const parts = {
      machine,
      transport,
      calls,
      streams,
      blockCache,
      aside: aside === undefined || aside.blocksMax === 0 ? null : aside,
      servers: new Servers(machine, transport, recovery),
      policy: new WritePolicy(settings.policy, settings.delaySeconds, settings.temporary),
      counters,
      unitBytes: transport.maxDataBytes,
    };
    const client = new Client(parts, recovery, server);
    streams.protocol(client);
    return client;
  },
  *start(board) {
    const { server, survivors } = board as Client;
    survivors.bringBack();
    if (server !== null) yield* server.start();
  },
  *halt(board) {
    const client = board as Client;
    yield* client.writeBackAll();
    if (client.server !== null) yield* client.server.halt();
  },
});
