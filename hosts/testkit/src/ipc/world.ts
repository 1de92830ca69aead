/** Three hosts with the board under test, and processes on them: each a thread in a scope of its own. */
import type { Scope, Task, Thread } from '@backplane/engine';
import {
  type AddressSpace,
  codeOf,
  type EntityId,
  type EntityTransport,
  type Ipc,
  type IpcProcess,
  type Message,
  message,
  type Received,
  ReplyCode,
  type Response,
  wordOf,
} from '@backplane/slots';
import { calling } from '../neighbours.ts';
import { Rig } from '../rig.ts';
import type { Bounds } from './under-test.ts';

export const hosts = ['one', 'two', 'three'] as const;
export type HostName = (typeof hosts)[number];

/** A process of a check. */
export interface Made {
  readonly process: IpcProcess;
  readonly id: EntityId;
  readonly scope: Scope;
  readonly thread: Thread<void>;
}

function* nothing(): Task<void> {}

export class World {
  readonly rig: Rig;

  constructor({ boards }: Bounds, seed = 1) {
    const kernel = calling().with(boards);
    this.rig = new Rig({ one: kernel, two: kernel, three: kernel }, { seed });
  }

  ipc(host: HostName): Ipc {
    return this.rig.board(host, 'ipc');
  }

  /** What the board stands on: for messages that no process sends. */
  entities(host: HostName): EntityTransport {
    const { entities } = this.rig.board(host, 'transport');
    if (entities === undefined) throw new Error(`the transport of ${host} has no entities`);
    return entities;
  }

  process(
    host: HostName,
    name: string,
    body: (p: IpcProcess) => Task<void> = nothing,
    space: AddressSpace | null = null,
  ): Made {
    const scope = this.rig.machine(host).scope.child(name);
    const process = this.ipc(host).create({ name, scope, space });
    return { process, id: process.id, scope, thread: scope.spawn(name, body(process)) };
  }

  /** One that answers each request. */
  server(host: HostName, name: string, answer: (r: Received) => Message): Made {
    return this.process(host, name, function* (p) {
      for (;;) {
        const r = yield* p.receive();
        yield* p.reply(r, answer(r));
      }
    });
  }

  run<T>(body: () => Task<T>): T {
    return this.rig.drive(body);
  }

  after(ns: number): void {
    this.rig.after(ns);
  }
}

/** Runs a body with the two on one host, and then on two. */
export function wherever(bounds: Bounds, body: (w: World, here: HostName, there: HostName) => void): void {
  for (const there of ['one', 'two'] as const) {
    try {
      body(new World(bounds), 'one', there);
    } catch (e) {
      if (e instanceof Error) e.message = `${there === 'one' ? 'on one host' : 'on two hosts'}: ${e.message}`;
      throw e;
    }
  }
}

/** A message of words. */
export const words = (code: number, ...given: number[]): Message => message({ code, words: given });
export const done: Message = /* @__PURE__ */ words(ReplyCode.ok);
/** A code that belongs to the programs of the checks. */
export const work = 0x12_3400;

export const codeIn = ({ message: m }: Response): number => codeOf(m);
export const wordIn = ({ message: m }: Response, word: number): number => wordOf(m, word);
export const asked = ({ message: m }: Received, word = 1): number => wordOf(m, word);
