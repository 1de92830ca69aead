/** The line of a process: what leaves it, and becomes received. */
import type { Process } from './process.ts';
import type { Request } from './request.ts';

/** The process has received it: the sender awaits its reply. */
export function accept(p: Process, r: Request): void {
  p.open.insert(r);
  if (r.sender !== null) r.sender.awaits = p.id;
  p.ipc.counters.receives++;
}

/** The next in line for which somebody still waits. */
export function takeNext(p: Process): Request | undefined {
  for (;;) {
    const r = p.wanted === null ? p.queue.shift() : p.queue.take(p.wanted);
    if (r === undefined || r.arrived?.abandoned !== true) return r;
    r.arrived.discard();
  }
}
