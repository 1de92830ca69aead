/** A request reaches a process of this host: it is taken at once, put in line, or neither. */
import type { ArrivedRequest, Delivery, EntityService } from '@backplane/slots';
import { bind } from './expected.ts';
import { accept } from './line.ts';
import { isConditional } from './messages.ts';
import type { Process } from './process.ts';
import { Request } from './request.ts';

/** May run outside of any thread. What is not 'taken' is in no list. */
export function deliver(p: Process, r: Request): Delivery {
  if (p.frozen) return 'frozen';
  if (p.procedure !== null) {
    if (p.running < p.concurrent) {
      p.procedure(r);
      return 'taken';
    }
  } else if (p.arrivals.length > 0 && (p.wanted === null || p.wanted === r.from)) {
    accept(p, r);
    p.arrivals.wakeOne(r);
    return 'taken';
  }
  if (isConditional(r.message)) return 'notAwaiting';
  // A local sender waits in its own descriptor; only what comes from elsewhere takes up room.
  if (r.arrived !== null && p.queue.length >= p.ipc.limits.queuedMax) return 'busy';
  p.queue.insert(r);
  return 'taken';
}

/** What comes by the transport: from other hosts, and to groups. */
export class Arrivals implements EntityService {
  readonly #process: Process;

  constructor(process: Process) {
    this.#process = process;
  }

  arrived(request: ArrivedRequest): Delivery {
    const p = this.#process;
    return !p.frozen && bind(p, request) ? 'taken' : deliver(p, Request.from(request));
  }

  abandoned(request: ArrivedRequest): void {
    const { queue } = this.#process;
    const r = queue.find(request);
    if (r === undefined) return; // received: whoever answers it finds out
    queue.remove(r);
    request.discard();
  }
}
