/**
 * The questions that a host asks, each in the name of a process of its own: programs have one transaction at a time, and a
 * host has many programs.
 */
import { type Task, tasks } from '@backplane/engine';
import {
  type About,
  type EntityId,
  type Ipc,
  type IpcProcess,
  type Machine,
  type Message,
  type Response,
  wellKnown,
} from '@backplane/slots';
import type { Answer } from './answer.ts';
import {
  copyFrom,
  type Found,
  find,
  foundIn,
  type Page,
  pageIn,
  type Roll,
  rollIn,
} from './directory-messages.ts';
import { answered, askFor } from './query-name.ts';
import { sharersGroup } from './share.ts';

/** Who answered, and what. */
export interface Answered<T> {
  readonly by: EntityId;
  readonly what: T;
}

export interface QuestionTimes {
  /** How long further answers of a group are waited for after the first. */
  readonly windowNs: number;
  /** How long a brief question waits for the first. */
  readonly briefNs: number;
}

type Read<T> = (m: Message) => T | undefined;

export class Questions {
  static {
    tasks(Questions);
  }

  readonly #ipc: Ipc;
  readonly #machine: Machine;
  readonly #times: QuestionTimes;

  constructor(ipc: Ipc, machine: Machine, times: QuestionTimes) {
    this.#ipc = ipc;
    this.#machine = machine;
    this.#times = times;
  }

  /** QueryName to all name handlers. */
  *everybody(name: string, about: About, brief: boolean): Task<readonly Answer[]> {
    return yield* this.#answers(this.#ipc.wellKnownGroup(wellKnown.nameHandlers), name, about, brief);
  }

  /** QueryName to those who share a directory. */
  *sharers(prefix: string, name: string, about: About, brief: boolean): Task<readonly Answer[]> {
    return yield* this.#answers(this.#ipc.wellKnownGroup(sharersGroup(prefix)), name, about, brief);
  }

  /** QueryName to one host. */
  *handler(handler: EntityId, name: string, about: About): Task<readonly Answer[]> {
    return yield* this.#answers(handler, name, about);
  }

  /** What each replica of the directory that answers knows about a name. */
  *directory(name: string, about: About): Task<readonly Found[]> {
    const all = yield* this.#ask((p) => this.#gather(p, this.#replicas, find(name, about), foundIn));
    return all.map(({ what }) => what);
  }

  *page(of: EntityId, number: number): Task<Page | undefined> {
    const pages = yield* this.#ask((p) => this.#gather(p, of, copyFrom(number), pageIn));
    return pages[0]?.what;
  }

  /**
   * Tells every replica of the directory: the group first, then one by one those that the others know of and that have not
   * answered. Returns who has heard it.
   *
   * @param as a replica that tells the others: were it said by anybody else, the replica itself would be the first to answer
   */
  *tell(m: Message, as?: IpcProcess): Task<readonly Answered<Roll>[]> {
    return yield* as === undefined ? this.#ask((p) => this.#tell(p, m)) : this.#tell(as, m);
  }

  *#tell(p: IpcProcess, m: Message): Task<readonly Answered<Roll>[]> {
    const heard = [...(yield* this.#gather(p, this.#replicas, m, rollIn))];
    const tried = new Set([p.id, ...heard.map(({ by }) => by)]);
    const named = new Set(heard.flatMap(({ what }) => what.replicas));
    for (const replica of named)
      if (!tried.has(replica)) heard.push(...(yield* this.#gather(p, replica, m, rollIn)));
    return heard;
  }

  get #replicas(): EntityId {
    return this.#ipc.wellKnownGroup(wellKnown.nameDirectories);
  }

  *#answers(to: EntityId, name: string, about: About, brief = false): Task<readonly Answer[]> {
    const all = yield* this.#ask((p) => this.#gather(p, to, askFor(name, about), answered, brief));
    return all.map(({ what }) => what);
  }

  *#ask<T>(question: (p: IpcProcess) => Task<T>): Task<T> {
    const asker = this.#ipc.create({ name: 'name query', scope: this.#machine.scope, space: null });
    try {
      return yield* question(asker);
    } finally {
      asker.destroy();
    }
  }

  /** Of a single process its answer; of a group the first, and those that come within the window. */
  *#gather<T>(
    p: IpcProcess,
    to: EntityId,
    m: Message,
    read: Read<T>,
    brief = false,
  ): Task<readonly Answered<T>[]> {
    const { engine } = this.#machine;
    const answers: Answered<T>[] = [];
    let r: Response | undefined = yield* p.send(to, m, brief ? { timeoutNs: this.#times.briefNs } : {});
    for (const endNs = engine.nowNs + this.#times.windowNs; r !== undefined; ) {
      const what = read(r.message);
      if (what !== undefined) answers.push({ by: r.from, what });
      r = yield* p.nextReply(Math.max(0, endNs - engine.nowNs));
    }
    return answers;
  }
}
