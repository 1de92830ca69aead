/** Hosts with the board under test over the transport for tests. They crash and boot as machines do. */
import { Engine, type Scope, seconds, type Task, type Thread } from '@backplane/engine';
import {
  type AddressSpace,
  codeOf,
  type Ipc,
  type IpcProcess,
  type MachineCosts,
  type Message,
  message,
  type Response,
  wordOf,
} from '@backplane/slots';
import { EntityNet, EntityPort, type TestMachine, testMachine } from '@backplane/slots/testing';
import { ipcV, type VIpcOptions } from '../src/index.ts';

export interface WorldOptions {
  readonly seed?: number;
  readonly hosts?: number;
  readonly costs?: Partial<MachineCosts>;
  readonly ipc?: VIpcOptions;
}

export class Host {
  machine: TestMachine;
  port: EntityPort;
  ipc: Ipc;
  readonly number: number;
  readonly #world: World;

  constructor(world: World, number: number) {
    this.#world = world;
    this.number = number;
    [this.machine, this.port, this.ipc] = this.#boot();
  }

  #boot(): [TestMachine, EntityPort, Ipc] {
    const { engine, net, options } = this.#world;
    const machine = testMachine({
      engine,
      name: `host${this.number}`,
      host: this.number,
      costs: options.costs ?? {},
    });
    const port = new EntityPort(net, machine.scope, this.number);
    const board = ipcV(options.ipc);
    const ipc = board.create({ transport: { entities: port }, wrapped: new Map() } as never, machine);
    machine.scope.spawn('start', board.start?.(ipc) ?? nothing());
    return [machine, port, ipc];
  }

  crash(): void {
    this.machine.scope.crash();
  }

  reboot(): void {
    this.crash();
    [this.machine, this.port, this.ipc] = this.#boot();
  }

  /** A process with a scope of its own, and a thread in it. */
  process(name: string, body?: (p: IpcProcess) => Task<void>, space: AddressSpace | null = null): Made {
    const scope = this.machine.scope.child(name);
    const process = this.ipc.create({ name, scope, space });
    const thread = scope.spawn(name, (body ?? nothing)(process));
    return { process, scope, thread };
  }
}

/** Moves it while it is frozen; false when something of it was under way that does not move. */
export function moveProcess(made: Made, from: Host, to: Host): boolean {
  const { process, thread } = made;
  process.freeze();
  const moving = from.ipc.extract(process.id);
  if (moving !== 'busy') {
    const scope = to.machine.scope.child('moved');
    scope.adopt(thread);
    to.ipc.install(moving, { scope, space: null });
  }
  process.unfreeze();
  return moving !== 'busy';
}

export interface Made {
  readonly process: IpcProcess;
  readonly scope: Scope;
  readonly thread: Thread<void>;
}

function* nothing(): Task<void> {}

export class World {
  readonly engine: Engine;
  readonly net: EntityNet;
  readonly options: WorldOptions;
  readonly hosts: readonly Host[];

  constructor(options: WorldOptions = {}) {
    this.options = options;
    this.engine = new Engine({ seed: options.seed ?? 1 });
    this.net = new EntityNet(this.engine);
    this.hosts = Array.from({ length: options.hosts ?? 2 }, (_, i) => new Host(this, i + 1));
    this.after(0);
  }

  host(i: number): Host {
    const host = this.hosts[i];
    if (host === undefined) throw new Error(`no host ${i}`);
    return host;
  }

  after(ns: number): void {
    this.engine.run(this.engine.nowNs + ns);
  }

  /** A task to its end. */
  run<T>(body: () => Task<T>): T {
    const thread = this.engine.root.spawn('test', body());
    const ended: { value?: T } = {};
    this.engine.root.spawn(
      'end',
      (function* (): Task<void> {
        ended.value = yield* thread.join();
      })(),
    );
    this.after(seconds(3600));
    if (!('value' in ended)) throw new Error(`it never ends: ${thread.trace()}`);
    return ended.value as T;
  }
}

export const words = (code: number, ...given: number[]): Message => message({ code, words: given });

/** The outcome of a send in one word. */
export const code = ({ message: m }: Response): number => codeOf(m);

export const word = ({ message: m }: Response, n: number): number => wordOf(m, n);

/** The two places of most tests: location is not to show. */
export const places: readonly (readonly [string, number])[] = [
  ['on one host', 0],
  ['on two hosts', 1],
];

/** The error that a task throws, by its code. */
export function* thrown(task: Task<unknown>): Task<string> {
  try {
    yield* task;
    return 'nothing';
  } catch (e) {
    return String((e as { code?: unknown }).code);
  }
}
