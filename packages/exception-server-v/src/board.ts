/**
 * The board for slot `servers` with V's exception server: a process outside the kernel. The kernel has a process that cannot
 * go on send it a message (Cheriton 1988); the server asks whoever said that he handles it, and hands on what he replies. The
 * process waits meanwhile as for any reply, wherever the handler is.
 *
 *   step                                           what comes of it
 *   a handler of the process, the space, the host  its reply is the reply
 *   it is gone                                     forget it, take the next one
 *   none                                           reply: do not try again
 *
 * Requests that came through a group cannot be forwarded, so the handler is sent a message of the server's.
 */
import { type Task, tasks } from '@backplane/engine';
import {
  type Component,
  defineComponent,
  type EntityId,
  type Ipc,
  type Machine,
  wellKnown,
} from '@backplane/slots';
import {
  Askers,
  ask,
  handleExceptions,
  Operations,
  orNothing,
  raiseException,
  spaceOf,
} from '@backplane/v-operations';
import { Handlers } from './handlers.ts';
import { version } from './version.ts';

export const exceptionServer: Component<'servers'> = /* @__PURE__ */ defineComponent({
  name: '@backplane/exception-server-v',
  version,
  slot: 'servers',
  contract: 1,
  requires: ['ipc'],
  create: ({ ipc }, _options, machine) => new ExceptionServer(ipc, machine),
});

type Raised = ReturnType<typeof raiseException.requested>;

class ExceptionServer {
  static {
    tasks(ExceptionServer);
  }

  readonly process: EntityId;
  readonly #askers: Askers;
  readonly #memoryServers: EntityId;
  readonly #handlers = new Handlers();
  #raised = 0;

  constructor(ipc: Ipc, machine: Machine) {
    this.#askers = new Askers(ipc, 'exception server', machine.scope);
    this.#memoryServers = ipc.wellKnownGroup(wellKnown.memoryManagers);
    const server = ipc.create({ name: 'exception server', scope: machine.scope, space: null });
    this.process = server.id;
    new Operations()
      .on(raiseException, (raised) => this.#raise(raised))
      .on(handleExceptions, (q) => this.#handle(q))
      .serve(server, Number.POSITIVE_INFINITY);
    server.join(ipc.wellKnownGroup(wellKnown.exceptionServers));
    machine.metrics.register('v.exceptions', () => this.#raised);
    machine.metrics.register('v.exceptionHandlers', () => this.#handlers.count);
  }

  *#handle({ process, space, handler }: ReturnType<typeof handleExceptions.requested>): Task<object> {
    this.#handlers.set(process, space, handler);
    return {};
  }

  *#raise(raised: Raised): Task<{ readonly retry: number }> {
    this.#raised++;
    const { process } = raised;
    const asking = ask(this.#askers, this.#memoryServers, spaceOf, { process }, { beside: process });
    // A process without memory, or one that has ended meanwhile, is in none.
    const { space } = (yield* orNothing(asking)) ?? { space: 0 };
    for (const handler of this.#handlers.of(process, space)) {
      const decided = yield* orNothing(ask(this.#askers, handler, raiseException, raised));
      if (decided !== undefined) return decided;
      this.#handlers.drop(handler);
    }
    return { retry: 0 };
  }
}
