/** Receive and receive specific. */
import { charge, settle, sleep, type Task, task, WaitQueue } from '@backplane/engine';
import { Busy, type EntityId, isGroup, type Received } from '@backplane/slots';
import { receivesTwice, receivesWhileServing } from './errors.ts';
import { accept, takeNext } from './line.ts';
import type { Process } from './process.ts';
import { Request } from './request.ts';

export const receive: (p: Process) => Task<Received> = task(function* receive(p): Task<Received> {
  charge(p.ipc.trapNs, Busy.kernel);
  yield* settle();
  const r = yield* take(p, null);
  // Only who waits for one sender is told of a death; what else ends the wait is our own.
  return r instanceof Request ? r : yield* nothingEver();
});

export const receiveFrom: (p: Process, from: EntityId) => Task<Received | 'nonexistentEntity'> = task(
  function* receiveFrom(p, from): Task<Received | 'nonexistentEntity'> {
    charge(p.ipc.trapNs, Busy.kernel);
    yield* settle();
    if (isGroup(from)) return 'nonexistentEntity';
    if (p.ipc.processes.has(from)) return yield* take(p, from);
    const asking = p.scope.spawn('receive specific', askAfter(p, from));
    try {
      return yield* take(p, from);
    } finally {
      asking.cancel();
    }
  },
);

const take: (p: Process, from: EntityId | null) => Task<Request | 'nonexistentEntity'> = task(
  function* take(p, from): Task<Request | 'nonexistentEntity'> {
    if (p.dead && !(yield* p.lives())) return yield* nothingEver();
    if (p.procedure !== null) throw receivesWhileServing(p.name);
    if (p.arrivals.length > 0) throw receivesTwice(p.name);
    p.wanted = from;
    try {
      let r: Request | 'nonexistentEntity' | undefined = p.frozen ? undefined : takeNext(p);
      if (r === undefined) r = yield* p.arrivals.wait();
      else accept(p, r);
      if ((p.stopped && !(yield* p.lives())) || r === undefined) return yield* nothingEver();
      if (r instanceof Request && r.sender !== null)
        charge(p.ipc.copyNs(r.message.segment.length), Busy.kernel);
      return r;
    } finally {
      p.wanted = null;
    }
  },
);

/** Nobody tells us of a death on another host: we ask. Silence is no answer: the host may come back. */
function* askAfter(p: Process, from: EntityId): Task<void> {
  while ((yield* p.ipc.entities.probe(from)) !== 'nonexistent') yield* sleep(p.ipc.limits.probeNs);
  if (p.wanted === from) p.arrivals.wakeOne('nonexistentEntity');
}

/** What a dead process receives, in a `finally` of one of its threads. */
const nothingEver: () => Task<never> = task(function* nothingEver(): Task<never> {
  for (;;) yield* new WaitQueue().wait();
});
