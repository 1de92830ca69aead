/** A machine with a disk in memory, a small cache and the storage under test; it may crash, halt and boot again. */
import { Engine, type Scope, type Task } from '@backplane/engine';
import type { Board, Disk, Finding, KernelErrorKind, Storage, StoreFormat } from '@backplane/slots';
import { kindOf, type TestMachine, testMachine } from '@backplane/slots/testing';
import { MemoryDisk } from './memory-disk.ts';
import { SmallCache } from './small-cache.ts';

export interface StorageWorldOptions {
  readonly sectors?: number;
  readonly sectorBytes?: number;
  readonly latencyNs?: number;
  readonly cachePlaces?: number;
  readonly cacheWriteNs?: number;
  readonly seed?: number;
}

/** The storage under test, and what it needs besides a disk and a block cache. */
export interface StoreOnTrial {
  readonly board: Board<'storage'>;
  readonly format: StoreFormat;
  /** Findings that a disk has as long as it is attached, though all of it is written. */
  readonly whileAttached: readonly string[];
  readonly beside?: Readonly<Record<string, unknown>>;
}

export class StorageWorld {
  readonly engine: Engine;
  readonly disk: MemoryDisk;
  readonly #machineScope: Scope;
  readonly #store: StoreOnTrial;
  readonly #cachePlaces: number;
  readonly #cacheWriteNs: number;
  #machine: TestMachine;
  boot: Scope;
  cache: SmallCache;
  storage: Storage;

  constructor(store: StoreOnTrial, o: StorageWorldOptions = {}) {
    const { sectors, sectorBytes, latencyNs, cachePlaces, cacheWriteNs, seed } = o;
    this.engine = new Engine({ seed: seed ?? 1 });
    this.#machineScope = this.engine.root.child('allspice');
    this.disk = new MemoryDisk(this.engine.random('disk'), {
      sectors: sectors ?? 8192,
      ...(latencyNs !== undefined && { latencyNs }),
      ...(sectorBytes !== undefined && { sectorBytes }),
    });
    this.#store = store;
    this.#cachePlaces = cachePlaces ?? 10_000;
    this.#cacheWriteNs = cacheWriteNs ?? 0;
    this.#machine = testMachine({ engine: this.engine, name: 'allspice' });
    this.boot = this.#machineScope;
    this.cache = new SmallCache(this.boot, this.#cachePlaces, this.#cacheWriteNs);
    this.storage = this.switchOn();
  }

  /** Makes a new boot's boards; nothing is attached yet. */
  switchOn(): Storage {
    this.boot = this.#machineScope.child('boot');
    this.cache = new SmallCache(this.boot, this.#cachePlaces, this.#cacheWriteNs);
    const machine = testMachine({ engine: this.engine, name: 'allspice' });
    this.#machine = machine;
    const granted = {
      disk: new Map<string, Disk>([['disk', this.disk]]),
      blockCache: this.cache,
      ...this.#store.beside,
    };
    this.storage = this.#store.board.create(granted as never, { ...machine, scope: this.boot });
    return this.storage;
  }

  meter(name: string): number {
    return this.#machine.metric(name) ?? Number.NaN;
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
    const { halt } = this.#store.board;
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

  check(): readonly Finding[] {
    const { sectorBytes, sectors } = this.disk;
    return this.#store.format.audit({ sectorBytes, sectors, read: (s, n) => this.disk.inspect(s, n) });
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
