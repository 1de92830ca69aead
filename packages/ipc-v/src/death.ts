/**
 * The end of a process. Who waits for it is told; whom it waits for is not: servers ask (`probe`).
 *
 *   who                                   gets
 *   in its line, local or not             nonexistentEntity
 *   awaits its reply                      nonexistentEntity; of a group, nothing: others may answer
 *   receives from it                      'nonexistentEntity'
 *   has its request                       nonexistentEntity or noPermission, when it answers or moves
 *   moves in or out of its memory         goes on until the memory refuses
 *   its own threads in a primitive        are cancelled
 */
import type { Task } from '@backplane/engine';
import { type ArrivedRequest, isGroup, message, ReplyCode } from '@backplane/slots';
import type { Process } from './process.ts';
import { resume, withdraw } from './waiting.ts';

/** Ends it here and now. Returns the requests that have to be answered by the transport. */
export function die(p: Process): readonly ArrivedRequest[] {
  const { ipc } = p;
  p.dead = p.stopped = true;
  p.frozen = false;
  ipc.processes.delete(p.id);
  p.detach();
  withdraw(p);
  const unanswered: ArrivedRequest[] = [];
  for (const list of [p.open, p.leaving, p.queue, p.held])
    for (let r = list.shift(); r !== undefined; r = list.shift()) {
      if (r.sender !== null) resume(r.sender, ReplyCode.nonexistentEntity);
      else if (r.arrived !== null) unanswered.push(r.arrived);
    }
  for (const other of ipc.processes.values())
    if (other.wanted === p.id) other.arrivals.wakeOne('nonexistentEntity');
  for (const move of p.moving) move.end();
  endThreads(p);
  return unanswered;
}

/** Those that wait find that the process is dead; those that wait elsewhere and those in procedures are cancelled at once. */
function endThreads(p: Process): void {
  p.thaw.open();
  p.arrivals.wakeAll('nonexistentEntity');
  p.replies.wakeAll(ReplyCode.nonexistentEntity);
  p.turns.wakeAll(true);
  p.movesOver.wakeAll();
  for (const thread of p.elsewhere) thread.cancel();
  p.scope.cancel();
}

export function* answerForTheDead(unanswered: readonly ArrivedRequest[]): Task<void> {
  for (const arrived of unanswered) {
    if (arrived.abandoned || isGroup(arrived.to)) arrived.discard();
    else yield* arrived.respond(message({ code: ReplyCode.nonexistentEntity }));
  }
}
