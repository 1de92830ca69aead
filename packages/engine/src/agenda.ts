/**
 * The agenda: the present instant and what is to come. One per engine; every thread and timer holds it, so that
 * queueing needs no detour.
 *
 * Order: all threads that are ready at this instant, first in first out; then the earliest entry of the queue, which
 * moves the clock. A thread that is woken goes into the ring, never through the heap.
 */
import type { Entry } from './entry.ts';
import { Queue } from './queue.ts';
import { Ring } from './ring.ts';
import type { Thread } from './thread.ts';

export class Agenda {
  nowNs = 0;
  /** May hold threads that have died since: whoever takes one out asks. */
  readonly ready: Ring<Thread> = new Ring();
  readonly queue: Queue<Entry> = new Queue();
  /** Numbers given to scopes and to entries so far. */
  scopes = 0;
  entries = 0;
}
