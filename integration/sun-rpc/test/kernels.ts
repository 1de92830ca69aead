/** Sprite kernels over another transport: a server whose files survive its crashes, and clients whose programs take turns. */
import { nfsCache } from '@backplane/cache-nfs';
import { noCache } from '@backplane/cache-none';
import { spriteCache } from '@backplane/cache-sprite';
import { Cluster, type ClusterMachine } from '@backplane/chassis';
import { sleep, type Task } from '@backplane/engine';
import { memoryStorage } from '@backplane/fs-memory';
import { ethernet } from '@backplane/hw-ethernet';
import { zeroCost } from '@backplane/hw-machines';
import { mountNaming } from '@backplane/naming-mounts';
import { ip } from '@backplane/net-ip';
import { spriteRpc } from '@backplane/rpc-sprite';
import { sunRpc } from '@backplane/rpc-sun';
import {
  type AnySlots,
  type Calls,
  type Component,
  defineComponent,
  type Kernel,
  type KernelSpec,
  type MachineType,
} from '@backplane/slots';
import { spriteClient, spriteServer } from '@backplane/sprite';

export const caches: Readonly<Record<'sprite' | 'nfs' | 'none', KernelSpec>> = {
  sprite: { fileCache: spriteCache() },
  nfs: { fileCache: nfsCache(), naming: mountNaming() },
  none: { fileCache: noCache() },
};

export const transports: Readonly<Record<string, KernelSpec>> = {
  'Sun RPC': { transport: sunRpc(), internet: ip() },
  'Sprite RPC over internet datagrams': { transport: spriteRpc({ carrier: 'internet' }), internet: ip() },
};

/** A storage in memory that keeps everything over a crash of its machine, as a disk would. */
function lasting(): Component<'storage'> {
  let kept: AnySlots['storage'] | null = null;
  return defineComponent({
    name: 'test-lasting-storage',
    version: '1.0.0',
    slot: 'storage',
    contract: 1,
    requires: [],
    create: (_granted, _options, machine) => {
      kept ??= memoryStorage({ domain: 0, sizeBytes: 50_000_000 }).create(
        { wrapped: new Map() } as never, // boundary: what the chassis grants
        machine,
      );
      return kept;
    },
  });
}

export interface Shape {
  readonly seed?: number;
  readonly type?: MachineType;
}

export class World {
  readonly cluster: Cluster;
  readonly server: ClusterMachine;
  readonly clients: readonly ClusterMachine[];

  constructor(boards: readonly KernelSpec[], { seed = 1, type = zeroCost }: Shape = {}) {
    const kernel = (k: Kernel): Kernel => boards.reduce((made, changes) => made.with(changes), k);
    this.cluster = new Cluster(
      {
        medium: ethernet(),
        machines: [
          {
            name: 'server',
            type,
            role: 'server',
            kernel: kernel(spriteServer()).with({ storage: { '/': lasting()() } }),
          },
          ...Array.from({ length: 2 }, (_, i) => ({
            name: `client${i}`,
            type,
            role: 'client',
            kernel: kernel(spriteClient()),
          })),
        ],
      },
      { seed },
    );
    this.server = this.cluster.machine('server');
    this.clients = this.cluster.withRole('client');
  }

  metric(name: string): number {
    return this.cluster.metrics()[name] ?? Number.NaN;
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

  /** Runs a program on a client to its end; what it returns. */
  *on<T>(client: number, program: (sys: Calls) => Task<T>): Task<T> {
    const machine = this.clients[client];
    if (machine === undefined) throw new Error(`no client ${client}`);
    const results: T[] = [];
    const running = machine.board('systemCalls').start('program', function* (sys) {
      results.push(yield* program(sys));
      return 0;
    });
    const status = yield* running.join();
    if (results.length === 0) throw new Error(`the program ended with status ${status}`);
    return results[0] as T;
  }

  *reboot(machine: ClusterMachine, downNs: number): Task<void> {
    machine.crash();
    yield* sleep(downNs);
    machine.boot();
    yield* machine.running();
  }
}

export function* put(sys: Calls, path: string, content: Uint8Array): Task<void> {
  const fd = yield* sys.open(path, { write: true, create: true, truncate: true });
  yield* sys.write(fd, content);
  yield* sys.close(fd);
}

export function* get(sys: Calls, path: string): Task<Uint8Array> {
  const fd = yield* sys.open(path, { read: true });
  const content = yield* sys.read(fd, 1_000_000);
  yield* sys.close(fd);
  return content;
}
