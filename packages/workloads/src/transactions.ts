/**
 * Message transactions between two of V's processes, one after the other, with data in the response or in the request: what
 * Table I of "The V Distributed System" (Cheriton 1988) measures.
 *
 *   what the client wants          how the server gives it
 *   up to 1 KB, one packet's data  with the reply
 *   more                           into the segment that the client granted, and then the reply
 */
import type { Task } from '@backplane/engine';
import {
  type AddressSpace,
  codeOf,
  type EntityId,
  type IpcProcess,
  MessageFlag,
  message,
  ReplyCode,
  segmentBytesMax,
  wordOf,
} from '@backplane/slots';

/** Sends its data along, and wants so many bytes back. */
const transact = 1;
const ridesAlongBytes = 1024;

/** Memory for the data: as much as one transaction can move. */
export function mapBuffer(space: AddressSpace): void {
  space.map(0, Math.ceil(segmentBytesMax / space.pageBytes), { writable: true });
}

/** A server, for ever. Its space has a buffer. */
export function* serveTransactions(server: IpcProcess, space: AddressSpace): Task<void> {
  yield* space.write(0, new Uint8Array(segmentBytesMax).fill(0x56));
  for (;;) {
    const request = yield* server.receive();
    const wanted = wordOf(request.message, 1);
    const code = wanted <= segmentBytesMax ? ReplyCode.ok : ReplyCode.badReplySegment;
    if (code !== ReplyCode.ok || wanted <= ridesAlongBytes) {
      const segment = code === ReplyCode.ok ? yield* space.read(0, wanted) : new Uint8Array(0);
      yield* server.reply(request, message({ code, segment }));
      continue;
    }
    const moved = yield* server.moveTo(request, 0, 0, wanted);
    yield* server.reply(request, message({ code: moved }));
  }
}

export interface Exchange {
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Sent and not answered. */
  readonly datagram?: boolean;
}

/** Mean nanoseconds of one. One beforehand finds the server. @throws Error when one fails */
export function* transactions(
  client: IpcProcess,
  server: EntityId,
  { requestBytes, responseBytes, datagram }: Exchange,
  times: number,
  now: () => number,
): Task<number> {
  const grant = { read: false, write: true, address: 0, bytes: segmentBytesMax };
  const segment = new Uint8Array(requestBytes);
  const request = message({
    code: transact,
    flags: datagram === true ? MessageFlag.datagram : 0,
    words: [responseBytes],
    segment,
  });
  const first = message({ code: transact, words: [0] });
  const once = function* (m: typeof request): Task<void> {
    const { message: reply } = yield* client.send(server, m, { grant });
    if (codeOf(reply) !== ReplyCode.ok) throw new Error(`transactions: reply code ${codeOf(reply)}`);
  };
  yield* once(first);
  const startNs = now();
  for (let i = 0; i < times; i++) yield* once(request);
  return (now() - startNs) / times;
}
