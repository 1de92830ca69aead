/** The board for slot `fileCache`: the client's half on every machine, the server's where there is a storage. */
import { type Component, defineComponent } from '@backplane/slots';
import { Client } from './client.ts';
import { Server } from './server.ts';
import { version } from './version.ts';

export const noCache: Component<'fileCache'> = /* @__PURE__ */ defineComponent({
  name: '@backplane/cache-none',
  version,
  slot: 'fileCache',
  contract: 1,
  requires: ['transport', 'naming', 'streams', 'storage?', 'recovery?'],
  speaks: ['files-none'],
  serves: [{ protocol: 'files-none', where: 'storage' }],
  create: ({ transport, naming, streams, storage, recovery }, _options, machine) => {
    const server = storage.size > 0 ? new Server(storage, streams, machine, transport, naming) : null;
    const client = new Client(transport, streams, recovery, machine, server);
    streams.protocol(client);
    return client;
  },
  *start(board) {
    const { server } = board as Client;
    if (server !== null) yield* server.start();
  },
  *halt(board) {
    const { server } = board as Client;
    if (server !== null) yield* server.halt();
  },
});
