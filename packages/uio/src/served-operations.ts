/** The operations that a server knows, by code: a message in, a message out. */
import type { Task } from '@backplane/engine';
import {
  type Caller,
  codeOf,
  type EntityId,
  hostId,
  isKernelError,
  type Message,
  message,
  noEntity,
  type Procedure,
  ReplyCode,
  type Silent,
  silent,
  type Undo,
} from '@backplane/slots';
import { failure, packed, unpacked } from './messages.ts';

/** @param from who asks */
export type ServedOperation = (m: Message, from: EntityId) => Task<Message>;

/** Name operations do not ask who it is: the request says on whose behalf. */
const somebody: Caller = { host: hostId(0), bootId: 0 };

export class ServedOperations {
  readonly #operations = new Map<number, ServedOperation>();

  /** As a transport serves a procedure. */
  serve<Q, R>(
    procedure: Procedure<Q, R>,
    handler: (request: Q, from: Caller) => Task<NoInfer<R> | Silent>,
  ): Undo {
    return this.raw(procedure.id, function* (m) {
      const request = procedure.request.decode(unpacked(m));
      if (request === undefined) return failure('badArgument');
      const reply = yield* handler(request, somebody);
      return reply === silent ? failure('noAnswer') : packed(ReplyCode.ok, 0, procedure.reply.encode(reply));
    });
  }

  /** One whose words mean more. */
  raw(code: number, operation: ServedOperation): Undo {
    this.#operations.set(code, operation);
    return () => void this.#operations.delete(code);
  }

  knows(m: Message): boolean {
    return this.#operations.has(codeOf(m));
  }

  /** What was asked, done; errors are answers. */
  *perform(m: Message, from: EntityId = noEntity): Task<Message> {
    const operation = this.#operations.get(codeOf(m));
    if (operation === undefined) return message({ code: ReplyCode.protocolError });
    try {
      return yield* operation(m, from);
    } catch (e) {
      if (!isKernelError(e)) throw e;
      return failure(e.kind);
    }
  }
}
