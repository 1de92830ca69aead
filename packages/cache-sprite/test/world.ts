/** A server and clients, each with the board under test and small neighbours, on one engine. */
import { Engine, type Scope, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import { fileToken } from '@backplane/file-service';
import { End, Net } from '@backplane/rpc-service/testing';
import {
  type Attempt,
  type Attributes,
  authority,
  type Credentials,
  type FileProtocol,
  type HostId,
  hostId,
  isKernelError,
  KernelError,
  type KernelErrorKind,
  type MachineCosts,
  type NameOps,
  type NameTarget,
  type OpenHow,
  type OpenObject,
  type Streams,
  streamId,
  type Waiter,
} from '@backplane/slots';
import { KeptBlocks, type TestMachine, testMachine } from '@backplane/slots/testing';
import { type SpriteCacheOptions, spriteCache } from '../src/index.ts';
import { Blocks } from './blocks.ts';
import { Disk, TestStorage } from './disk.ts';

const root: Credentials = { uid: 0, gid: 0, groups: [] };

export interface WorldOptions {
  readonly seed?: number;
  readonly clients?: number;
  readonly options?: SpriteCacheOptions;
  readonly blocksMax?: number;
  /** Blocks in the non-volatile memory of each client. */
  readonly nvramBlocks?: number;
  readonly costs?: Partial<MachineCosts>;
}

/** Host 1 serves, hosts 2 and up are clients. */
export class World {
  readonly engine: Engine;
  readonly net: Net;
  readonly server: TestHost;
  readonly clients: readonly TestHost[];

  constructor(o: WorldOptions = {}) {
    this.engine = new Engine({ seed: o.seed ?? 1 });
    this.net = new Net(this.engine);
    this.server = new TestHost(this, 1, new Disk(), o);
    this.clients = Array.from({ length: o.clients ?? 2 }, (_, i) => new TestHost(this, i + 2, null, o));
    for (const h of [this.server, ...this.clients]) h.boot();
  }

  get [0](): TestHost {
    return this.#client(0);
  }
  get [1](): TestHost {
    return this.#client(1);
  }
  get [2](): TestHost {
    return this.#client(2);
  }

  #client(i: number): TestHost {
    const client = this.clients[i];
    if (client === undefined) throw new Error(`no client ${i}`);
    return client;
  }

  /** Runs a driver to its end. */
  drive<T>(body: () => Task<T>): T {
    const { engine } = this;
    const results: T[] = [];
    const thread = engine.root.spawn(
      'driver',
      (function* (): Task<void> {
        results.push(yield* body());
        engine.stop();
      })(),
    );
    engine.run();
    if (!thread.ended) throw new Error('the driver hangs');
    return results[0] as T;
  }
}

export class TestHost {
  readonly id: HostId;
  readonly #world: World;
  readonly #disk: Disk | null;
  readonly #o: WorldOptions;
  #boots = 0;
  scope: Scope;
  machine: TestMachine;
  end: End;
  board: FileProtocol;
  blocks: Blocks;
  storage: TestStorage | null = null;
  readonly nvram: KeptBlocks | undefined;
  /** Waiters that were woken. */
  readonly woken: Waiter[] = [];

  constructor(world: World, id: number, disk: Disk | null, o: WorldOptions) {
    this.id = hostId(id);
    this.#world = world;
    this.#disk = disk;
    this.#o = o;
    this.nvram = o.nvramBlocks === undefined ? undefined : new KeptBlocks(o.nvramBlocks);
    // Replaced by the first boot.
    this.machine = testMachine({ engine: world.engine, host: id });
    this.scope = this.machine.scope;
    this.blocks = new Blocks(this.scope);
    this.end = undefined as never;
    this.board = undefined as never;
  }

