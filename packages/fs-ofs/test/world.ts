/** A machine with a disk in memory, a small cache and this storage; it may crash, halt and boot again. */
import { Engine, type Scope, type Task } from '@backplane/engine';
import {
  type Disk,
  hostId,
  type KernelErrorKind,
  type Machine,
  type MachineCosts,
  natives,
  type Storage,
} from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { auditOfs, type Finding, type OfsOptions, ofsStorage } from '../src/index.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SmallCache } from './small-cache.ts';

export interface WorldOptions extends OfsOptions {
  readonly sectors?: number;
  readonly sectorBytes?: number;
  readonly latencyNs?: number;
  readonly cachePlaces?: number;
  readonly cacheWriteNs?: number;
  readonly seed?: number;
}

export class World {
  readonly engine: Engine;
  readonly disk: MemoryDisk;
  readonly meters: Map<string, () => number> = new Map();
  readonly #machineScope: Scope;
  readonly #options: OfsOptions;
  readonly #cachePlaces: number;
  readonly #cacheWriteNs: number;
  #board: ReturnType<typeof ofsStorage>;
  boot: Scope;
  cache: SmallCache;
  storage: Storage;

  constructor({
    sectors,
    sectorBytes,
    latencyNs,
    cachePlaces,
    cacheWriteNs,
    seed,
    ...options
  }: WorldOptions = {}) {
    this.engine = new Engine({ seed: seed ?? 1 });
    this.#machineScope = this.engine.root.child('allspice');
    this.disk = new MemoryDisk(this.engine.random('disk'), {
      sectors: sectors ?? 8192,
      ...(latencyNs !== undefined && { latencyNs }),
      ...(sectorBytes !== undefined && { sectorBytes }),
    });
    this.#options = options;
    this.#cachePlaces = cachePlaces ?? 10_000;
    this.#cacheWriteNs = cacheWriteNs ?? 0;
    this.#board = ofsStorage(options);
    this.boot = this.#machineScope;
    this.cache = new SmallCache(this.boot, this.#cachePlaces, this.#cacheWriteNs);
    this.storage = this.switchOn();
  }

  /** Makes a new boot's boards; nothing is attached yet. */
  switchOn(): Storage {
    this.boot = this.#machineScope.child('boot');
    this.cache = new SmallCache(this.boot, this.#cachePlaces, this.#cacheWriteNs);
    const machine: Machine = {
      name: 'allspice',
      host: hostId(1),
      role: 'server',
      bootId: 1,
      scope: this.boot,
      engine: this.engine,
      metrics: {
        register: (name, read) => {
          this.meters.set(name, read);
          return () => this.meters.delete(name);
        },
      },
      natives: natives(),
      random: (purpose) => this.engine.random(purpose, 'allspice'),
      type: {
        name: 'test',
        description: 'a machine without costs',
        processors: 1,
        memoryBytes: 1 << 20,
        pageBytes: 4096,
        costs: {} as MachineCosts, // boundary: the storage reads none
        sources: {} as Machine['type']['sources'],
      },
    };
    const granted = { disk: new Map<string, Disk>([['disk', this.disk]]), blockCache: this.cache };
    this.#board = ofsStorage(this.#options);
    this.storage = this.#board.create(granted as never, machine);
    return this.storage;
  }

  meter(name: string): number {
    return this.meters.get(name)?.() ?? Number.NaN;
  }

  /** Runs a thread of the machine to its end, and no further. */
  run<T>(body: Task<T>): T {
    const ended: { value?: T } = {};
    const { engine } = this;
    this.boot.spawn(
      'test',
      (function* (): Task<void> {
        ended.value = yield* body;
        engine.stop();
      })(),
    );
    engine.run();
    if (!('value' in ended)) throw new Error('the thread never ended');
    return ended.value as T;
  }

  attach(): void {
    this.run(this.storage.recover());
  }

  /** Orderly: halt, and the next boot attaches again. */
  reboot(): void {
    const { halt } = this.#board;
    if (halt !== undefined) this.run(halt(this.storage));
    this.boot.crash();
    this.switchOn();
    this.attach();
  }

  /** Power off now. */
  crash(): void {
    this.boot.crash();
    this.disk.reset();
    this.switchOn();
  }

  check(): Finding[] {
    return auditOfs((sector, count) => this.disk.inspect(sector, count));
  }

  /** Attaches a disk that may be damaged: `ok`, or the kind of error that every operation then ends with. */
  tryAttach(): KernelErrorKind | 'ok' {
    this.attach();
    return this.kindOf(this.storage.attributes(this.storage.root));
  }

  /** The kind of error with which it ends, or `ok`. */
  kindOf(body: Task<unknown>): KernelErrorKind | 'ok' {
    return this.run(kindOf(body));
  }
}

export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i;
  return -1;
}
