/** Images with a history: a seed decides what was done to the storage before it was halted, or lost its power. */
import { Engine, type RandomStream, seconds, sleep, type Task } from '@backplane/engine';
import { ImageDisk, storageNamed, withStorage } from '@backplane/lab';
import { type DiskImage, type FileId, isKernelError, type Storage } from '@backplane/slots';

/** On a medium that is written once; it is full after a while. */
export const onceOnly = 'lfs:segmentBytes=131072,medium=write-once';

/** Storages under test, as `--storage` takes them: with segments so small that an image has many. */
export const storages: readonly string[] = [
  'lfs:segmentBytes=65536',
  'lfs:segmentBytes=65536,fileBlockBytes=16384,compressAfterSeconds=0.001,checkpointBytes=200000',
  onceOnly,
  'ofs',
];

export const sectors = 8192;

export class Bytes implements DiskImage {
  readonly sectorBytes = 512;
  readonly sectors: number;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.sectors = bytes.length / 512;
  }

  read(sector: number, count: number): Uint8Array {
    if (!(Number.isInteger(sector) && sector >= 0 && count >= 0 && sector + count <= this.sectors))
      throw new Error(`sectors ${sector}+${count} of ${this.sectors} were read`);
    return this.bytes.subarray(sector * 512, (sector + count) * 512);
  }
}

export const randomOf = (seed: number): RandomStream => new Engine({ seed }).random('images');

/** What a storage has made of an empty disk in so many steps. @param cut the power fails after the last one */
export async function seededImage(storage: string, seed: number, steps: number, cut = false): Promise<Bytes> {
  const disk = new ImageDisk(sectors, null);
  const { board } = storageNamed(storage);
  let atCut: Uint8Array | undefined;
  await withStorage({ disk, board, turn: () => {} }, function* ({ storage: s }) {
    const history = new History(s, randomOf(seed), storage !== onceOnly);
    for (let i = 0; i < steps; i++) yield* history.step();
    atCut = cut ? disk.inspect(0, sectors) : undefined;
  });
  return new Bytes(atCut ?? disk.inspect(0, sectors));
}

/** Steps of a user who keeps within a few directories. */
class History {
  readonly #storage: Storage;
  readonly #random: RandomStream;
  /** What is written once has nothing to clean. */
  readonly #cleans: boolean;
  readonly #folders: FileId[];

  constructor(storage: Storage, random: RandomStream, cleans: boolean) {
    this.#cleans = cleans;
    this.#storage = storage;
    this.#random = random;
    this.#folders = [storage.root];
  }

  *step(): Task<void> {
    try {
      yield* this.#oneOf(this.#random.below(17));
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
  }

  *#oneOf(which: number): Task<void> {
    const s = this.#storage;
    const random = this.#random;
    const folder = random.pick(this.#folders);
    const name = `name ${random.below(12)}`;
    const plain = { mode: 0o644, uid: random.below(3), gid: 0 };
    const file = yield* s.lookup(folder, name);
    switch (which) {
      case 0:
        if (this.#folders.length < 6)
          this.#folders.push(yield* s.create(folder, `folder ${name}`, { ...plain, type: 'directory' }));
        return;
      case 1:
        yield* s.create(folder, `link ${name}`, {
          ...plain,
          type: 'symlink',
          target: 'x'.repeat(random.below(900)),
        });
        return;
      case 2:
        if (file !== undefined) yield* s.link(random.pick(this.#folders), `other ${name}`, file);
        return;
      case 3: {
        const { file: gone, linksLeft } = yield* s.unlink(folder, name, { directory: false });
        if (linksLeft === 0) yield* s.reclaim(gone);
        return;
      }
      case 4: {
        const { replaced } = yield* s.rename(
          folder,
          name,
          random.pick(this.#folders),
          `name ${random.below(12)}`,
        );
        if (replaced?.linksLeft === 0) yield* s.reclaim(replaced.file);
        return;
      }
      case 5:
        if (file !== undefined) yield* s.truncate(file, random.below(60_000));
        return;
      case 6:
        yield* s.sync(file);
        return;
      case 7:
        yield* s.sync();
        return;
      case 8:
        yield* s.checkpoint?.() ?? s.sync();
        return;
      case 9:
        yield* sleep(seconds(10 * random.below(4)));
        return;
      case 10:
        if (this.#cleans && random.chance(0.3)) yield* s.clean?.() ?? s.sync();
        return;
      default: {
        const to = file ?? (yield* s.create(folder, name, { ...plain, type: 'file' }));
        const bytes = new Uint8Array(1 + random.below(20_000)).fill(1 + which);
        yield* s.write(to, random.chance(0.2) ? random.below(200_000) : 0, bytes, 'delayed');
      }
    }
  }
}
