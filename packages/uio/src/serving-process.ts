/**
 * How a server's process takes its requests. Clients cannot tell the two apart, but for what it costs:
 *
 *   messages     a program outside the kernel: one thread receives, others of its team work on what it has received
 *   procedures   a module of the kernel: each request runs at once, on behalf of who asked
 */
import { type Scope, Semaphore, type Task, task } from '@backplane/engine';
import type { IpcProcess, MessageProcedure, Received } from '@backplane/slots';

export type ServerModel = 'messages' | 'procedures';

/** @param concurrent how many requests are worked on at once; more wait in line. Those that wait for somebody count */
export function serveProcess(
  process: IpcProcess,
  scope: Scope,
  model: ServerModel,
  concurrent: number,
  answer: MessageProcedure,
): void {
  if (model === 'procedures') process.serve(answer, { concurrent });
  else
    scope.spawn(
      'receiver',
      receiveAll(process, scope, Number.isFinite(concurrent) ? new Semaphore(concurrent) : null, answer),
    );
}

const receiveAll: (
  process: IpcProcess,
  scope: Scope,
  free: Semaphore | null,
  answer: MessageProcedure,
) => Task<void> = task(function* receiveAll(process, scope, free, answer): Task<void> {
  for (;;) {
    if (free !== null) yield* free.acquire();
    const request = yield* process.receive();
    scope.spawn('worker', work(process, request, free, answer));
  }
});

const work: (
  process: IpcProcess,
  request: Received,
  free: Semaphore | null,
  answer: MessageProcedure,
) => Task<void> = task(function* work(process, request, free, answer): Task<void> {
  try {
    const response = yield* answer(request);
    if (response === 'discard') process.discard(request);
    else yield* process.reply(request, response);
  } finally {
    free?.release();
  }
});
