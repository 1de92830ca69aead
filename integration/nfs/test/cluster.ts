/** Sprite kernels with NFS in place of their own file protocol: a server, and clients whose programs take turns. */
import { type NfsCacheOptions, nfsCache } from '@backplane/cache-nfs';
import { Cluster, type ClusterMachine } from '@backplane/chassis';
import { sleep, type Task } from '@backplane/engine';
import { memoryStorage } from '@backplane/fs-memory';
import { ethernet } from '@backplane/hw-ethernet';
import { zeroCost } from '@backplane/hw-machines';
import { mountNaming } from '@backplane/naming-mounts';
import { type AnySlots, type Calls, type Component, defineComponent, type Kernel } from '@backplane/slots';
import { spriteClient, spriteServer } from '@backplane/sprite';

/** A storage in memory that keeps everything over a crash of its machine, as a disk would. */
function lasting(domain: number, sizeBytes: number): Component<'storage'> {
  let kept: AnySlots['storage'] | null = null;
  return defineComponent({
    name: 'test-lasting-storage',
    version: '1.0.0',
    slot: 'storage',
    contract: 1,
    requires: [],
    create: (_granted, _options, machine) => {
      kept ??= memoryStorage({ domain, sizeBytes }).create({ wrapped: new Map() } as never, machine);
      return kept;
    },
  });
}

export interface World {
  readonly cluster: Cluster;
  readonly server: ClusterMachine;
  /** Runs a program on a client to its end; what it returns. */
  on<T>(client: number, program: (sys: Calls) => Task<T>): Task<T>;
  /** Starts a program, and goes on. */
  start(client: number, program: (sys: Calls) => Task<void>): { readonly ended: boolean };
  sleep(seconds: number): Task<void>;
  metric(name: string): number;
}

export interface Shape {
  readonly clients?: number;
  readonly options?: NfsCacheOptions;
  /** Prefixes by server; one server with the root when left out. */
  readonly servers?: readonly (readonly string[])[];
  readonly storageBytes?: number;
  readonly seed?: number;
}

/** Builds the cluster, boots it, and drives it by a script. */
export function nfs<T>(script: (w: World) => Task<T>, shape: Shape = {}): T {
  const boards = (k: Kernel): Kernel => k.with({ fileCache: nfsCache(shape.options), naming: mountNaming() });
  const servers = shape.servers ?? [['/']];
  const clients = shape.clients ?? 2;
  const cluster = new Cluster(
    {
      medium: ethernet(),
      machines: [
        ...servers.map((prefixes, s) => ({
          name: `server${s}`,
          type: zeroCost,
          role: 'server',
          kernel: boards(spriteServer(prefixes)).with({
            storage: Object.fromEntries(
              prefixes.map((prefix, domain) => [
                prefix,
                lasting(domain, shape.storageBytes ?? 100_000_000)(),
              ]),
            ),
          }),
        })),
        ...Array.from({ length: clients }, (_, c) => ({
          name: `client${c}`,
          type: zeroCost,
          role: 'client',
          kernel: boards(spriteClient()),
        })),
      ],
    },
    { seed: shape.seed ?? 1 },
  );
  const world: World = {
    cluster,
    server: cluster.machine('server0'),
    *on(client, program) {
      const results: ReturnType<typeof program> extends Task<infer R> ? R[] : never[] = [];
      const running = cluster
        .machine(`client${client}`)
        .board('systemCalls')
        .start('script', function* (sys) {
          results.push(yield* program(sys));
          return 0;
        });
      if ((yield* running.join()) !== 0) throw new Error('the program did not end well');
      return results[0] as ReturnType<typeof program> extends Task<infer R> ? R : never;
    },
    start: (client, program) =>
      cluster
        .machine(`client${client}`)
        .board('systemCalls')
        .start('script', function* (sys) {
          yield* program(sys);
          return 0;
        }),
    *sleep(seconds) {
      yield* sleep(Math.round(seconds * 1e9));
    },
    metric: (name) => cluster.metrics()[name] ?? 0,
  };
  return cluster.drive(
    'script',
    (function* (): Task<T> {
      yield* cluster.bootAll();
      // The first name on each host mounts everything.
      for (let c = 0; c < clients; c++) yield* world.on(c, (sys) => sys.stat('/'));
      return yield* script(world);
    })(),
  );
}

const text = (s: string): Uint8Array => new Uint8Array(Buffer.from(s));

export function* put(sys: Calls, path: string, content: string): Task<void> {
  const fd = yield* sys.open(path, { write: true, create: true, truncate: true });
  yield* sys.write(fd, text(content));
  yield* sys.close(fd);
}

export function* get(sys: Calls, path: string): Task<string> {
  const fd = yield* sys.open(path, { read: true });
  const bytes = yield* sys.read(fd, 1_000_000);
  yield* sys.close(fd);
  return Buffer.from(bytes).toString();
}
