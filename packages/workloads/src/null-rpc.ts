/** Round trips of one size, one after the other, between two hosts: the published RPC rows. */
import type { Task } from '@backplane/engine';
import type { HostId, Transport } from '@backplane/slots';
import { receive, send } from './procedures.ts';

export interface RoundTrips {
  /** Mean nanoseconds of one. */
  readonly meanNs: number;
  readonly calls: number;
}

export function serveRoundTrips(transport: Transport): void {
  transport.serve(send, function* () {
    return null;
  });
  transport.serve(receive, function* (count) {
    return new Uint8Array(Math.min(count, transport.maxDataBytes));
  });
}

/** `out`: the bytes travel in the request, else in the reply. One call beforehand finds the route. */
export function* roundTrips(
  transport: Transport,
  to: HostId,
  sizeBytes: number,
  out: boolean,
  calls: number,
  now: () => number,
): Task<RoundTrips> {
  const bytes = new Uint8Array(sizeBytes);
  const once = function* (): Task<void> {
    if (out) yield* transport.call(to, send, bytes);
    else yield* transport.call(to, receive, sizeBytes);
  };
  yield* once();
  const startNs = now();
  for (let i = 0; i < calls; i++) yield* once();
  return { meanNs: (now() - startNs) / calls, calls };
}
