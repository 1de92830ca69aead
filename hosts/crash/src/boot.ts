/** One boot of a machine that has nothing but a disk, a cache and the storage under test. Nothing on it takes time. */

import { Engine, type Scope, seconds, type Task, tasks } from '@backplane/engine';
import { SmallCache } from '@backplane/file-service/testing';
import {
  type Board,
  type Disk,
  hostId,
  isKernelError,
  type Machine,
  type MachineCosts,
  type MachineType,
  natives,
  type Storage,
} from '@backplane/slots';
import { TestDisk } from './disk.ts';
import type { Journal } from './journal.ts';
import type { Image } from './medium.ts';
import type { StoreUnderTest } from './store.ts';

/** Every cost is none. */
const costs = new Proxy({}, { get: () => 0 }) as MachineCosts;
const type: MachineType = {
  name: 'crash-test',
  description: 'a machine on which nothing takes time',
  processors: 1,
  memoryBytes: 1 << 24,
  pageBytes: 4096,
  costs,
  sources: new Proxy(
    {},
    { get: () => ({ evidence: 'exact', source: 'nothing takes time' }) },
  ) as MachineType['sources'],
};

/** The kernel of the machine has come to an end: a broken invariant, or a thread that waits for ever. */
export class Panic extends Error {
  readonly how: 'broken' | 'hangs';

  constructor(how: 'broken' | 'hangs', cause: unknown) {
    super(how === 'hangs' ? 'it waits for ever' : textOf(cause), { cause });
    this.name = 'Panic';
    this.how = how;
  }
}

function textOf(e: unknown): string {
  let root = e;
  while (root instanceof Error && root.cause instanceof Error) root = root.cause;
  if (!(root instanceof Error)) return String(root);
  const at = /\n\s+at (.*)/.exec(root.stack ?? '')?.[1] ?? '';
  return `${root.message} (${at.replace(/\(?(file:\/\/)?\/.*\//, '').replace(')', '')})`;
}

/** How a thread ended; null: it has not. */
interface End<T> {
  outcome:
    | { readonly ended: 'well'; readonly value: T }
    | { readonly ended: 'badly'; readonly error: unknown }
    | null;
}

export class Boot {
  static {
    tasks(Boot);
  }

  readonly engine: Engine;
  readonly disk: TestDisk;
  readonly storage: Storage;
  readonly #scope: Scope;
  readonly #board: Board<'storage'>;

  /** @param image belongs to this boot until it ends */
  constructor(store: StoreUnderTest, image: Image, journal: Journal | null = null) {
    this.engine = new Engine();
    this.#scope = this.engine.root.child('crash');
    this.disk = new TestDisk(image, journal);
    this.#board = store.board();
    const { engine } = this;
    const machine: Machine = {
      name: 'crash',
      host: hostId(1),
      role: 'server',
      type,
      bootId: 1,
      scope: this.#scope,
      engine,
      metrics: { register: () => nothing },
      natives: natives(),
      random: (purpose) => engine.random(purpose, 'crash'),
    };
    const disk: Disk = store.disk?.(this.disk) ?? this.disk;
    // boundary: a board takes of these what it requires
    const granted = {
      disk: new Map<string, Disk>([['disk', disk]]),
      blockCache: new SmallCache(this.#scope, Number.POSITIVE_INFINITY, 0),
      ...(store.cleaner !== undefined && { cleaner: store.cleaner() }),
    } as never;
    this.storage = this.#board.create(granted, machine);
  }

  /**
   * Runs a thread to its end and not further: what is to happen later has not happened yet.
   *
   * @throws what the thread throws, if it is an operating error; else `Panic`
   */
  run<T>(body: Task<T>): T {
    const { engine } = this;
    const end: End<T> = { outcome: null };
    this.#scope.spawn('test', this.#toTheEnd(body, end));
    try {
      // Who retries for ever would keep it from coming to an end.
      engine.run(engine.nowNs + patienceNs);
    } catch (e) {
      throw new Panic('broken', e);
    }
    const { outcome } = end;
    if (outcome === null) throw new Panic('hangs', undefined);
    if (outcome.ended === 'well') return outcome.value;
    if (isKernelError(outcome.error)) throw outcome.error;
    throw new Panic('broken', outcome.error);
  }

  *#toTheEnd<T>(body: Task<T>, end: End<T>): Task<void> {
    try {
      end.outcome = { ended: 'well', value: yield* body };
    } catch (error) {
      end.outcome = { ended: 'badly', error };
    }
    this.engine.stop();
  }

  /** As a kernel would at boot. */
  recover(): void {
    const { start } = this.#board;
    this.run(start === undefined ? this.storage.recover() : start(this.storage));
  }

  /** An orderly halt. */
  halt(): void {
    const { halt } = this.#board;
    this.run(halt === undefined ? this.storage.sync() : halt(this.storage));
  }
}

const patienceNs: number = seconds(40_000);
const nothing = (): void => {};
