/** Whatever the bytes of an image are: checking, dumping and attaching it end, and throw nothing but errors of the kernel. */
import type { Task } from '@backplane/engine';
import { ImageDisk, storageNamed, withStorage } from '@backplane/lab';
import { type FileId, isBackplaneError, isKernelError, type Storage } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { mutated, structured } from './mutate.ts';
import { type Bytes, randomOf, seededImage, storages } from './seeded.ts';

const images = process.env['BACKPLANE_FULL'] === undefined ? 25 : 5000;
const imagesPerBase = 50;
/** More than a sound image of this size needs, and far fewer than there are in a loop. */
const requestsMax = 50_000;
const recordsMax = 200_000;

describe.each(storages)('%s, with bytes changed', (storage) => {
  const { format, board } = storageNamed(storage);

  it('is checked, dumped and attached without more than findings and errors', {
    timeout: 1_800_000,
  }, async () => {
    let base: Bytes | undefined;
    let sectors: readonly number[] = [];
    let unsound = 0;
    for (let seed = 1; seed <= images; seed++) {
      if (base === undefined || seed % imagesPerBase === 0) {
        base = await seededImage(storage, seed, 40, seed % 3 === 0);
        sectors = structured(format, base);
      }
      const image = mutated(base, sectors, randomOf(seed));
      try {
        format.recognizes(image);
        if (format.audit(image).length > 0) unsound++;
        let records = 0;
        for (const { rows } of format.dump(image)) {
          records += rows().length > 0 ? 1 : 0;
          if (records > recordsMax) throw new Error(`more than ${recordsMax} records`);
        }
        await attach(image);
      } catch (e) {
        throw new Error(`${storage}, seed ${seed}`, { cause: e });
      }
    }
    expect(unsound).toBeGreaterThan(images / 3);
  });

  async function attach(image: Bytes): Promise<void> {
    const disk = new ImageDisk(image.sectors, image);
    let requests = 0;
    disk.addRule({
      name: 'a bound',
      judge: () => {
        if (++requests > requestsMax) throw new Error(`more than ${requestsMax} requests to the disk`);
        return 'pass';
      },
    });
    try {
      await withStorage({ disk, board, turn: () => {} }, ({ storage: s }) => walk(s));
    } catch (e) {
      // Cut off before its superblock it is an empty disk, and too small for a file system.
      if (!isBackplaneError(e) || e.code !== 'DISK_TOO_SMALL') throw e;
    }
  }
});

/** Looks at everything that can be reached, and makes something new. */
function* walk(s: Storage): Task<void> {
  const entered = new Set<number>();
  const queue: FileId[] = [s.root];
  for (const folder of queue) {
    if (entered.has(folder.number)) continue;
    entered.add(folder.number);
    for (const { file } of (yield* tried(s.entries(folder))) ?? []) {
      const a = yield* tried(s.attributes(file));
      if (a?.type === 'directory') queue.push(file);
      else if (a !== undefined)
        for (const at of [0, Math.max(0, a.sizeBytes - 10_000)]) yield* tried(s.read(file, at, 10_000));
    }
  }
  const made = yield* tried(s.create(s.root, 'new', { type: 'file', mode: 0o644, uid: 0, gid: 0 }));
  if (made !== undefined) yield* tried(s.write(made, 0, new Uint8Array(10_000).fill(1), 'through'));
  yield* tried(s.sync());
}

function* tried<T>(body: Task<T>): Task<T | undefined> {
  try {
    return yield* body;
  } catch (e) {
    if (!isKernelError(e)) throw e;
    return undefined;
  }
}
