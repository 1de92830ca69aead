/** What ends a request: reply, discard, forward. Each is refused unless the sender awaits *our* reply to *this* request. */
import { charge, settle, type Task, task } from '@backplane/engine';
import {
  type ArrivedRequest,
  Busy,
  type EntityId,
  isGroup,
  type Message,
  type Received,
  ReplyCode,
} from '@backplane/slots';
import { deliver } from './delivery.ts';
import { whenBound } from './expected.ts';
import { grantsSegment, numberOf } from './grant.ts';
import { isDatagram, wellFormed } from './messages.ts';
import { passGrant } from './pass-grant.ts';
import type { Process } from './process.ts';
import { forwardsMax, openRequest, Request } from './request.ts';
import { Onward, resume } from './waiting.ts';

/** Nobody waits for an answer: the sender has gone on, or it was a datagram. */
const unanswerable = (arrived: ArrivedRequest): boolean => arrived.abandoned || isDatagram(arrived.message);

/** The request, if it is ours to end, and as soon as its sender is known where it is now. */
const answerable: (p: Process, received: Received) => Task<Request | null> = task(
  function* answerable(p, received): Task<Request | null> {
    const request = openRequest(p, received);
    if (request === null || request.bound === null) return request;
    yield* whenBound(request);
    return openRequest(p, received);
  },
);

const refused = (p: Process, code: number): number => {
  p.ipc.counters.refused++;
  return code;
};

export const reply: (p: Process, received: Received, message: Message) => Task<number> = task(
  function* reply(p, received, message): Task<number> {
    const { ipc } = p;
    const local = openRequest(p, received)?.sender ?? null;
    charge(local === null ? ipc.trapNs : ipc.trapNs + ipc.copyNs(message.segment.length), Busy.kernel);
    yield* settle();
    if (p.stopped && !(yield* p.lives())) return ReplyCode.nonexistentEntity;
    const request = yield* answerable(p, received);
    if (request === null) return refused(p, ReplyCode.nonexistentEntity);
    if (!wellFormed(message)) return refused(p, ReplyCode.protocolError);
    p.open.remove(request);
    const { sender, arrived } = request;
    if (sender !== null && resume(sender, { from: p.id, message })) return ReplyCode.ok;
    if (arrived === null || unanswerable(arrived)) {
      arrived?.discard();
      return refused(p, ReplyCode.nonexistentEntity);
    }
    p.asking++;
    try {
      yield* arrived.respond(message);
    } finally {
      p.asking--;
    }
    return ReplyCode.ok;
  },
);

export function discard(p: Process, received: Received): number {
  charge(p.ipc.trapNs, Busy.kernel);
  const request = openRequest(p, received);
  if (request === null) return refused(p, ReplyCode.nonexistentEntity);
  p.open.remove(request);
  request.arrived?.discard();
  if (request.sender !== null) resume(request.sender, ReplyCode.responseDiscarded);
  return ReplyCode.ok;
}

export const forward: (p: Process, received: Received, to: EntityId, message: Message) => Task<number> = task(
  function* forward(p, received, to, message): Task<number> {
    charge(p.ipc.trapNs, Busy.kernel);
    yield* settle();
    if (p.stopped && !(yield* p.lives())) return ReplyCode.nonexistentEntity;
    const request = yield* answerable(p, received);
    if (request === null) return refused(p, ReplyCode.nonexistentEntity);
    if (!wellFormed(message)) return refused(p, ReplyCode.protocolError);
    // The sender awaits the reply of one process, and a transport forwards to one only.
    if (isGroup(to)) return refused(p, ReplyCode.noPermission);
    const { sender, arrived } = request;
    let code: number = ReplyCode.nonexistentEntity;
    if (sender !== null) code = forwardHere(p, request, sender, to, message);
    else if (arrived !== null) code = yield* forwardArrived(p, request, arrived, to, message);
    if (code !== ReplyCode.ok) return refused(p, code);
    p.ipc.counters.forwards++;
    return code;
  },
);

function forwardHere(p: Process, request: Request, sender: Process, to: EntityId, message: Message): number {
  if (request.forwards >= forwardsMax) return ReplyCode.noPermission;
  p.open.remove(request);
  const receiver = isDatagram(message) ? undefined : p.ipc.processes.get(to);
  if (receiver === undefined)
    return resume(sender, new Onward(to, message)) ? ReplyCode.ok : ReplyCode.nonexistentEntity;
  if (sender.replies.length === 0) return ReplyCode.nonexistentEntity; // struck, and about to withdraw
  const onward = Request.here(sender, receiver, message, request.forwards + 1);
  sender.sent = onward;
  sender.awaits = null;
  const delivery = deliver(receiver, onward);
  if (delivery === 'frozen') receiver.held.insert(onward);
  if (delivery === 'notAwaiting') resume(sender, ReplyCode.notAwaitingMessage);
  return ReplyCode.ok;
}

/** The transport forwards; the sender's host has to know whose moves it may let into the sender's memory. */
const forwardArrived: (
  p: Process,
  request: Request,
  arrived: ArrivedRequest,
  to: EntityId,
  message: Message,
) => Task<number> = task(function* forwardArrived(p, request, arrived, to, message): Task<number> {
  p.open.remove(request); // no other answer while this one is on its way
  if (arrived.abandoned) {
    arrived.discard();
    return ReplyCode.nonexistentEntity;
  }
  const passes = grantsSegment(message) && !isDatagram(arrived.message) && !isGroup(arrived.to);
  const number = numberOf(request.message);
  if (passes) {
    // In a list all the while: should the thread vanish in between, it is answered like all others of the dead.
    p.leaving.insert(request);
    try {
      yield* passGrant(p, arrived.client, { id: p.id, number, process: p }, to);
    } finally {
      if (request.list === p.leaving) {
        p.leaving.remove(request);
        p.open.insert(request);
      }
    }
    if (request.list !== p.open) return ReplyCode.nonexistentEntity; // we died meanwhile
    p.open.remove(request);
  }
  p.asking++;
  try {
    if (yield* arrived.forward(to, message)) return ReplyCode.ok;
  } finally {
    p.asking--;
  }
  if (p.dead) {
    p.ipc.answerForTheDead([arrived]);
    return ReplyCode.nonexistentEntity;
  }
  p.open.insert(request);
  if (passes) yield* passGrant(p, arrived.client, { id: to, number, process: null }, p.id);
  return ReplyCode.noPermission;
});
