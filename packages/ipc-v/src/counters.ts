/** What this board counts. */
import type { Machine } from '@backplane/slots';

export class Counters {
  sends = 0;
  localSends = 0;
  groupSends = 0;
  receives = 0;
  forwards = 0;
  /** Replies, forwards and moves that were refused: nobody waits for them, or they may not be done. */
  refused = 0;
  moves = 0;
  movedBytes = 0;

  moved(bytes: number): void {
    this.moves++;
    this.movedBytes += bytes;
  }

  register({ metrics }: Machine): void {
    metrics.register('ipc.sends', () => this.sends);
    metrics.register('ipc.localSends', () => this.localSends);
    metrics.register('ipc.groupSends', () => this.groupSends);
    metrics.register('ipc.receives', () => this.receives);
    metrics.register('ipc.forwards', () => this.forwards);
    metrics.register('ipc.refused', () => this.refused);
    metrics.register('ipc.moves', () => this.moves);
    metrics.register('ipc.movedBytes', () => this.movedBytes);
  }
}
