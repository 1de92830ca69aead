/** A sender that waits for an answer from this host: what ends its wait. */
import type { EntityId, Message, Response } from '@backplane/slots';
import type { Process } from './process.ts';

/** The request was passed on to where only the transport reaches: the sender itself asks there. */
export class Onward {
  readonly to: EntityId;
  readonly message: Message;

  constructor(to: EntityId, message: Message) {
    this.to = to;
    this.message = message;
  }
}

/** The response, or a `ReplyCode`, or whom to ask instead. */
export type Outcome = Response | Onward | number;

/** The sender goes on with this. False when it does not wait any more. */
export function resume(sender: Process, outcome: Outcome): boolean {
  sender.sent = sender.awaits = null;
  return sender.replies.wakeOne(outcome);
}

/** The sender takes its request back, wherever it is, and what it granted in it. */
export function withdraw(sender: Process): void {
  const { sent } = sender;
  sender.sent = sender.awaits = sender.grant = null;
  sent?.list?.remove(sent);
}
