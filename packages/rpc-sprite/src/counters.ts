/** What has happened on one host since its boot, and the names under which the reports read it. */
import type { Machine } from '@backplane/slots';

export class Counters {
  /** Calls that boards of this host made to other hosts; `ask` counts as one. */
  calls = 0;
  /** Calls of boards to their own host. */
  localCalls = 0;
  /** Handlers run for other hosts. */
  served = 0;
  /** Packets sent again, and probes. */
  retransmissions = 0;
  /** Calls that failed because nobody answered. */
  timeouts = 0;
  /** Acknowledgements sent, partial ones among them. */
  acks = 0;
  nacks = 0;
  /** Packets that were here before, or came for a call that is over. */
  duplicates = 0;
  /** Packets of an earlier life of their sender. */
  stale = 0;
  malformed = 0;
  /** Packets of another version. */
  wrongVersion = 0;
  sentPackets = 0;
  receivedPackets = 0;
  /** Payload of the packets sent: parameters and data, headers not counted. */
  bytes = 0;
  /** Calls that were acknowledged ten times without a reply. */
  hung = 0;
  /** Requests dropped because no server process was free. */
  noServer = 0;
  /** Requests refused because they were meant for another life of this host. */
  refused = 0;
  /** Echoes that the host monitor sent. */
  pings = 0;
  /** Server processes taken away from idle clients. */
  reclaimed = 0;

  register({ metrics }: Machine): void {
    metrics.register('rpc.calls', () => this.calls);
    metrics.register('rpc.localCalls', () => this.localCalls);
    metrics.register('rpc.served', () => this.served);
    metrics.register('rpc.retransmissions', () => this.retransmissions);
    metrics.register('rpc.timeouts', () => this.timeouts);
    metrics.register('rpc.acks', () => this.acks);
    metrics.register('rpc.nacks', () => this.nacks);
    metrics.register('rpc.duplicates', () => this.duplicates);
    metrics.register('rpc.stale', () => this.stale);
    metrics.register('rpc.malformed', () => this.malformed);
    metrics.register('rpc.wrongVersion', () => this.wrongVersion);
    metrics.register('rpc.sentPackets', () => this.sentPackets);
    metrics.register('rpc.receivedPackets', () => this.receivedPackets);
    metrics.register('rpc.bytes', () => this.bytes);
    metrics.register('rpc.hung', () => this.hung);
    metrics.register('rpc.noServer', () => this.noServer);
    metrics.register('rpc.refused', () => this.refused);
    metrics.register('rpc.pings', () => this.pings);
    metrics.register('rpc.reclaimed', () => this.reclaimed);
  }
}
