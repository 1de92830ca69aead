/** Bytes of one size to a server and an answer, one after the other: the published RPC rows. */
import type { Task } from '@backplane/engine';
import type { HostId, Transport } from '@backplane/slots';
import { send } from './procedures.ts';

export function serveRoundTrips(transport: Transport): void {
  transport.serve(send, function* () {
    return null;
  });
}

/**
 * Mean nanoseconds of one. What is more than the transport has room for in one call goes in several. One beforehand finds
 * the route.
 */
export function* roundTrips(
  transport: Transport,
  to: HostId,
  sizeBytes: number,
  times: number,
  now: () => number,
): Task<number> {
  const bytes = new Uint8Array(sizeBytes);
  const callBytes = transport.maxDataBytes;
  const once = function* (): Task<void> {
    let sent = 0;
    do {
      yield* transport.call(to, send, bytes.subarray(sent, sent + callBytes));
      sent += callBytes;
    } while (sent < sizeBytes);
  };
  yield* once();
  const startNs = now();
  for (let i = 0; i < times; i++) yield* once();
  return (now() - startNs) / times;
}
