/**
 * `creates`: files of 1 KB made and written through the storage contract, on a machine of no cost and a disk in memory,
 * and all of them on that disk at the end. A unit is a file. The stores beside it do the same work in the same run.
 */
import type { Task } from '@backplane/engine';
import { ImageDisk, parseSetting, withStorage } from '@backplane/lab';
import { type Line, rounded } from './line.ts';

const files = 30_000;
/** What is written once more, before the clock runs, so that the code is compiled. */
const warmup = 10_000;
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
    const directory = yield* storage.create(storage.root, 'd', { ...own, type: 'directory' });
    let made = 0;
    const make = function* (count: number): Task<void> {
      for (let i = 0; i < count; i++) {
        const file = yield* storage.create(directory, `file ${made++}`, { ...own, type: 'file' });
        yield* storage.write(file, 0, bytes, 'delayed');
      }
      yield* storage.sync();
    };
    yield* make(warmup);
    const before = process.cpuUsage();
    const startedMs = performance.now();
    yield* make(files);
    const used = process.cpuUsage(before);
    const cpu = (used.user + used.system) / 1e6;
    const { length } = yield* storage.entries(directory);
    return {
      name: `creates ${entry.short}`,
      units: files,
      sec: rounded((performance.now() - startedMs) / 1000),
      cpu: rounded(cpu),
      rate: Math.round(files / cpu),
      check: `${length} files`,
    };
  });
}
