/** The operations that a file server knows, by code: a message in, a message out. */
import type { Task } from '@backplane/engine';
import {
  type Caller,
  codeOf,
  hostId,
  isKernelError,
  type Message,
  message,
  type Procedure,
  ReplyCode,
  type Silent,
  silent,
  type Undo,
} from '@backplane/slots';
import { failure, packed, unpacked } from './messages.ts';

type Operation = (m: Message) => Task<Message>;

/** Name operations do not ask who it is: the request says on whose behalf. */
const somebody: Caller = { host: hostId(0), bootId: 0 };

export class ServedOperations {
  readonly #operations = new Map<number, Operation>();

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
  raw(code: number, operation: Operation): Undo {
    this.#operations.set(code, operation);
    return () => void this.#operations.delete(code);
  }

  /** What was asked, done; errors are answers. */
  *perform(m: Message): Task<Message> {
    const operation = this.#operations.get(codeOf(m));
    if (operation === undefined) return message({ code: ReplyCode.protocolError });
    try {
      return yield* operation(m);
    } catch (e) {
      if (!isKernelError(e)) throw e;
      return failure(e.kind);
    }
  }
}
