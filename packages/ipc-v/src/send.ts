/**
 * Send: the process is blocked until the reply. To a process of this host the message is handed over by reference;
 * everything else is a transaction of the transport.
 */
import { charge, currentThread, settle, type Task, task } from '@backplane/engine';
import {
  Busy,
  codeOf,
  type EntityId,
  isGroup,
  type Message,
  type ProcessSendOptions,
  ReplyCode,
  type Response,
  type SendOptions,
} from '@backplane/slots';
import { deliver } from './delivery.ts';
import { grantOf, grantsSegment, isGrant, nextNumber, withGrant, withoutGrant } from './grant.ts';
import { failure, isDatagram, wellFormed } from './messages.ts';
import type { Process } from './process.ts';
import { Request } from './request.ts';
import { Onward, type Outcome, withdraw } from './waiting.ts';

export const send: (
  p: Process,
  to: EntityId,
  message: Message,
  options?: ProcessSendOptions,
) => Task<Response> = task(function* send(p, to, given, options): Task<Response> {
  const { ipc } = p;
  charge(ipc.trapNs, Busy.kernel);
  yield* settle();
  if (p.stopped && !(yield* p.lives())) return failure(p.id, ReplyCode.nonexistentEntity);
  ipc.counters.sends++;
  const grant = options?.grant;
  if (!wellFormed(given) || (grant !== undefined && !isGrant(grant)))
    return failure(to, ReplyCode.protocolError);
  const untilNs = ipc.engine.nowNs + (options?.timeoutNs ?? Number.POSITIVE_INFINITY);
  if (p.sending && !(yield* myTurn(p, untilNs))) return failure(to, ReplyCode.userTimeout);

  p.sending = true;
  p.toGroup = false;
  const asked = granting(p, given, grant);
  try {
    const receiver = isDatagram(asked) ? undefined : ipc.processes.get(to);
    let outcome: Outcome | undefined;
    if (receiver === undefined) {
      outcome = yield* transact(p, to, asked, untilNs);
    } else {
      ipc.counters.localSends++;
      const request = Request.here(p, receiver, asked, 0);
      const delivery = deliver(receiver, request);
      if (delivery === 'notAwaiting') return failure(to, ReplyCode.notAwaitingMessage);
      if (delivery === 'frozen') receiver.held.insert(request);
      p.sent = request;
      p.onBehalf = false;
      outcome = yield* p.replies.wait(untilNs - ipc.engine.nowNs);
      if (p.onBehalf) currentThread().keptProcessor();
      if (outcome instanceof Onward) {
        // We may have been moved, and be frozen still.
        if (p.stopped && !(yield* p.lives())) return failure(p.id, ReplyCode.nonexistentEntity);
        outcome = yield* transact(p, outcome.to, outcome.message, untilNs);
      }
    }
    withdraw(p);
    if (p.moves > 0) yield* p.movesOver.wait();
    if (p.stopped && !(yield* p.lives())) return failure(p.id, ReplyCode.nonexistentEntity);
    if (outcome === undefined) return failure(to, ReplyCode.userTimeout);
    return typeof outcome === 'number' ? failure(to, outcome) : outcome;
  } finally {
    withdraw(p);
    p.sending = false;
    p.turns.wakeOne(true);
  }
});

/** Threads of one process send one after the other: it is one client. False when the time is over, or the process. */
const myTurn: (p: Process, untilNs: number) => Task<boolean> = task(
  function* myTurn(p, untilNs): Task<boolean> {
    while (p.sending) {
      const turn = yield* p.turns.wait(Math.max(0, untilNs - p.ipc.engine.nowNs));
      if ((p.stopped && !(yield* p.lives())) || turn === undefined) return false;
    }
    return true;
  },
);

/** The message as it goes out: a process without memory grants nothing, whatever its message says. */
function granting(p: Process, given: Message, grant: ProcessSendOptions['grant']): Message {
  if (p.space === null) return grantsSegment(given) ? withoutGrant(given) : given;
  const own = grant ?? grantOf(given);
  if (own === null) return given;
  p.grants = nextNumber(p.grants);
  const asked = withGrant(given, own, p.grants);
  p.grant = grantOf(asked); // what it says from now on, whatever becomes of the program's object
  return asked;
}

/** By the transport: another host, a group, a datagram, or an entity of this host that is no process. */
const transact: (p: Process, to: EntityId, message: Message, untilNs: number) => Task<Response> = task(
  function* transact(p, to, asked, untilNs): Task<Response> {
    const thread = currentThread();
    p.awaits = to;
    p.toGroup = isGroup(to);
    if (p.toGroup) p.ipc.counters.groupSends++;
    p.elsewhere.add(thread);
    try {
      for (let again = false; ; again = true) {
        const { ipc, journeys } = p;
        p.onBehalf = false;
        const response = yield* ipc.entities.send(
          p.id,
          to,
          asked,
          sendOptions(untilNs - ipc.engine.nowNs, again),
        );
        if (p.onBehalf && ipc.processes.has(response.from)) currentThread().keptProcessor();
        if (codeOf(response.message) !== ReplyCode.entityMigrated) return response;
        // If it is we who are being moved, the transaction goes on where we arrive.
        if ((p.stopped && !(yield* p.lives())) || p.journeys === journeys) return response;
      }
    } finally {
      p.elsewhere.delete(thread);
    }
  },
);

const unlimited: SendOptions = {};

/** Most requests have neither a limit nor a past. */
function sendOptions(leftNs: number, again: boolean): SendOptions {
  if (leftNs === Number.POSITIVE_INFINITY) return again ? { again } : unlimited;
  return { timeoutNs: Math.max(0, leftNs), again };
}

export const nextReply: (p: Process, waitNs: number) => Task<Response | undefined> = task(
  function* nextReply(p, waitNs): Task<Response | undefined> {
    charge(p.ipc.trapNs, Busy.kernel);
    yield* settle();
    if ((p.stopped && !(yield* p.lives())) || !p.toGroup) return undefined;
    const thread = currentThread();
    p.elsewhere.add(thread);
    let response: Response | undefined;
    try {
      response = yield* p.ipc.entities.nextResponse(p.id, waitNs);
    } finally {
      p.elsewhere.delete(thread);
    }
    return p.stopped && !(yield* p.lives()) ? undefined : response;
  },
);
