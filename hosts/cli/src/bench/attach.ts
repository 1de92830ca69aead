/**
 * `attach`: a disk of 300 MB that a crash has left behind is opened: four fifths of it full of files of 4 to 16 KB, the
 * last of them in the log after the checkpoint. A unit is a megabyte of the disk; the machine and the disk take no time.
 * The filling is not measured, and is done once: each measurement has the same disk.
 */
import type { Task } from '@backplane/engine';
import { ImageDisk, parseSetting, withStorage } from '@backplane/lab';
import type { FileId, Storage } from '@backplane/slots';
import { type Line, rounded } from './line.ts';

const megabytes = 300;
const diskBytes = megabytes * 1e6;
/** Of the disk: files, and what of them the last checkpoint does not have. */
const filledShare = 0.8;
const tailShare = 0.1;
const store = 'lfs:bytesPerFile=4096,utilisationMax=0.95';
const filesInDirectory = 500;

/** What the crash has left. */
export interface LeftDisk {
  readonly disk: ImageDisk;
  readonly files: number;
  /** Of them, those that the checkpoint does not have. */
  readonly tailFiles: number;
}

class Crash extends Error {}

/** @throws Error when the store is no log */
export async function leftByCrash(): Promise<LeftDisk> {
  const disk = new ImageDisk(Math.floor(diskBytes / 512), null);
  let files = 0;
  let tailFiles = 0;
  try {
    await withStorage({ disk, board: boardOf(), turn: () => {} }, function* ({ storage }): Task<never> {
      if (storage.checkpoint === undefined) throw new Error(`${store} makes no checkpoints`);
      const filling = new Filling(storage);
      yield* filling.add((filledShare - tailShare) * diskBytes);
      yield* storage.checkpoint();
      tailFiles = -filling.files;
      yield* filling.add(tailShare * diskBytes);
      yield* storage.sync();
      ({ files } = filling);
      tailFiles += files;
      throw new Crash();
    });
  } catch (e) {
    if (!(e instanceof Crash)) throw e;
  }
  return { disk, files, tailFiles };
}

const own = { mode: 0o644, uid: 0, gid: 0 };

class Filling {
  files = 0;
  readonly #storage: Storage;
  #directory: FileId | null = null;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Files of so many bytes together: 4, 8, 12 and 16 KB in turn. */
  *add(bytes: number): Task<void> {
    const storage = this.#storage;
    for (let added = 0; added < bytes; ) {
      if (this.#directory === null || this.files % filesInDirectory === 0)
        this.#directory = yield* storage.create(storage.root, `d${this.files}`, {
          ...own,
          type: 'directory',
        });
      const content = new Uint8Array(4096 * (1 + (this.files % 4))).fill(1 + (this.files % 255));
      const file = yield* storage.create(this.#directory, `file ${this.files}`, { ...own, type: 'file' });
      yield* storage.write(file, 0, content, 'delayed');
      this.files++;
      added += content.length;
      if (this.files % filesInDirectory === 0) yield* storage.sync();
    }
  }
}

/** From the making of the machine until its storage serves. */
export async function attach({ disk: left, files, tailFiles }: LeftDisk): Promise<Line> {
  const { sectors, sectorBytes } = left;
  const below = { sectorBytes, sectors, read: (s: number, n: number) => left.inspect(s, n) };
  const disk = new ImageDisk(sectors, below);
  const before = process.cpuUsage();
  const startedMs = performance.now();
  return await withStorage({ disk, board: boardOf(), turn: () => {} }, function* ({ storage }): Task<Line> {
    const used = process.cpuUsage(before);
    const sec = rounded((performance.now() - startedMs) / 1000);
    const cpu = rounded((used.user + used.system) / 1e6);
    const found = yield* countFiles(storage);
    if (found !== files) throw new Error(`attach: ${found} files of ${files} are there`);
    return {
      name: 'attach lfs',
      units: megabytes,
      sec,
      cpu,
      rate: Math.round(megabytes / cpu),
      check: `${found} files, ${tailFiles} of them after the checkpoint`,
    };
  });
}

function boardOf(): Parameters<typeof withStorage>[0]['board'] {
  const { entry, options } = parseSetting(`storage=${store}`);
  return entry.make(options);
}

function* countFiles(storage: Storage): Task<number> {
  let files = 0;
  for (const { file } of yield* storage.entries(storage.root)) files += (yield* storage.entries(file)).length;
  return files;
}
