/** Sprite kernels on an Ethernet: one server whose disk survives its crashes, and clients. */
import { type SpriteCacheOptions, spriteCache } from '@backplane/cache-sprite';
import { Cluster, type ClusterMachine } from '@backplane/chassis';
import { seconds, sleep, type Task } from '@backplane/engine';
import { type OfsOptions, ofsStorage } from '@backplane/fs-ofs';
import { ethernet } from '@backplane/hw-ethernet';
import { sun3x75, sun3x180, zeroCost } from '@backplane/hw-machines';
import { type ReopenRecoveryOptions, reopenRecovery } from '@backplane/recovery-reopen';
import {
  type Board,
  type Calls,
  isKernelError,
  type Kernel,
  type KernelErrorKind,
  type MachineType,
  type RunningProgram,
} from '@backplane/slots';
import { spriteClient, spriteServer } from '@backplane/sprite';
import { disk } from './disk.ts';

export interface Shape {
  readonly clients?: number;
  readonly seed?: number;
  readonly cache?: SpriteCacheOptions;
  readonly recovery?: ReopenRecoveryOptions;
  /** Sun-3 workstations and server instead of machines on which nothing costs anything. */
  readonly costs?: boolean;
  /** Another file cache than Sprite's, on all machines. */
  readonly fileCache?: Board<'fileCache'>;
  /** Other boards in a client's kernel, or more of them. */
  readonly client?: (kernel: Kernel, i: number) => Kernel;
  /** Sprite's file system on a drive, instead of a storage that has no more than a disk's memory. */
  readonly drive?: OfsOptions;
}

export class World {
  readonly cluster: Cluster;
  readonly server: ClusterMachine;
  readonly clients: readonly ClusterMachine[];

  constructor(shape: Shape = {}) {
    const boards = (k: Kernel): Kernel =>
      k.with({
        fileCache: shape.fileCache ?? spriteCache(shape.cache),
        recovery: reopenRecovery(shape.recovery),
      });
    const server = boards(spriteServer());
    const type = (costly: MachineType): MachineType => (shape.costs === true ? costly : zeroCost);
    this.cluster = new Cluster(
      {
        medium: ethernet(),
        machines: [
          {
            name: 'allspice',
            type: type(sun3x180),
            role: 'server',
            kernel: server.with({
              storage: { '/': shape.drive === undefined ? disk()() : ofsStorage(shape.drive) },
            }),
          },
          ...Array.from({ length: shape.clients ?? 2 }, (_, i) => ({
            name: `client${i}`,
            type: type(sun3x75),
            role: 'client',
            kernel: (shape.client ?? ((kernel) => kernel))(boards(spriteClient()), i),
          })),
        ],
      },
      { seed: shape.seed ?? 1 },
    );
    this.server = this.cluster.machine('allspice');
    this.clients = this.cluster.withRole('client');
  }

  client(i: number): ClusterMachine {
    const machine = this.clients[i];
    if (machine === undefined) throw new Error(`no client ${i}`);
    return machine;
  }

  get nowNs(): number {
    return this.cluster.engine.nowNs;
  }

  metric(name: string): number {
    return this.cluster.metrics()[`cache.sprite.${name}`] ?? 0;
  }

  /** Boots everything and runs a driver to its end. */
  drive<T>(body: () => Task<T>): T {
    const { cluster } = this;
    return cluster.drive(
      'test',
      (function* (): Task<T> {
        yield* cluster.bootAll();
        return yield* body();
      })(),
    );
  }

  start(m: ClusterMachine, program: (sys: Calls) => Task<void>): RunningProgram {
    return m.board('systemCalls').start('program', function* (sys) {
      yield* program(sys);
      return 0;
    });
  }

  /** Runs a program to its end; what it returns. */
  *on<T>(m: ClusterMachine, program: (sys: Calls) => Task<T>): Task<T> {
    const results: T[] = [];
    const running = this.start(m, function* (sys) {
      results.push(yield* program(sys));
    });
    const status = yield* running.join();
    if (results.length === 0) throw new Error(`the program on ${m.name} ended with status ${status}`);
    return results[0] as T;
  }

  *reboot(m: ClusterMachine, downSeconds: number = 0): Task<void> {
    m.crash();
    yield* sleep(seconds(downSeconds));
    m.boot();
    yield* m.running();
  }
}

export const bytes = (s: string): Uint8Array => new Uint8Array(Buffer.from(s, 'latin1'));
export const text = (b: Uint8Array): string => Buffer.from(b).toString('latin1');

export function* put(sys: Calls, path: string, content: string): Task<void> {
  const fd = yield* sys.open(path, { write: true, create: true, truncate: true });
  yield* sys.write(fd, bytes(content));
  yield* sys.close(fd);
}

export function* get(sys: Calls, path: string): Task<string> {
  const fd = yield* sys.open(path, { read: true });
  const content = yield* sys.read(fd, 1_000_000);
  yield* sys.close(fd);
  return text(content);
}

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
