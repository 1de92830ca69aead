/**
 * Slot `servers` (many): what a kernel of messages offers beside messages. Each is reached by message only, as a process
 * that belongs to a well-known group, so no board may require one: who needs it sends to it, wherever it is.
 *
 * Servers of the kernel (processes, memory, time, devices) and those outside of it (programs, pipes, exceptions) differ in
 * who may do without, not in how they are called.
 */
import type { EntityId } from './entities.ts';

export interface Server {
  /** The process that answers; of several, the one that clients begin with. */
  readonly process: EntityId;
}
