/**
 * `creates`: files of 1 KB made and written through the storage contract, on a machine of no cost and a disk in memory,
 * and all of them on that disk at the end. A unit is a file. The stores beside it do the same work in the same run.
 */
import type { Task } from '@backplane/engine';
import { ImageDisk, parseSetting, withStorage } from '@backplane/lab';
import type { NewFile } from '@backplane/slots';
import { type Line, rounded } from './line.ts';

/** What is measured, and what is written before, so that the code is compiled. */
export const createsSize = { files: 30_000, warmup: 10_000 } as const;
const sectors = 400_000;

export const otherStores: readonly string[] = ['memory', 'ofs:bytesPerFile=2048'];
export const ownStore = 'lfs:bytesPerFile=2048';

export async function creates(store: string): Promise<Line> {
  const { entry, options } = parseSetting(`storage=${store}`);
  const board = entry.make(options);
  const disk = new ImageDisk(sectors, null);
  return await withStorage({ disk, board, turn: () => {} }, function* ({ storage }): Task<Line> {
    const bytes = new Uint8Array(1024).fill(7);
    const own = { mode: 0o644, uid: 0, gid: 0 };
    const newFile: NewFile = { type: 'file', ...own };
    const directory = yield* storage.create(storage.root, 'd', { type: 'directory', ...own });
    let made = 0;
    const make = function* (count: number): Task<void> {
      for (let i = 0; i < count; i++) {
        const file = yield* storage.create(directory, `file ${made++}`, newFile);
        yield* storage.write(file, 0, bytes, 'delayed');
      }
      yield* storage.sync();
    };
    yield* make(createsSize.warmup);
    const before = process.cpuUsage();
    const startedMs = performance.now();
    yield* make(createsSize.files);
    const used = process.cpuUsage(before);
    const cpu = (used.user + used.system) / 1e6;
    const { length } = yield* storage.entries(directory);
    return {
      name: `creates ${entry.short}`,
      units: createsSize.files,
      sec: rounded((performance.now() - startedMs) / 1000),
      cpu: rounded(cpu),
      rate: Math.round(createsSize.files / cpu),
      check: `${length} files`,
    };
  });
}
