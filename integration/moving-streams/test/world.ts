/** Sprite kernels on an Ethernet, and processes reduced to their streams: references that go from host to host. */
import { Cluster, type ClusterMachine } from '@backplane/chassis';
import { ms, seconds, sleep, type Task, WaitQueue } from '@backplane/engine';
import { fileOfToken } from '@backplane/file-service';
import { memoryStorage } from '@backplane/fs-memory';
import { duplicationRule, ethernet, lossRule } from '@backplane/hw-ethernet';
import { zeroCost } from '@backplane/hw-machines';
import { mountNaming } from '@backplane/naming-mounts';
import {
  type Board,
  type Component,
  defineComponent,
  type FileId,
  isKernelError,
  type Movable,
  type OpenHow,
  type Storage,
  type Stream,
  type Streams,
} from '@backplane/slots';
import { spriteClient, spriteServer } from '@backplane/sprite';

/** What a host was doing when it crashed. */
class HostCrashed extends Error {}

const who = { uid: 0, gid: 0, groups: [] };
const lookNs = ms(20);
const patienceNs = seconds(5000);

/** In main memory, and yet there after a crash: what a server loses is not the question here. */
function keptStorage(): Component<'storage'> {
  let kept: Storage | null = null;
  return defineComponent({
    name: 'kept-storage',
    version: '1.0.0',
    slot: 'storage',
    contract: 1,
    requires: [],
    create: (_granted, _options, machine) => {
      kept ??= memoryStorage().create({ wrapped: new Map() } as never, machine);
      return kept;
    },
  });
}

export class World {
  readonly cluster: Cluster;
  readonly server: ClusterMachine;
  readonly clients: readonly ClusterMachine[];

  constructor(fileCache: Board<'fileCache'>, o: { readonly seed?: number; readonly clients?: number } = {}) {
    this.cluster = new Cluster(
      {
        medium: ethernet(),
        machines: [
          {
            name: 'allspice',
            type: zeroCost,
            role: 'server',
            kernel: spriteServer().with({
              fileCache,
              naming: mountNaming(),
              storage: { '/': keptStorage()() },
            }),
          },
          ...Array.from({ length: o.clients ?? 3 }, (_, i) => ({
            name: `client${i}`,
            type: zeroCost,
            role: 'client',
            kernel: spriteClient().with({ fileCache, naming: mountNaming() }),
          })),
        ],
      },
      { seed: o.seed ?? 1 },
    );
    this.server = this.cluster.machine('allspice');
    this.clients = this.cluster.withRole('client');
  }

  client(i: number): ClusterMachine {
    const machine = this.clients[i];
    if (machine === undefined) throw new Error(`no client ${i}`);
    return machine;
  }

  /** From now on the network loses and repeats frames. */
  disturb(): void {
    const { engine, medium } = this.cluster;
    medium.addRule(lossRule(engine, engine.random('loss'), { probability: 0.03 }));
    medium.addRule(duplicationRule(engine, engine.random('duplicates'), { probability: 0.03 }));
  }

  get nowNs(): number {
    return this.cluster.engine.nowNs;
  }

  metric(name: string): number {
    return this.cluster.metrics()[name] ?? 0;
  }

  /** Boots everything and runs a driver to its end. */
  drive<T>(body: () => Task<T>): T {
    const { cluster } = this;
    cluster.engine.root.spawn('watchdog', watch(cluster));
    return cluster.drive(
      'test',
      (function* (): Task<T> {
        yield* cluster.bootAll();
        return yield* body();
      })(),
    );
  }

  /** On a thread of that host, to its end. @throws HostCrashed when the host does not live to see it */
  *on<T>(m: ClusterMachine, body: (streams: Streams) => Task<T>): Task<T> {
    return yield* this.start(m, body)();
  }

  /** The same in two steps: started now; called, it waits for the end. */
  start<T>(m: ClusterMachine, body: (streams: Streams) => Task<T>): () => Task<T> {
    const ended: { value?: T; failure?: unknown; is: boolean } = { is: false };
    const queue: WaitQueue = new WaitQueue();
    const { bootId } = m;
    if (m.state === 'running')
      m.scope.spawn(
        'process',
        (function* (): Task<void> {
          try {
            ended.value = yield* body(m.board('streams'));
          } catch (e) {
            ended.failure = e;
          }
          ended.is = true;
          queue.wakeAll();
        })(),
      );
    return function* (): Task<T> {
      while (!ended.is) {
        if (m.state !== 'running' || m.bootId !== bootId) throw new HostCrashed(m.name);
        yield* queue.wait(lookNs);
      }
      if ('failure' in ended) throw ended.failure;
      return ended.value as T;
    };
  }

  *open(m: ClusterMachine, path: string, how: OpenHow): Task<Stream> {
    return yield* this.on(m, (s) => s.open(m.board('naming').view(), path, how, who));
  }

  *put(m: ClusterMachine, path: string, content: Uint8Array): Task<void> {
    const stream = yield* this.open(m, path, { write: true, create: true, truncate: true, mode: 0o666 });
    yield* this.on(m, (s) => s.write(stream, content));
    yield* this.on(m, (s) => s.close(stream));
  }

  *get(m: ClusterMachine, path: string): Task<Uint8Array> {
    const stream = yield* this.open(m, path, { read: true });
    const content = yield* this.on(m, (s) => s.readAt(stream, 0, 100_000));
    yield* this.on(m, (s) => s.close(stream));
    return content;
  }

  *unlink(m: ClusterMachine, path: string): Task<void> {
    yield* this.on(m, (s) => s.name(m.board('naming').view(), path, 'unlink', {}, who));
  }

  *read(m: ClusterMachine, stream: Stream, count: number): Task<Uint8Array> {
    return yield* this.on(m, (s) => s.read(stream, count));
  }

  *write(m: ClusterMachine, stream: Stream, content: Uint8Array): Task<number> {
    return yield* this.on(m, (s) => s.write(stream, content));
  }

  *close(m: ClusterMachine, stream: Stream): Task<void> {
    yield* this.on(m, (s) => s.close(stream));
  }

  /** One reference goes from one host to another, as with a process: what was described is all that the target knows. */
  *move(stream: Stream, from: ClusterMachine, to: ClusterMachine): Task<Stream> {
    const m = JSON.parse(JSON.stringify(from.board('streams').describe(stream))) as Movable;
    return yield* this.on(to, (s) => s.adopt(m));
  }

  /** Where a file is on the server's disk. */
  fileOf(stream: Stream): FileId {
    const file = fileOfToken(String(stream.object.ref.id));
    if (file === undefined) throw new Error('not a file');
    return file;
  }

  /** Is it on the server's disk, with or without a name? */
  *isStored(f: FileId): Task<boolean> {
    try {
      yield* this.server.board('storage', 'storage:/').attributes(f);
      return true;
    } catch (e) {
      if (isKernelError(e, 'stale')) return false;
      throw e;
    }
  }
}

/** A driver that waits for ever ends the test. */
function* watch({ engine }: Cluster): Task<void> {
  yield* sleep(patienceNs);
  engine.stop();
}

export const bytes = (s: string): Uint8Array => new Uint8Array(Buffer.from(s, 'latin1'));
export const text = (b: Uint8Array): string => Buffer.from(b).toString('latin1');

/** The kind of error that an operation ends with, or undefined. */
export function* failure(operation: Task<unknown>): Task<string | undefined> {
  try {
    yield* operation;
    return undefined;
  } catch (e) {
    if (e instanceof HostCrashed) return 'crashed';
    if (!isKernelError(e)) throw e;
    return e.kind;
  }
}