  get disk(): Disk {
    if (this.#disk === null) throw new Error('no disk');
    return this.#disk;
  }

  boot(): void {
    const { engine, net } = this.#world;
    const bootId = 1000 * ++this.#boots + this.id;
    this.machine = testMachine({
      engine,
      host: this.id,
      name: `host${this.id}`,
      bootId,
      costs: this.#o.costs ?? {},
    });
    this.scope = this.machine.scope;
    this.end = new End(net, this.id, bootId, this.scope);
    this.blocks = new Blocks(this.scope, this.#o.blocksMax, this.nvram);
    this.storage = this.#disk === null ? null : new TestStorage(this.#disk, () => engine.nowNs);
    const streams = {
      protocol: () => () => {},
      wake: (w: Waiter) => void this.woken.push(w),
    } as unknown as Streams;
    const board = spriteCache(this.#o.options);
    this.board = board.create(
      {
        transport: this.end,
        naming: { view: () => undefined as never, export: () => () => {} },
        streams,
        blockCache: this.blocks,
        storage: new Map(this.storage === null ? [] : [['storage', this.storage]]),
        recovery: undefined,
        wrapped: new Map(),
      } as never,
      this.machine,
    );
    if (board.start !== undefined) this.scope.spawn('start', board.start(this.board));
  }

  crash(): void {
    this.scope.crash();
  }

  metric(name: string): number {
    return this.machine.metric(`cache.sprite.${name}`) ?? 0;
  }

  spawn<T>(body: Task<T>): Thread<T> {
    return this.scope.spawn('program', body);
  }

  // ---- what a process does ----

  target(path: string): NameTarget {
    const server = this.#world.server;
    const at = fileToken((server.storage as TestStorage).root);
    return {
      prefix: '/',
      protocol: 'sprite',
      authority: authority(String(server.id)),
      root: at,
      domainRoot: at,
      remainder: path.replace(/^\//, ''),
    };
  }

  *open(path: string, how: OpenHow): Task<Opened> {
    return new Opened(
      this,
      (yield* attempted(() => this.board.open(this.target(path), how, root))) as OpenObject,
    );
  }

  *name<K extends keyof NameOps>(path: string, op: K, argument: NameOps[K]['in']): Task<NameOps[K]['out']> {
    return yield* attempted(() => this.board.name(this.target(path), op, argument, root));
  }

  *stat(path: string): Task<Attributes> {
    return yield* this.name(path, 'stat', { follow: true });
  }

  *unlink(path: string): Task<void> {
    yield* this.name(path, 'unlink', {});
  }

  /** Opens, does one thing and closes. */
  *put(path: string, content: string, at: number = 0): Task<void> {
    const f = yield* this.open(path, { write: true, create: true });
    yield* f.write(content, at);
    yield* f.close();
  }

  *get(path: string): Task<string> {
    const f = yield* this.open(path, { read: true });
    const content = yield* f.read();
    yield* f.close();
    return content;
  }
}

const waiter = (host: TestHost, ticket: number): Waiter => ({ host: host.id, ticket });

export class Opened {
  readonly object: OpenObject;
  readonly host: TestHost;

  constructor(host: TestHost, object: OpenObject) {
    this.host = host;
    this.object = object;
  }

  *read(at: number = 0, count: number = 2 ** 20): Task<string> {
    return text((yield* this.object.read(at, count, waiter(this.host, 0))).bytes);
  }

  *write(content: string, at: number | 'end' = 0): Task<number> {
    return (yield* this.object.write(at, bytes(content), waiter(this.host, 0))).next;
  }

  *lock(mode: 'shared' | 'exclusive' | 'none', owner: string, ticket: number): Task<void> {
    yield* this.object.lock(mode, streamId(owner), waiter(this.host, ticket));
  }

  *close(): Task<void> {
    yield* this.object.close();
  }
}

/** What naming does with an attempt. */
function* attempted<T>(attempt: () => Task<Attempt<T>>): Task<T> {
  for (;;) {
    const outcome = yield* attempt();
    if (outcome.is === 'done') return outcome.value;
    if (outcome.is === 'unreachable') {
      if ((yield* outcome.wait()) === 'give-up') throw new KernelError('noAnswer');
    } else if (outcome.is === 'stale') yield* sleep(seconds(1));
    else throw new Error(`unexpected ${outcome.is}`);
  }
}

export const bytes = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));
const text = (b: Uint8Array): string => {
  let s = '';
  for (let i = 0; i < b.length; i += 4096) s += String.fromCharCode(...b.subarray(i, i + 4096));
  return s;
};

/** The kind of error that an operation ends with, or undefined. */
export function* failure(operation: Task<unknown>): Task<KernelErrorKind | undefined> {
  try {
    yield* operation;
    return undefined;
  } catch (e) {
    if (!isKernelError(e)) throw e;
    return e.kind;
  }
}
