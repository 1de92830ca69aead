/**
 * Requests whose sender has come to be on another host, or whose receiver has: what was handed over by reference is sent again
 * by the transport, and the two have to be recognised as one.
 *
 *   event                                        action
 *   an equal request arrives from that sender    bind: it is answered by what has arrived
 *   the receiver replies, forwards or moves      wait until it is bound
 *   nothing arrives                              the sender has given up: after a while it counts as gone
 */
import { seconds, type Task, task, WaitQueue } from '@backplane/engine';
import type { ArrivedRequest, Message } from '@backplane/slots';
import type { Process } from './process.ts';
import type { Request } from './request.ts';

const patienceNs = /* @__PURE__ */ seconds(5);

/** From now on its sender is reached by the transport only. */
export function expectSender(receiver: Process, r: Request): void {
  r.sender = null;
  r.bound = new WaitQueue();
  receiver.expecting.add(r);
}

/** Is it one that is here already? Called for each arrival, so what is usual comes first. */
export function bind(receiver: Process, arrived: ArrivedRequest): boolean {
  if (receiver.expecting.size === 0) return false;
  for (const r of receiver.expecting) {
    if (r.list === null) receiver.expecting.delete(r);
    else if (r.from === arrived.client && equal(r.message, arrived.message)) {
      receiver.expecting.delete(r);
      r.arrived = arrived;
      r.bound?.wakeAll();
      r.bound = null;
      return true;
    }
  }
  return false;
}

/** Returns when it can be answered, or its sender counts as gone. */
export const whenBound: (r: Request) => Task<void> = task(function* whenBound(r): Task<void> {
  if (r.bound !== null) yield* r.bound.wait(patienceNs);
  r.bound = null;
});

const equal = (a: Message, b: Message): boolean =>
  sameBytes(a.control, b.control) && sameBytes(a.segment, b.segment);

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
