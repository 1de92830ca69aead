/**
 * rpc8k: every host is client and server at once. A client thinks, asks another host, chosen at random, with 128 bytes,
 * and gets 8192 bytes back; then it thinks again. With no think time the wire is saturated.
 */
import { sleep, type Task } from '@backplane/engine';
import { hostId, isKernelError, type Transport } from '@backplane/slots';
import { exchange } from './procedures.ts';
import { Xorshift } from './xorshift.ts';

export interface Rpc8kCounts {
  rpcs: number;
  /** Sum of the times from call to answer. */
  waitedNs: number;
  failures: number;
}

const requestBytes = 128;
const replyBytes = 8192;

export function serveRpc8k(transport: Transport): void {
  const reply = new Uint8Array(replyBytes);
  transport.serve(exchange, function* () {
    return reply;
  });
}

/**
 * @param i number of this host, 0 .. hosts - 1; host i has the host number i + 1
 * @param thinkNs mean of the exponential think time; 0 for none
 */
export function* rpc8kClient(
  transport: Transport,
  i: number,
  hosts: number,
  thinkNs: number,
  now: () => number,
  counts: Rpc8kCounts,
): Task<void> {
  const random = new Xorshift(i);
  const request = new Uint8Array(requestBytes);
  for (;;) {
    if (thinkNs > 0) yield* sleep(Math.round(random.exponential(thinkNs)));
    else random.next();
    const target = (i + 1 + (random.next() % (hosts - 1))) % hosts;
    const startNs = now();
    try {
      yield* transport.call(hostId(target + 1), exchange, request);
      counts.rpcs++;
      counts.waitedNs += now() - startNs;
    } catch (e) {
      if (!isKernelError(e)) throw e;
      counts.failures++;
    }
  }
}
