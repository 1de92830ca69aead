/** A server answers: its operations by code, in the procedure model. */
import type { Task } from '@backplane/engine';
import {
  codeOf,
  type IpcProcess,
  isGroup,
  isKernelError,
  type Message,
  type MessageProcedure,
  message,
  type Received,
  ReplyCode,
} from '@backplane/slots';
import { failure } from '@backplane/uio';
import type { Operation } from './operation.ts';

type Handler = (request: Received) => Task<Message | 'discard'>;

export class Operations {
  readonly #handlers = new Map<number, Handler>();

  /** @param handler says 'discard' where a member of a group has nothing to say */
  on<Q, R extends object>(
    operation: Operation<Q, R>,
    handler: (q: Q, request: Received) => Task<NoInfer<R> | 'discard'>,
  ): this {
    this.#handlers.set(operation.code, function* (request) {
      const reply = yield* handler(operation.requested(request.message), request);
      return typeof reply === 'string' ? 'discard' : operation.reply(reply);
    });
    return this;
  }

  /** Threads of the server run the handlers from now on. @param concurrent how many at once */
  serve(server: IpcProcess, concurrent: number): void {
    server.serve(this.procedure(), { concurrent });
  }

  /** What is not an operation of this server is another member's of the group, or nonsense. Errors are answers. */
  procedure(): MessageProcedure {
    const handlers = this.#handlers;
    return function* answer(request): Task<Message | 'discard'> {
      const handler = handlers.get(codeOf(request.message));
      if (handler === undefined)
        return isGroup(request.to) ? 'discard' : message({ code: ReplyCode.protocolError });
      try {
        return yield* handler(request);
      } catch (e) {
        if (!isKernelError(e)) throw e;
        return failure(e.kind);
      }
    };
  }
}
