/** A process asks a server. */
import type { Task } from '@backplane/engine';
import {
  type EntityId,
  type IpcProcess,
  isGroup,
  isKernelError,
  KernelError,
  MessageFlag,
  type ProcessSendOptions,
} from '@backplane/slots';
import { failureOf } from '@backplane/uio';
import type { Operation } from './operation.ts';

export interface AskOptions extends ProcessSendOptions {
  /** To a group: the process whose host is meant. Without it, whoever answers first. */
  readonly beside?: EntityId;
}

/** Who asks: a process, or several that take turns (`Askers`). */
export type Asking = Pick<IpcProcess, 'send'>;

/** @throws KernelError what the server answered; `noProcess` when there is none; `noAnswer` */
export function* ask<Q, R>(
  self: Asking,
  to: EntityId,
  operation: Operation<Q, R>,
  q: NoInfer<Q>,
  { beside, ...o }: AskOptions = {},
): Task<R> {
  const { message } = yield* self.send(to, operation.request(q, beside), o);
  const failed = failureOf(message);
  if (failed === undefined) return operation.replied(message);
  if (failed !== 'peerDown') throw new KernelError(failed, operation.name);
  // Silence of a group with a co-resident is that of the process beside which it was meant: ask() cannot tell them apart.
  throw new KernelError(isGroup(to) ? 'noAnswer' : 'noProcess', operation.name);
}

/** The same as a datagram: to everybody of a group that hears it, without a reply, and perhaps in vain. */
export function* tell<Q, R>(
  self: Asking,
  to: EntityId,
  operation: Operation<Q, R>,
  q: NoInfer<Q>,
): Task<void> {
  const { control, segment } = operation.request(q);
  const flagged = control.slice();
  flagged[0] = (flagged[0] ?? 0) | MessageFlag.datagram;
  yield* self.send(to, { control: flagged, segment });
}

/** What was asked for, or nothing where it was refused or nobody answered. */
export function* orNothing<T>(asking: Task<T>): Task<T | undefined> {
  try {
    return yield* asking;
  } catch (e) {
    if (!isKernelError(e)) throw e;
    return undefined;
  }
}
