/** Many threads at once: operations on one directory are serialised, and so are the blocks of one file. */
import type { Task, Thread } from '@backplane/engine';
import { kindOf } from '@backplane/slots/testing';
import { digest, filled } from '../bytes.ts';
import { type Check, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { contentOf, plainDirectory, plainFile, World } from './world.ts';

/** Runs tasks at once; how each ended. */
function* atOnce(world: World, tasks: readonly Task<unknown>[]): Task<string[]> {
  const threads: Thread<string>[] = tasks.map((t) => world.rig.spawn('server', kindOf(t)));
  const ended: string[] = [];
  for (const t of threads) ended.push(yield* t.join());
  return ended;
}

const count = (all: readonly string[], kind: string): number => all.filter((k) => k === kind).length;

export const sharingClauses = ({ boards }: Bounds): readonly Check[] => [
  {
    name: 'threads that make, link, rename and remove in one directory at once all succeed',
    run: () => {
      const world = new World(boards);
      const { storage: s } = world;
      world.run(function* () {
        const d = yield* s.create(s.root, 'd', plainDirectory);
        const e = yield* s.create(s.root, 'e', plainDirectory);
        const ended = yield* atOnce(
          world,
          Array.from({ length: 30 }, function* (_, i): Task<void> {
            const f = yield* s.create(d, `f${i}`, plainFile);
            yield* s.link(d, `g${i}`, f);
            yield* s.rename(d, `f${i}`, e, `f${i}`);
            if (i % 2 === 0) yield* s.unlink(d, `g${i}`, { directory: false });
          }),
        );
        same('threads that succeeded', count(ended, 'ok'), 30);
        same('entries', [(yield* s.entries(d)).length, (yield* s.entries(e)).length], [15, 30]);
      });
    },
  },
  {
    name: 'of threads that make the same name at once, one succeeds and the others get exists',
    run: () => {
      const world = new World(boards);
      const { storage: s } = world;
      world.run(function* () {
        const ended = yield* atOnce(
          world,
          Array.from({ length: 8 }, () => s.create(s.root, 'same', plainFile)),
        );
        same('ok and exists', [count(ended, 'ok'), count(ended, 'exists')], [1, 7]);
        same('entries', (yield* s.entries(s.root)).length, 1);
      });
    },
  },
  {
    name: 'of threads that remove the same name at once, one succeeds and the others get notFound',
    run: () => {
      const world = new World(boards);
      const { storage: s } = world;
      world.run(function* () {
        yield* s.create(s.root, 'same', plainFile);
        const ended = yield* atOnce(
          world,
          Array.from({ length: 8 }, () => s.unlink(s.root, 'same', { directory: false })),
        );
        same('ok and notFound', [count(ended, 'ok'), count(ended, 'notFound')], [1, 7]);
      });
    },
  },
  {
    name: 'threads that rename directories into one another at once never make a loop',
    run: () => {
      const world = new World(boards);
      const { storage: s } = world;
      world.run(function* () {
        const [a, b] = [
          yield* s.create(s.root, 'a', plainDirectory),
          yield* s.create(s.root, 'b', plainDirectory),
        ];
        const ended = yield* atOnce(world, [s.rename(s.root, 'a', b, 'a'), s.rename(s.root, 'b', a, 'b')]);
        same('renames that succeeded', count(ended, 'ok'), 1);
        same('entries of the root', (yield* s.entries(s.root)).length, 1);
      });
    },
  },
  {
    name: 'threads that write the same block at once each find their bytes there',
    run: () => {
      const world = new World(boards);
      const { storage: s } = world;
      world.run(function* () {
        const f = yield* s.create(s.root, 'f', plainFile);
        const expected = new Uint8Array(40 * 700);
        yield* atOnce(
          world,
          Array.from({ length: 40 }, (_, i) => {
            expected.fill(i + 1, i * 700, (i + 1) * 700);
            return s.write(f, i * 700, filled(700, i + 1), i % 5 === 0 ? 'through' : 'delayed');
          }),
        );
        same('the file', digest(yield* contentOf(s, f)), digest(expected));
      });
    },
  },
];
