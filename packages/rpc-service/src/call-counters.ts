/**
 * What has happened on one host since its boot, as far as every transport counts it, and the names under which the reports
 * read it. A transport that counts more extends the class.
 */
import type { Machine } from '@backplane/slots';

export class CallCounters {
  /** Calls that boards of this host made to other hosts; `ask` counts as one. */
  calls = 0;
  /** Calls of boards to their own host. */
  localCalls = 0;
  /** Handlers run for other hosts. */
  served = 0;
  /** What was sent again because it may have been lost. */
  retransmissions = 0;
  /** Times that nobody answered. */
  timeouts = 0;
  /** What was here before, or came for a call that is over. */
  duplicates = 0;
  /** What came from, or for, an earlier life. */
  stale = 0;
  malformed = 0;
  /** Link frames. */
  sentPackets = 0;
  receivedPackets = 0;
  /** Parameters and data sent, headers not counted. */
  bytes = 0;
  /** Requests dropped because no server thread was free. */
  noServer = 0;
  /** Requests refused because they were meant for another life of this host. */
  refused = 0;
  /** Signs of life that were asked for. */
  pings = 0;

  register({ metrics }: Machine): void {
    metrics.register('rpc.calls', () => this.calls);
    metrics.register('rpc.localCalls', () => this.localCalls);
    metrics.register('rpc.served', () => this.served);
    metrics.register('rpc.retransmissions', () => this.retransmissions);
    metrics.register('rpc.timeouts', () => this.timeouts);
    metrics.register('rpc.duplicates', () => this.duplicates);
    metrics.register('rpc.stale', () => this.stale);
    metrics.register('rpc.malformed', () => this.malformed);
    metrics.register('rpc.sentPackets', () => this.sentPackets);
    metrics.register('rpc.receivedPackets', () => this.receivedPackets);
    metrics.register('rpc.bytes', () => this.bytes);
    metrics.register('rpc.noServer', () => this.noServer);
    metrics.register('rpc.refused', () => this.refused);
    metrics.register('rpc.pings', () => this.pings);
  }
}
