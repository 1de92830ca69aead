/**
 * The procedure model: a request runs a procedure on a thread of its own, at once, up to a limit; more wait in line, and
 * a thread that is done takes the next of them.
 *
 *   event                       action
 *   request, below the limit    start a thread
 *   request, at the limit       into the line
 *   procedure ends              reply or discard; the next in line, else the thread ends
 *
 * A procedure that has begun at once and waited for nothing costs a sender of this host no switch: in V it ran in his process.
 */
import { charge, currentThread, type Task, task } from '@backplane/engine';
import { Busy, type MessageProcedure } from '@backplane/slots';
import { discard, reply } from './answer.ts';
import { servesTwice } from './errors.ts';
import { accept, takeNext } from './line.ts';
import type { Process } from './process.ts';
import { openRequest, type Request } from './request.ts';

export function serve(p: Process, procedure: MessageProcedure, concurrent: number): void {
  if (p.procedure !== null || p.arrivals.length > 0) throw servesTwice(p.name);
  if (p.dead) return;
  const start = (r: Request): void => {
    p.running++;
    accept(p, r);
    p.scope.spawn('procedure', work(p, procedure, r));
  };
  p.procedure = start;
  p.concurrent = concurrent;
  if (!p.frozen) serveLine(p, start);
}

/** Threads for what waits in line, as far as the limit lets them. */
export function serveLine(p: Process, start: (r: Request) => void): void {
  while (p.running < p.concurrent) {
    const r = takeNext(p);
    if (r === undefined) return;
    start(r);
  }
}

const work: (p: Process, procedure: MessageProcedure, first: Request) => Task<void> = task(
  function* work(p, procedure, first): Task<void> {
    try {
      for (let r: Request | undefined = first; r !== undefined; r = p.frozen ? undefined : takeNext(p)) {
        if (r !== first) accept(p, r);
        if (r.sender !== null) charge(p.ipc.copyNs(r.message.segment.length), Busy.kernel);
        const thread = currentThread();
        const { blocks } = thread;
        const answer = yield* procedure(r);
        // Kernel servers run in the process of who asks: there is nobody to switch to, unless they wait.
        const sender = r.sender ?? p.ipc.processes.get(r.from);
        if (sender !== undefined && answer !== 'discard')
          sender.onBehalf = r === first && thread.blocks === blocks;
        if (answer !== 'discard') yield* reply(p, r, answer);
        else if (openRequest(p, r) !== null) discard(p, r); // else the procedure has passed it on
      }
    } finally {
      p.running--;
    }
  },
);
