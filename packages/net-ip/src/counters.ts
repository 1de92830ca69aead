/** What has happened on one host since its boot, and the names under which the reports read it. */
import type { Machine } from '@backplane/slots';
import type { ReassemblyCounts } from '@backplane/wire';

export class Counters {
  /** Datagrams. */
  sent = 0;
  received = 0;
  /** Datagrams that were cut. */
  fragmented = 0;
  /** Datagrams not sent because nobody answers for their host. */
  unreachable = 0;
  /** Link frames. */
  sentPackets = 0;
  receivedPackets = 0;
  malformed = 0;
  /** Datagrams for another address. */
  astray = 0;
  /** Datagrams of a protocol that nobody receives. */
  unclaimed = 0;
  readonly #reassembly: ReassemblyCounts;

  constructor(reassembly: ReassemblyCounts) {
    this.#reassembly = reassembly;
  }

  register({ metrics }: Machine): void {
    metrics.register('ip.sent', () => this.sent);
    metrics.register('ip.received', () => this.received);
    metrics.register('ip.fragmented', () => this.fragmented);
    metrics.register('ip.unreachable', () => this.unreachable);
    metrics.register('ip.sentPackets', () => this.sentPackets);
    metrics.register('ip.receivedPackets', () => this.receivedPackets);
    metrics.register('ip.malformed', () => this.malformed + this.#reassembly.malformed);
    metrics.register('ip.astray', () => this.astray);
    metrics.register('ip.unclaimed', () => this.unclaimed);
    metrics.register('ip.joined', () => this.#reassembly.joined);
    metrics.register('ip.duplicates', () => this.#reassembly.duplicates);
    metrics.register('ip.expired', () => this.#reassembly.expired);
    metrics.register('ip.evicted', () => this.#reassembly.evicted);
  }
}
