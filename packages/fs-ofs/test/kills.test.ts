/** Programs that are killed at any instant of what they do to the storage. */
import { ms, sleep, type Task } from '@backplane/engine';
import { isKernelError, type Storage } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { runs } from './seeds.ts';
import { trial } from './world.ts';

const seeds = runs(15);

/** Makes, writes, cuts and removes files of its own. */
function* program(storage: Storage, name: string, below: (n: number) => number): Task<void> {
  for (let i = 0; ; i++) {
    const own = `${name}.${i}`;
    try {
      const file = yield* storage.create(storage.root, own, { type: 'file', mode: 0o644, uid: 0, gid: 0 });
      const when = below(2) === 0 ? 'through' : 'delayed';
      yield* storage.write(file, below(3) * 4096, new Uint8Array(1 + below(9000)).fill(i), when);
      if (below(3) === 0) yield* storage.truncate(file, below(5000));
      if (below(2) === 0) {
        const { linksLeft } = yield* storage.unlink(storage.root, own, { directory: false });
        if (linksLeft === 0) yield* storage.reclaim(file);
      }
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
    yield* sleep(ms(below(3)));
  }
}

describe('a program that is killed in the middle of an operation', () => {
  it.each(['delayed', 'synchronous'] as const)(
    'leaves a disk on which nothing is marked that no file has (%s names)',
    (metadata) => {
      for (let seed = 1; seed <= seeds; seed++) {
        const w = trial.world({ metadata, seed, latencyNs: ms(1), sectors: 8192 });
        w.attach();
        const random = w.engine.random('kills');
        w.run(
          (function* (): Task<void> {
            for (let round = 0; round < 12; round++) {
              const threads = [0, 1, 2].map((n) =>
                w.boot.spawn(
                  `p${n}`,
                  program(w.storage, `${round}.${n}`, (m) => random.below(m)),
                ),
              );
              for (const thread of threads) {
                yield* sleep(random.below(ms(20)));
                thread.cancel();
              }
            }
            yield* w.storage.sync();
          })(),
        );
        // A file that was killed between its last name and its end waits for the next repair.
        const found = w.check().filter((f) => f.kind !== 'orphan');
        expect(found, `seed ${seed}`).toEqual([]);
      }
    },
  );
});
