/** What this protocol counts besides what every transport does. */
import { CallCounters } from '@backplane/rpc-service';
import type { Machine } from '@backplane/slots';

export class Counters extends CallCounters {
  /** Replies sent again for a duplicate. */
  replays = 0;
  /** Duplicates of calls whose reply is no longer kept. */
  forgotten = 0;

  override register(machine: Machine): void {
    super.register(machine);
    machine.metrics.register('rpc.replays', () => this.replays);
    machine.metrics.register('rpc.forgotten', () => this.forgotten);
  }
}
