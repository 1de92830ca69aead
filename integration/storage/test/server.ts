/** A file server without clients: a machine type's costs, a drive, the cache in page frames, the storage; beside it one in memory. */
import { type LruCacheOptions, lruBlockCache } from '@backplane/block-cache-lru';
import { Cluster, type ClusterMachine } from '@backplane/chassis';
import type { Task } from '@backplane/engine';
import { memoryStorage } from '@backplane/fs-memory';
import { type OfsOptions, ofsFormat, ofsStorage } from '@backplane/fs-ofs';
import { type DriveOptions, drive } from '@backplane/hw-disk';
import { ethernet } from '@backplane/hw-ethernet';
import { zeroCost } from '@backplane/hw-machines';
import { memory } from '@backplane/hw-memory';
import { fixedMemory } from '@backplane/memory-policy-fixed';
import { type Disk, defineKernel, type Finding, type MachineType, type Storage } from '@backplane/slots';

export interface ServerOptions {
  readonly seed?: number;
  readonly type?: MachineType;
  readonly drive?: DriveOptions;
  readonly ofs?: OfsOptions;
  readonly cache?: LruCacheOptions;
  /** Places in the cache; half of the machine type's memory when left out. */
  readonly cacheBlocks?: number;
}

export class Server {
  readonly cluster: Cluster;
  readonly machine: ClusterMachine;
  /** In the memory of another machine, which never fails. */
  readonly model: Storage;

  constructor(o: ServerOptions = {}) {
    const hardware = { memory: memory({ kernelBytes: 0 }), memoryPolicy: fixedMemory({ filesShare: 0.5 }) };
    const full = o.type ?? zeroCost;
    const type =
      o.cacheBlocks === undefined ? full : { ...full, memoryBytes: 2 * o.cacheBlocks * full.pageBytes };
    this.cluster = new Cluster(
      {
        medium: ethernet(),
        machines: [
          {
            name: 'server',
            type,
            role: 'server',
            kernel: defineKernel('disk server', {
              ...hardware,
              disk: drive(o.drive),
              blockCache: lruBlockCache(o.cache),
              storage: ofsStorage(o.ofs),
            }),
          },
          {
            name: 'model',
            type: zeroCost,
            role: 'model',
            kernel: defineKernel('memory server', { storage: memoryStorage() }),
          },
        ],
      },
      { seed: o.seed ?? 1 },
    );
    this.machine = this.cluster.machine('server');
    this.drive('boot', this.cluster.bootAll());
    this.model = this.cluster.machine('model').board('storage');
  }

  get storage(): Storage {
    return this.machine.board('storage');
  }

  get disk(): Disk {
    return this.machine.board('disk');
  }

  check(): readonly Finding[] {
    const { disk } = this;
    const { sectorBytes, sectors } = disk;
    return ofsFormat.audit({ sectorBytes, sectors, read: (s, n) => disk.inspect(s, n) });
  }

  /** Runs a thread outside of every machine to its end: it may halt, crash and boot. */
  drive<T>(name: string, body: Task<T>): T {
    return this.cluster.drive(name, body);
  }

  /** Runs a thread of the server to its end. */
  run<T>(body: Task<T>): T {
    return this.drive('run', this.machine.scope.spawn('test', body).join());
  }

  reboot(): void {
    const { machine } = this;
    this.drive(
      'reboot',
      (function* (): Task<void> {
        yield* machine.halt();
        machine.boot();
        yield* machine.running();
      })(),
    );
  }

  crash(): void {
    const { machine } = this;
    this.drive(
      'crash',
      (function* (): Task<void> {
        machine.crash();
        machine.boot();
        yield* machine.running();
      })(),
    );
  }
}
