/** What has happened on one host since its boot, and the names under which the reports read it. */
import type { Machine } from '@backplane/slots';

export class Counters {
  /** Calls that boards of this host made to other hosts; `ask` counts as one. */
  calls = 0;
  /** Calls of boards to their own host. */
  localCalls = 0;
  /** Handlers run for other hosts. */
  served = 0;
  /** Requests sent again. */
  retransmissions = 0;
  /** Times a host was called dead because it did not answer. */
  timeouts = 0;
  /** Requests that were here before, and replies that nobody waits for. */
  duplicates = 0;
  /** Replies sent again for a duplicate. */
  replays = 0;
  /** Duplicates of calls whose reply is no longer kept. */
  forgotten = 0;
  /** Messages of an earlier life of their sender, or for one of ours. */
  stale = 0;
  malformed = 0;
  /** Link frames. */
  sentPackets = 0;
  receivedPackets = 0;
  /** Parameters and data of the requests and replies sent, those sent again included. */
  bytes = 0;
  /** Requests dropped because every daemon was busy. */
  noServer = 0;
  /** Requests refused because they were meant for another life of this host. */
  refused = 0;
  /** Null procedure calls made. */
  pings = 0;

  register({ metrics }: Machine): void {
    metrics.register('rpc.calls', () => this.calls);
    metrics.register('rpc.localCalls', () => this.localCalls);
    metrics.register('rpc.served', () => this.served);
    metrics.register('rpc.retransmissions', () => this.retransmissions);
    metrics.register('rpc.timeouts', () => this.timeouts);
    metrics.register('rpc.duplicates', () => this.duplicates);
    metrics.register('rpc.replays', () => this.replays);
    metrics.register('rpc.forgotten', () => this.forgotten);
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
