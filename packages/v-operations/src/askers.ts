/**
 * Processes in whose name the threads of a server ask others. A process can have one message under way, so there are as many
 * as there were questions at once.
 */
import { type Scope, type Task, tasks } from '@backplane/engine';
import type { EntityId, Ipc, IpcProcess, Message, ProcessSendOptions, Response } from '@backplane/slots';
import type { Asking } from './ask.ts';

export class Askers implements Asking {
  static {
    tasks(Askers);
  }

  readonly #ipc: Ipc;
  readonly #name: string;
  readonly #scope: Scope;
  readonly #free: IpcProcess[] = [];

  /** @param scope they die with it */
  constructor(ipc: Ipc, name: string, scope: Scope) {
    this.#ipc = ipc;
    this.#name = name;
    this.#scope = scope;
  }

  *send(to: EntityId, request: Message, o?: ProcessSendOptions): Task<Response> {
    const asker = this.#free.pop() ?? this.#ipc.create({ name: this.#name, scope: this.#scope, space: null });
    try {
      return yield* asker.send(to, request, o);
    } finally {
      this.#free.push(asker);
    }
  }
}
