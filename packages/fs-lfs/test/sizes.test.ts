import type { Task } from '@backplane/engine';
import type { FileId } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { trial } from './world.ts';

const own = { mode: 0o755, uid: 0, gid: 0 } as const;

describe('what is large', () => {
  it('is a directory of 100,000 names, found again after a reboot', () => {
    const w = trial.world({ segmentBytes: 262_144, sectors: 65_536 });
    w.attach();
    const names = 100_000;
    w.run(
      (function* (): Task<void> {
        const { storage } = w;
        const d = yield* storage.create(storage.root, 'd', { ...own, type: 'directory' });
        let f: FileId | null = null;
        for (let i = 0; i < names; i++) {
          const name = `name ${i}`;
          // A file has at most 32,767 names.
          if (f === null || i % 30_000 === 0) f = yield* storage.create(d, name, { ...own, type: 'file' });
          else yield* storage.link(d, name, f);
        }
      })(),
    );
    w.reboot();
    w.run(
      (function* (): Task<void> {
        const { storage } = w;
        const d = yield* storage.lookup(storage.root, 'd');
        if (d === undefined) throw new Error('the directory is gone');
        expect(yield* storage.entries(d)).toHaveLength(names);
        expect(yield* storage.lookup(d, 'name 99999')).toEqual(yield* storage.lookup(d, 'name 90000'));
        expect(yield* storage.lookup(d, 'name 100000')).toBeUndefined();
        for (let i = 0; i < names; i += 2) yield* storage.unlink(d, `name ${i}`, { directory: false });
        yield* storage.sync();
        expect(yield* storage.entries(d)).toHaveLength(names / 2);
      })(),
    );
    expect(w.check()).toEqual([]);
  });

  it('is a tree of 400 levels, moved below another', () => {
    const w = trial.world({ segmentBytes: 65_536 });
    w.attach();
    const levels = 400;
    w.run(
      (function* (): Task<void> {
        const { storage } = w;
        const top = yield* storage.create(storage.root, 'top', { ...own, type: 'directory' });
        let at = storage.root;
        for (let i = 0; i < levels; i++)
          at = yield* storage.create(at, 'down', { ...own, type: 'directory' });
        yield* storage.rename(storage.root, 'down', top, 'down');
      })(),
    );
    const down = w.run(w.storage.lookup(w.storage.root, 'top'));
    expect(down).toBeDefined();
    w.reboot();
    w.run(
      (function* (): Task<void> {
        const { storage } = w;
        let at = yield* storage.lookup(storage.root, 'top');
        for (let i = 0; i < levels && at !== undefined; i++) at = yield* storage.lookup(at, 'down');
        expect(at).toBeDefined();
        for (let up = 0; up <= levels && at !== undefined; up++) at = yield* storage.lookup(at, '..');
        expect(at).toEqual(storage.root);
      })(),
    );
    expect(w.check()).toEqual([]);
  });

  it('is a file with a byte at the end of 4 GB, and holes before it', () => {
    const w = trial.world({ segmentBytes: 65_536 });
    w.attach();
    const last = 0xffff_fffe;
    const f = w.run(w.storage.create(w.storage.root, 'f', { ...own, type: 'file' }));
    w.run(w.storage.write(f, last, new Uint8Array([7]), 'through'));
    expect(w.kindOf(w.storage.write(f, last + 1, new Uint8Array([8]), 'through'))).toBe('tooLarge');
    w.reboot();
    expect([...w.run(w.storage.read(f, last - 1, 10))]).toEqual([0, 7]);
    expect([...w.run(w.storage.read(f, 1_000_000_000, 3))]).toEqual([0, 0, 0]);
    w.run(w.storage.truncate(f, 5));
    w.run(w.storage.sync());
    expect(w.check()).toEqual([]);
  });
});
