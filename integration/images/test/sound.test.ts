import { ImageDisk, storageNamed, withStorage } from '@backplane/lab';
import { isKernelError } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { Bytes, onceOnly, randomOf, sectors, seededImage, storages } from './seeded.ts';

const seeds = process.env['BACKPLANE_FULL'] === undefined ? 3 : 60;

describe.each(storages)('%s', (storage) => {
  const { format, board } = storageNamed(storage);
  const stepsMax = storage === onceOnly ? 40 : 140;

  it('is sound after an orderly halt, whatever was done before', async () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const image = await seededImage(storage, seed, Math.min(stepsMax, 50 + (seed % 5) * 45));
      expect(format.recognizes(image)).toBe(true);
      expect(format.audit(image), `seed ${seed}`).toEqual([]);
    }
  });

  it('is sound after a power failure and the recovery from it', async () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const image = await seededImage(storage, seed, Math.min(stepsMax, 20 + seed * 11), true);
      const disk = new ImageDisk(sectors, image);
      await withStorage({ disk, board, turn: () => {} }, ({ storage: s }) => s.sync());
      expect(format.audit(new Bytes(disk.inspect(0, sectors))), `seed ${seed}`).toEqual([]);
    }
  });
});

describe('a medium that is written once', () => {
  it('is never written twice, even when it is full', async () => {
    const written = new Uint8Array(sectors);
    const disk = new ImageDisk(sectors, null);
    disk.addRule({
      name: 'once',
      judge: (operation, sector, count) => {
        if (operation === 'write')
          for (let s = sector; s < sector + count; s++) written[s] = (written[s] ?? 0) + 1;
        return 'pass';
      },
    });
    const { board } = storageNamed(onceOnly);
    await withStorage({ disk, board, turn: () => {} }, function* ({ storage: s }) {
      const file = yield* s.create(s.root, 'file', { type: 'file', mode: 0o644, uid: 0, gid: 0 });
      try {
        for (let round = 0; round < 100; round++) {
          yield* s.write(file, 0, new Uint8Array(50_000).fill(1), 'through');
          yield* s.checkpoint?.() ?? s.sync();
          yield* s.clean?.() ?? s.sync();
        }
      } catch (e) {
        if (!isKernelError(e)) throw e;
        expect(e.kind).toBe('noSpace');
      }
    });
    expect(Math.max(...written)).toBe(1);
  });
});

describe('a log', () => {
  const storage = storages[0] ?? 'lfs';
  const { format } = storageNamed(storage);

  it('is sound at any moment, whether it has been recovered or not', async () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const image = await seededImage(storage, seed, 20 + seed * 17, true);
      expect(format.audit(image), `seed ${seed}`).toEqual([]);
    }
  });

  it('shows damage to any one sector with structures, but for its checkpoint regions and its end', async () => {
    const image = await seededImage(storage, 3, 200);
    const records = [...format.dump(image)].filter(
      (r) => !/region|addresses|after the checkpoint/.test(r.what),
    );
    const random = randomOf(1);
    const found = [...new Set(records.map((r) => r.sector))].filter((sector) => {
      const bytes = image.bytes.slice();
      const at = sector * 512 + random.below(512);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return format.audit(new Bytes(bytes)).length === 0;
    });
    expect(found).toEqual([]);
    expect(records.length).toBeGreaterThan(100);
  });
});
