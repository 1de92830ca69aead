/**
 * Transactions whose data stay in the client's memory until the server moves them into its own: how a server of V takes a
 * request of more than one packet, as `serveTransactions` gives a response of that size. Writing a file is one of them.
 */
import type { Task } from '@backplane/engine';
import {
  type AddressSpace,
  codeOf,
  type EntityId,
  type IpcProcess,
  message,
  ReplyCode,
  segmentBytesMax,
  wordOf,
} from '@backplane/slots';

/** Has so many bytes for the server, from address 0 on. */
const take = 2;

/** A server, for ever. Its space has a buffer. */
export function* serveGranted(server: IpcProcess): Task<void> {
  for (;;) {
    const request = yield* server.receive();
    const bytes = wordOf(request.message, 1);
    const code = yield* server.moveFrom(request, 0, 0, bytes);
    yield* server.reply(request, message({ code }));
  }
}

/** Mean nanoseconds of one. One beforehand has each find the other. @throws Error when one fails */
export function* grantedRequests(
  client: IpcProcess,
  space: AddressSpace,
  server: EntityId,
  bytes: number,
  times: number,
  now: () => number,
): Task<number> {
  yield* space.write(0, new Uint8Array(bytes).fill(0x56));
  const grant = { read: true, write: false, address: 0, bytes: segmentBytesMax };
  const request = message({ code: take, words: [bytes] });
  const once = function* (): Task<void> {
    const { message: reply } = yield* client.send(server, request, { grant });
    if (codeOf(reply) !== ReplyCode.ok) throw new Error(`granted requests: reply code ${codeOf(reply)}`);
  };
  yield* once();
  const startNs = now();
  for (let i = 0; i < times; i++) yield* once();
  return (now() - startNs) / times;
}
