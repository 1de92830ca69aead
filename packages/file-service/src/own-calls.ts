/**
 * A host's calls to its own server half. They take no transport: no message is made, nothing is copied, no packet is
 * charged, so that files on a local disk cost what local files cost. Calls to others go out as they are.
 *
 * A handler then runs on the caller's thread, and is cancelled with it: it must clean up in `finally`.
 */
import { type Task, tasks } from '@backplane/engine';
import {
  type Caller,
  type HostId,
  KernelError,
  type Machine,
  type Procedure,
  type Silent,
  silent,
  type Transport,
  type Undo,
} from '@backplane/slots';

type Handler<Q, R> = (request: Q, from: Caller) => Task<R | Silent>;

export class OwnCalls implements Pick<Transport, 'call' | 'serve'> {
  static {
    tasks(OwnCalls);
  }

  readonly #transport: Transport;
  readonly #self: Caller;
  readonly #handlers = new Map<number, Handler<never, unknown>>();

  constructor(transport: Transport, machine: Machine) {
    this.#transport = transport;
    this.#self = { host: machine.host, bootId: machine.bootId };
  }

  serve<Q, R>(procedure: Procedure<Q, R>, handler: Handler<Q, NoInfer<R>>): Undo {
    this.#handlers.set(procedure.id, handler);
    const undo = this.#transport.serve(procedure, handler);
    return () => {
      if (this.#handlers.get(procedure.id) === handler) this.#handlers.delete(procedure.id);
      undo();
    };
  }

  *call<Q, R>(to: HostId, procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R> {
    if (to !== this.#self.host) return yield* this.#transport.call(to, procedure, request);
    // The one place where the type is taken on trust: a number is registered with the handler of its procedure.
    const handler = this.#handlers.get(procedure.id) as Handler<Q, R> | undefined;
    if (handler === undefined) throw new KernelError('unsupported', procedure.name);
    const answer = yield* handler(request, this.#self);
    if (answer === silent) throw new KernelError('noAnswer', procedure.name);
    return answer as R;
  }
}
