/**
 * The processes in whose name a host's programs ask file servers. A process can have one message under way, so there are as
 * many as there were questions at once; one of them owns the instances, and servers ask after it.
 */
import { type Task, tasks } from '@backplane/engine';
import type { EntityId, Ipc, IpcProcess, Machine, Message, Procedure } from '@backplane/slots';
import { type Asker, answered, callProcedure } from './asker.ts';

export class Senders implements Asker {
  static {
    tasks(Senders);
  }

  readonly owner: EntityId;
  readonly #ipc: Ipc;
  readonly #machine: Machine;
  readonly #free: IpcProcess[] = [];

  constructor(ipc: Ipc, machine: Machine) {
    this.#ipc = ipc;
    this.#machine = machine;
    const owner = this.#process();
    this.owner = owner.id;
    this.#free.push(owner);
  }

  /** @throws KernelError what the server answered; `peerDown` when it is not there, or silent */
  *send(to: EntityId, request: Message): Task<Message> {
    const sender = this.#free.pop() ?? this.#process();
    try {
      return answered(yield* sender.send(to, request));
    } finally {
      this.#free.push(sender);
    }
  }

  *call<Q, R>(to: EntityId, procedure: Procedure<Q, R>, request: NoInfer<Q>, instance = 0): Task<R> {
    return yield* callProcedure(this, to, procedure, request, instance);
  }

  #process(): IpcProcess {
    return this.#ipc.create({ name: 'files', scope: this.#machine.scope, space: null });
  }
}
