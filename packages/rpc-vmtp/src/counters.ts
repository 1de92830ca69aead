/** What this protocol counts besides what every transport does. */
import { CallCounters } from '@backplane/rpc-service';
import type { Machine } from '@backplane/slots';

export class Counters extends CallCounters {
  /** Transactions of entities of this host, those of kernels among them. */
  transactions = 0;
  /** Those that never left the host. */
  localTransactions = 0;
  groupSends = 0;
  datagrams = 0;
  /** Requests handed to entities of this host. */
  requests = 0;
  forwards = 0;
  /** Notices to other hosts' managers. */
  notices = 0;
  /** Questions to all managers where an entity is. */
  probes = 0;
  /** Packets again that a receiver's mask asked for. */
  selective = 0;
  /** Times that a receiver asked for larger gaps, or a sender made them. */
  gapsWidened = 0;
  /** Idempotent transactions executed again for a client that lost the response. */
  redone = 0;
  /** Requests whose client fell silent while they were processed. */
  orphans = 0;

  override register(machine: Machine): void {
    super.register(machine);
    const { metrics } = machine;
    metrics.register('vmtp.transactions', () => this.transactions);
    metrics.register('vmtp.localTransactions', () => this.localTransactions);
    metrics.register('vmtp.groupSends', () => this.groupSends);
    metrics.register('vmtp.datagrams', () => this.datagrams);
    metrics.register('vmtp.requests', () => this.requests);
    metrics.register('vmtp.forwards', () => this.forwards);
    metrics.register('vmtp.notices', () => this.notices);
    metrics.register('vmtp.probes', () => this.probes);
    metrics.register('vmtp.selective', () => this.selective);
    metrics.register('vmtp.gapsWidened', () => this.gapsWidened);
    metrics.register('vmtp.redone', () => this.redone);
    metrics.register('vmtp.orphans', () => this.orphans);
  }
}
