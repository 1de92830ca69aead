/** A machine with one drive and nothing else. */
import { Engine, type Scope, type Task } from '@backplane/engine';
import { type Disk, hostId, type Machine, type MachineCosts, type Metrics, natives } from '@backplane/slots';
import {
  type DriveFigures,
  type DriveOptions,
  drive,
  driveProfiles,
  type ProfileName,
} from '../src/index.ts';

export class Meters implements Metrics {
  readonly #readers = new Map<string, () => number>();

  register(name: string, read: () => number): () => void {
    this.#readers.set(name, read);
    return () => this.#readers.delete(name);
  }

  read(name: string): number {
    const read = this.#readers.get(name);
    if (read === undefined) throw new Error(`no meter ${name}`);
    return read();
  }
}

export class World {
  readonly engine: Engine;
  readonly meters: Meters = new Meters();
  readonly disk: Disk;
  /** The boot: dies at a crash, unlike the drive. */
  boot: Scope;
  readonly #machineScope: Scope;
  readonly #board: ReturnType<typeof drive>;

  constructor(options: DriveOptions = {}, seed = 1) {
    this.engine = new Engine({ seed });
    this.#machineScope = this.engine.root.child('allspice');
    this.boot = this.#machineScope.child('boot');
    const machine: Machine = {
      name: 'allspice',
      host: hostId(1),
      role: 'server',
      bootId: 1,
      scope: this.#machineScope,
      engine: this.engine,
      metrics: this.meters,
      natives: natives(),
      random: (purpose) => this.engine.random(purpose, 'allspice'),
      type: {
        name: 'test',
        description: 'a machine without costs',
        processors: 1,
        memoryBytes: 1 << 20,
        pageBytes: 4096,
        costs: {} as MachineCosts, // boundary: a drive reads none
        sources: {} as Machine['type']['sources'],
      },
    };
    this.#board = drive(options);
    this.disk = this.#board.create({} as never, machine);
  }

  /** Runs a thread of the machine to its end. */
  run<T>(body: Task<T>): T {
    const ended: { value?: T } = {};
    this.boot.spawn('test', keep(body, ended));
    this.engine.run();
    if (!('value' in ended)) throw new Error('the thread never ended');
    return ended.value as T;
  }

  /** Power off at an instant: no statement of the boot runs again, and the hardware is reset. */
  crashAt(timeNs: number): void {
    this.engine.run(timeNs);
    this.boot.crash();
    this.#board.reset?.(this.disk);
    this.boot = this.#machineScope.child('next boot');
  }
}

function* keep<T>(body: Task<T>, ended: { value?: T }): Task<void> {
  ended.value = yield* body;
}

export function figuresOf(name: ProfileName): DriveFigures {
  const profile = driveProfiles.find((p) => p.name === name);
  if (!profile?.figures) throw new Error(`no figures of ${name}`);
  return profile.figures;
}

/** Sectors that tell which they are: of the number given, in each of their words. */
export function sectorsOf(count: number, mark: number): Uint8Array {
  const bytes = new Uint8Array(512 * count);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (mark + Math.floor(i / 512)) & 0xff;
  return bytes;
}

/** Index of the first byte that differs; -1 when none does. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i;
  return -1;
}
