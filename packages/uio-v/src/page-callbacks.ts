/**
 * A file server calls holders back. A living holder answers at once, or when the time is over for which it may keep a page;
 * a dead one is given up; a silent one is asked until its lease is over, since it may use what it has until then.
 */
import { type Task, type Thread, tasks } from '@backplane/engine';
import { type Ipc, isKernelError, type Machine, type Message } from '@backplane/slots';
import { leaseNs, Senders } from '@backplane/uio';
import type { Holder } from './page-holders.ts';

export interface Question {
  readonly to: Holder;
  readonly message: Message;
}

export class PageCallbacks {
  static {
    tasks(PageCallbacks);
  }

  readonly #ipc: Ipc;
  readonly #machine: Machine;
  readonly #senders: Senders;
  asked = 0;

  constructor(ipc: Ipc, machine: Machine) {
    this.#ipc = ipc;
    this.#machine = machine;
    this.#senders = new Senders(ipc, machine);
  }

  /** All at once. The answers in the order of the questions; undefined of a holder that has nothing any more. */
  *ask(questions: readonly Question[]): Task<readonly (Message | undefined)[]> {
    const [first, ...others] = questions;
    if (first === undefined) return [];
    const threads = others.map(
      (q): Thread<Message | undefined> => this.#machine.scope.spawn('page callback', this.#one(q)),
    );
    const answers = [yield* this.#one(first)];
    for (const t of threads) answers.push(yield* t.join());
    return answers;
  }

  *#one({ to, message }: Question): Task<Message | undefined> {
    const { engine } = this.#machine;
    this.asked++;
    for (;;) {
      try {
        return yield* this.#senders.send(to.entity, message);
      } catch (e) {
        if (!isKernelError(e)) throw e;
        if ((yield* this.#ipc.probe(to.entity)) === 'nonexistent') return undefined;
        if (engine.nowNs >= to.heardNs + leaseNs) return undefined;
      }
    }
  }
}
