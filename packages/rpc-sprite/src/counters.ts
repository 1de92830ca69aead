/** What this protocol counts besides what every transport does. */
import { CallCounters } from '@backplane/rpc-service';
import type { Machine } from '@backplane/slots';

export class Counters extends CallCounters {
  /** Acknowledgements sent, partial ones among them. */
  acks = 0;
  nacks = 0;
  /** Packets of another version. */
  wrongVersion = 0;
  /** Calls that were acknowledged ten times without a reply. */
  hung = 0;
  /** Server processes taken away from idle clients. */
  reclaimed = 0;

  override register(machine: Machine): void {
    super.register(machine);
    const { metrics } = machine;
    metrics.register('rpc.acks', () => this.acks);
    metrics.register('rpc.nacks', () => this.nacks);
    metrics.register('rpc.wrongVersion', () => this.wrongVersion);
    metrics.register('rpc.hung', () => this.hung);
    metrics.register('rpc.reclaimed', () => this.reclaimed);
  }
}
