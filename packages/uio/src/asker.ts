/** Who asks a server: a process, or several that take turns. */
import type { Task } from '@backplane/engine';
import {
  type EntityId,
  type IpcProcess,
  KernelError,
  type Message,
  type Procedure,
  type Response,
} from '@backplane/slots';
import { failureOf, packed, unpacked } from './messages.ts';

export interface Asker {
  /** @throws KernelError what the server answered; `peerDown` when it is not there, or silent */
  send(to: EntityId, request: Message): Task<Message>;
}

/** A process asks for itself, or several that take turns. */
export const asker = (process: Pick<IpcProcess, 'send'>): Asker => ({
  *send(to, request): Task<Message> {
    return answered(yield* process.send(to, request));
  },
});

export function answered({ message, untaken }: Response): Message {
  const failed = failureOf(message);
  if (failed !== undefined) throw new KernelError(failed, undefined, untaken === true);
  return message;
}

/** An operation that is a procedure. @throws KernelError as `send`; `ioError` for an answer that makes no sense */
export function* callProcedure<Q, R>(
  asking: Asker,
  to: EntityId,
  procedure: Procedure<Q, R>,
  request: NoInfer<Q>,
  instance = 0,
): Task<R> {
  const m = packed(procedure.id, instance, procedure.request.encode(request));
  const reply = procedure.reply.decode(unpacked(yield* asking.send(to, m)));
  if (reply === undefined) throw new KernelError('ioError', `a senseless reply to ${procedure.name}`);
  return reply;
}
