/** A file server without clients: one storage on the disk `disk.0`, which may be made of the others. */
import { lruBlockCache } from '@backplane/block-cache-lru';
import { Cluster, type ClusterMachine } from '@backplane/chassis';
import { costBenefitCleaner } from '@backplane/cleaner-cost-benefit';
import { sleep, type Task } from '@backplane/engine';
import { lfsFormat, lfsStorage } from '@backplane/fs-lfs';
import { ofsFormat, ofsStorage } from '@backplane/fs-ofs';
import { ethernet } from '@backplane/hw-ethernet';
import { zeroCost } from '@backplane/hw-machines';
import { memory } from '@backplane/hw-memory';
import { fixedMemory } from '@backplane/memory-policy-fixed';
import {
  type Board,
  type Disk,
  type DiskRule,
  defineKernel,
  type FileId,
  type Finding,
  type Storage,
} from '@backplane/slots';

/** The storages, with what looks at their disks. */
export const stores = {
  ofs: { board: () => ofsStorage({ disk: '0' }), format: ofsFormat },
  lfs: { board: () => lfsStorage({ disk: '0', segmentBytes: 131_072 }), format: lfsFormat },
} as const;
export type Store = keyof typeof stores;

export class Server {
  readonly cluster: Cluster;
  readonly machine: ClusterMachine;

  readonly #store: Store;

  constructor(store: Store, disk: readonly Board<'disk'>[], seed = 1) {
    this.#store = store;
    this.cluster = new Cluster(
      {
        medium: ethernet(),
        machines: [
          {
            name: 'server',
            type: zeroCost,
            role: 'server',
            kernel: defineKernel('disk server', {
              memory: memory({ kernelBytes: 0 }),
              memoryPolicy: fixedMemory({ filesShare: 0.5 }),
              disk,
              blockCache: lruBlockCache(),
              cleaner: costBenefitCleaner(),
              storage: stores[store].board(),
            }),
          },
        ],
      },
      { seed },
    );
    this.machine = this.cluster.machine('server');
    this.drive(this.cluster.bootAll());
  }

  get storage(): Storage {
    return this.machine.board('storage');
  }

  get disk(): Disk {
    return this.machine.board('disk', 'disk.0');
  }

  get nowNs(): number {
    return this.cluster.engine.nowNs;
  }

  metric(name: string): number {
    return this.machine.metrics().toRecord()[name] ?? 0;
  }

  /** Every request to this disk fails until it is taken back. */
  breakDisk(instance: string): () => void {
    const rule: DiskRule = { name: 'broken', judge: () => 'error' };
    return this.machine.board('disk', instance).addRule(rule);
  }

  check(): readonly Finding[] {
    const { disk } = this;
    const { sectorBytes, sectors } = disk;
    return stores[this.#store].format.audit({ sectorBytes, sectors, read: (s, n) => disk.inspect(s, n) });
  }

  /** Runs a thread outside of every machine to its end: it may halt, crash and boot. */
  drive<T>(body: Task<T>): T {
    return this.cluster.drive('run', body);
  }

  /** Runs a thread of the server to its end. */
  run<T>(body: Task<T>): T {
    return this.drive(this.machine.scope.spawn('test', body).join());
  }

  pass(forNs: number): void {
    this.drive(
      (function* (): Task<void> {
        yield* sleep(forNs);
      })(),
    );
  }

  crash(): void {
    const { machine } = this;
    this.drive(
      (function* (): Task<void> {
        machine.crash();
        machine.boot();
        yield* machine.running();
      })(),
    );
  }

  reboot(): void {
    const { machine } = this;
    this.drive(
      (function* (): Task<void> {
        yield* machine.halt();
        machine.boot();
        yield* machine.running();
      })(),
    );
  }
}

function bytesOf(mark: number): Uint8Array {
  const bytes = new Uint8Array(1 + ((mark * 7919) % 40_000));
  for (let i = 0; i < bytes.length; i++) bytes[i] = mark + i * 13;
  return bytes;
}

/** Makes, replaces and removes files for ever; `synced` holds what a sync has confirmed: name to mark. */
export function* churn(
  s: Storage,
  random: { below(n: number): number },
  synced: Map<string, number>,
  marks: { next: number },
): Task<void> {
  const free = function* (f: FileId, linksLeft: number): Task<void> {
    if (linksLeft === 0) yield* s.reclaim(f);
  };
  for (;;) {
    const mark = marks.next++;
    const name = `f${random.below(12)}`;
    const old = yield* s.lookup(s.root, name);
    synced.delete(name);
    if (old !== undefined && random.below(3) === 0) {
      const { file, linksLeft } = yield* s.unlink(s.root, name, { directory: false });
      yield* free(file, linksLeft);
    } else {
      const made = yield* s.create(s.root, `new ${mark}`, { type: 'file', mode: 0o600, uid: 0, gid: 0 });
      yield* s.write(made, 0, bytesOf(mark), random.below(2) === 0 ? 'soon' : 'delayed');
      const { replaced } = yield* s.rename(s.root, `new ${mark}`, s.root, name);
      if (replaced !== undefined) yield* free(replaced.file, replaced.linksLeft);
      if (random.below(3) === 0) {
        yield* s.sync(made);
        synced.set(name, mark);
      }
    }
    yield* sleep(random.below(200_000_000));
  }
}

/** Every file that was synced is as it was then. Returns how many there are. */
export function* allThere(s: Storage, synced: ReadonlyMap<string, number>): Task<number> {
  for (const [name, mark] of synced) {
    const f = yield* s.lookup(s.root, name);
    const seen = f && (yield* s.read(f, 0, 100_000));
    const expected = bytesOf(mark);
    if (seen?.length !== expected.length || seen.some((b, i) => b !== expected[i]))
      throw new Error(`${name} is not as it was synced`);
  }
  return synced.size;
}
