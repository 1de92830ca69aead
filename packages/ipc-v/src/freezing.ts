/**
 * Freezing, for migration (Theimer, Lantz and Cheriton 1985): a frozen process takes part in nothing, and nobody fails
 * because of it.
 */
import { ReplyCode } from '@backplane/slots';
import { deliver } from './delivery.ts';
import { accept, takeNext } from './line.ts';
import type { Process } from './process.ts';
import type { Request } from './request.ts';
import { serveLine } from './serve.ts';
import { resume } from './waiting.ts';

export function freeze(p: Process): void {
  if (p.dead) return;
  p.frozen = p.stopped = true;
  p.thaw.close();
}

/** First who was in line before, then who came meanwhile, in their order. */
export function unfreeze(p: Process): void {
  if (!p.frozen) return;
  p.frozen = p.stopped = false;
  p.thaw.open();
  if (p.procedure !== null) serveLine(p, p.procedure);
  else if (p.arrivals.length > 0) receiveNext(p);
  for (let r = p.held.shift(); r !== undefined; r = p.held.shift()) admit(p, r);
}

/** A thread that receives was frozen, and there are messages in line. */
function receiveNext(p: Process): void {
  const r = takeNext(p);
  if (r === undefined) return;
  accept(p, r);
  p.arrivals.wakeOne(r);
}

function admit(p: Process, r: Request): void {
  if (deliver(p, r) === 'notAwaiting' && r.sender !== null) resume(r.sender, ReplyCode.notAwaitingMessage);
}
