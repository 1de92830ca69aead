import { type RandomStream, sleep, type Task } from '@backplane/engine';
import { Driver, Durable } from '@backplane/file-service/testing';
import { type FileId, isKernelError, type NewFile, type Storage } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { runs } from './seeds.ts';
import { trial, type WorldOptions } from './world.ts';

const folder: NewFile = { type: 'directory', mode: 0o755, uid: 0, gid: 0 };

/** Moves files and directories about among a few names that others use at the same time, whatever comes of it. */
function* stir(s: Storage, at: FileId, random: RandomStream, steps: number): Task<void> {
  const names = ['p', 'q', 'r'];
  for (let i = 0; i < steps; i++) {
    try {
      let from = at;
      let to = at;
      for (let depth = random.below(3); depth > 0; depth--) {
        from = (yield* s.lookup(from, random.pick(names))) ?? from;
        to = (yield* s.lookup(to, random.pick(names))) ?? to;
      }
      const name = random.pick(names);
      const what = random.below(6);
      if (what === 0) yield* s.create(from, name, folder);
      else if (what === 1) {
        const f = yield* s.create(from, name, { ...folder, type: 'file' });
        yield* s.write(f, random.below(9000), pattern(3000, i), random.pick(['delayed', 'soon', 'through']));
      } else if (what === 2) {
        const { replaced } = yield* s.rename(from, name, to, random.pick(names));
        if (replaced?.linksLeft === 0) yield* s.reclaim(replaced.file);
      } else if (what === 3) {
        const { file, linksLeft } = yield* s.unlink(from, name, { directory: random.chance(0.5) });
        if (linksLeft === 0) yield* s.reclaim(file);
      } else if (what === 4) yield* s.entries(from);
      else yield* s.sync(from);
      if (random.chance(0.1)) yield* sleep(random.below(50_000_000));
    } catch (e) {
      if (!isKernelError(e)) throw e;
      if (e.kind === 'ioError') throw e;
    }
  }
}

const kinds: [string, WorldOptions][] = [
  ['with a cache that is small', { sectors: 3000, cachePlaces: 12 }],
  ['with metadata written through', { sectors: 3000, metadata: 'synchronous', cachePlaces: 60 }],
  ['on a disk that is nearly full', { sectors: 900, cachePlaces: 30 }],
];

describe('many threads at once', () => {
  it.each(kinds)('all come to their end, and each finds its own as it left it (%s)', (_, o) => {
    for (let seed = 1; seed <= runs(1); seed++) {
      const w = trial.world({
        latencyNs: 3_000_000,
        cacheWriteNs: 100_000,
        writeDelaySeconds: 0.3,
        ...o,
        seed,
      });
      w.attach();
      const s = w.storage;
      const random = w.engine.random('threads');
      const drivers: Driver[] = [];
      let ended = 0;
      const all = 7;
      w.run(
        (function* (): Task<void> {
          for (let i = 0; i < 4; i++) {
            const root = yield* s.create(s.root, `own${i}`, folder);
            const options = { bytesMax: 60_000, maySpill: true };
            const driver = new Driver(() => s, w.engine.random('operations', `${i}`), options, root);
            drivers.push(driver);
            w.boot.spawn(
              `driver${i}`,
              (function* (): Task<void> {
                for (let step = 0; step < 60; step++) yield* driver.step();
                yield* driver.closeAll();
                yield* driver.compareTree();
                ended++;
              })(),
            );
          }
          const shared = yield* s.create(s.root, 'shared', folder);
          for (let i = 0; i < 3; i++)
            w.boot.spawn(
              `stir${i}`,
              (function* (): Task<void> {
                yield* stir(s, shared, random, 60);
                ended++;
              })(),
            );
          for (let waited = 0; ended < all && waited < 2000; waited++) yield* sleep(1_000_000_000);
        })(),
      );
      expect(ended, `seed ${seed}`).toBe(all);
      w.run(s.sync());
      expect(w.check(), `seed ${seed}`).toEqual([]);
      w.reboot();
      expect(w.check(), `seed ${seed}`).toEqual([]);
      for (const d of drivers) expect(d.log.length).toBeGreaterThan(20);
    }
  });

  it.each(kinds)('lose nothing that was on the disk when the power fails (%s)', (_, o) => {
    let held = 0;
    for (let seed = 1; seed <= runs(2); seed++) {
      const w = trial.world({
        latencyNs: 3_000_000,
        cacheWriteNs: 100_000,
        writeDelaySeconds: 0.3,
        ...o,
        seed,
      });
      w.attach();
      const s = w.storage;
      const random = w.engine.random('threads');
      const kept: Durable[] = [];
      w.run(
        (function* (): Task<void> {
          for (let i = 0; i < 4; i++) {
            const root = yield* s.create(s.root, `own${i}`, folder);
            const options = { bytesMax: 60_000, maySpill: true };
            const driver = new Driver(() => s, w.engine.random('operations', `${i}`), options, root);
            const durable = new Durable(driver.model);
            driver.touching = (node, name) => durable.touch(node, name);
            driver.synced = (node) => durable.promise(node);
            kept.push(durable);
            w.boot.spawn(
              `driver${i}`,
              (function* (): Task<void> {
                for (;;) {
                  yield* driver.step();
                  yield* sleep(random.below(20_000_000));
                }
              })(),
            );
          }
          yield* s.sync();
          w.boot.spawn('stir', stir(s, yield* s.create(s.root, 'shared', folder), random, 1000));
        })(),
      );
      w.engine.run(w.engine.nowNs + random.below(5_000_000_000));
      w.crash();
      w.attach();
      expect(w.check(), `seed ${seed}`).toEqual([]);
      for (const [i, durable] of kept.entries()) {
        const root = w.run(w.storage.lookup(w.storage.root, `own${i}`));
        if (root === undefined) throw new Error(`seed ${seed}: own${i} is lost`);
        held += w.run(durable.verify(w.storage, root));
      }
    }
    expect(held).toBeGreaterThan(0);
  });
});
