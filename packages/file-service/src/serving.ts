/**
 * When a server half serves: from the moment that its storages are whole until its host halts.
 *
 *   state     a request   an operation on a storage   event                                           next
 *   closed    waits       waits                       the storages are whole: who waits goes on       open
 *   open      is served   is done                     a halt begins                                   ending
 *   ending    waits       is done                     the handlers under way have ended, or have      ended
 *                                                     had their time
 *   ended     waits       waits                       the operations under way have ended             the storages may halt
 *
 * A request that waits is not answered: its client finds this host busy and then silent, and recovers when it is back.
 * Handlers get the time to end so that what they did is answered for, and not done a second time after the reboot. One
 * that waits for a client, which may in turn wait for us, must not hold up the halt: it is left where it is, as by a
 * crash, and what it would do next to a storage is never done. An operation on a storage waits for nobody but the disk.
 */
import { Gate, seconds, type Task, tasks, WaitQueue } from '@backplane/engine';
import type { Caller, Machine, Procedure, Silent, Storage, Transport, Undo } from '@backplane/slots';
import { ServedStorage } from './served-storage.ts';

/** How long a halt waits for handlers: shorter than any of them waits for a client. */
const handlersNs = /* @__PURE__ */ seconds(5);

type Serve = Pick<Transport, 'serve'>;

export class Serving {
  static {
    tasks(Serving);
  }

  readonly #machine: Machine;
  readonly #requests: Gate = new Gate();
  readonly #storages: Gate = new Gate();
  #handlers = 0;
  #operations = 0;
  /** Woken when the last handler, or the last operation, has ended. */
  readonly #idle: WaitQueue = new WaitQueue();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  begin(): void {
    this.#storages.open();
    this.#requests.open();
  }

  /** Returns when nothing is done to the storages any more, nor will be. */
  *end(): Task<void> {
    const { engine } = this.#machine;
    const untilNs = engine.nowNs + handlersNs;
    this.#requests.close();
    while (this.#handlers > 0 && engine.nowNs < untilNs) yield* this.#idle.wait(untilNs - engine.nowNs);
    this.#storages.close();
    while (this.#operations > 0) yield* this.#idle.wait();
  }

  /** Returns while requests are served: a host that halts must not judge a client by its silence. */
  *pass(): Task<void> {
    if (!this.#requests.isOpen) yield* this.#requests.pass();
  }

  /** The same transport, whose requests wait while none is served. */
  over(transport: Serve): Serve {
    return {
      serve: <Q, R>(p: Procedure<Q, R>, handler: (q: Q, from: Caller) => Task<R | Silent>): Undo =>
        transport.serve<Q, R>(p, (q, from) => this.handle(handler(q, from))),
    };
  }

  /** The same storage, whose operations wait while nothing may be done to it. */
  guard(storage: Storage): Storage {
    return new ServedStorage(storage, (operation) => this.#operate(operation));
  }

  /** One request, of whatever carries them. */
  *handle<R>(handler: Task<R>): Task<R> {
    while (!this.#requests.isOpen) yield* this.#requests.pass();
    this.#handlers++;
    try {
      return yield* handler;
    } finally {
      if (--this.#handlers === 0) this.#idle.wakeAll();
    }
  }

  *#operate<R>(operation: Task<R>): Task<R> {
    while (!this.#storages.isOpen) yield* this.#storages.pass();
    this.#operations++;
    try {
      return yield* operation;
    } finally {
      if (--this.#operations === 0) this.#idle.wakeAll();
    }
  }
}
