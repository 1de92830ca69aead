/** A request with a grant is passed on: its sender's host learns who may move now. */
import { currentThread, type Task, task } from '@backplane/engine';
import type { EntityId, Message } from '@backplane/slots';
import type { Mover } from './granted.ts';
import { pass, passSegment } from './memory-manager.ts';
import type { Process } from './process.ts';

/** Silence and refusal change nothing: moves of the next holder are then refused, and the request goes on. */
export const passGrant: (p: Process, granter: EntityId, holder: Mover, next: EntityId) => Task<void> = task(
  function* passGrant(p, granter, holder, next): Task<void> {
    const local = p.ipc.processes.get(granter);
    if (local !== undefined) pass(local, holder, next);
    else yield* askMemoryManager(p, passSegment(granter, holder, next));
  },
);

/**
 * A transaction with the memory manager at the granter's host, for a thread of `p`. Not in the name of `p`, whose own
 * transaction it would end: of a client of the kernel's.
 */
export const askMemoryManager: (p: Process, request: Message) => Task<Message> = task(
  function* askMemoryManager(p, request): Task<Message> {
    const { ipc } = p;
    const thread = currentThread();
    const client = ipc.takeClient();
    p.elsewhere.add(thread);
    p.asking++;
    try {
      return (yield* ipc.entities.send(client, ipc.memoryManagers, request)).message;
    } finally {
      p.asking--;
      p.elsewhere.delete(thread);
      ipc.returnClient(client);
    }
  },
);
