/** Renaming: what may replace what, and that the new name is never missing. */
import { sleep, us } from '@backplane/engine';
import { filled } from '../bytes.ts';
import { type Check, holds, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { fails, plainDirectory, plainFile, sameFile, tried, World } from './world.ts';

export const renameClauses = ({ boards }: Bounds): readonly Check[] => [
  {
    name: 'rename moves a file to another name and directory',
    run: () =>
      tried(boards, function* (s) {
        const d = yield* s.create(s.root, 'd', plainDirectory);
        const f = yield* s.create(s.root, 'f', plainFile);
        const { file, replaced } = yield* s.rename(s.root, 'f', d, 'g');
        holds('it tells which file it was', sameFile(file, f));
        same('replaced', replaced === undefined, true);
        same('the old name', (yield* s.lookup(s.root, 'f')) === undefined, true);
        holds('the new name', sameFile(yield* s.lookup(d, 'g'), f));
        same('links', (yield* s.attributes(f)).links, 1);
      }),
  },
  {
    name: 'a directory that moves has another ".."; both parents count it',
    run: () =>
      tried(boards, function* (s) {
        const [a, b] = [
          yield* s.create(s.root, 'a', plainDirectory),
          yield* s.create(s.root, 'b', plainDirectory),
        ];
        const d = yield* s.create(a, 'd', plainDirectory);
        yield* s.rename(a, 'd', b, 'e');
        holds('..', sameFile(yield* s.lookup(d, '..'), b));
        same('links of both', [(yield* s.attributes(a)).links, (yield* s.attributes(b)).links], [2, 3]);
      }),
  },
  {
    name: 'rename replaces what was there, tells which and with how many links left, and frees nothing',
    run: () =>
      tried(boards, function* (s) {
        yield* s.create(s.root, 'f', plainFile);
        const old = yield* s.create(s.root, 'g', plainFile);
        yield* s.link(s.root, 'h', old);
        yield* s.write(old, 0, filled(100, 1), 'delayed');
        const first = yield* s.rename(s.root, 'f', s.root, 'g');
        same('links left', first.replaced?.linksLeft ?? null, 1);
        const second = yield* s.rename(s.root, 'g', s.root, 'h');
        same('links left', second.replaced?.linksLeft ?? null, 0);
        holds('which', sameFile(second.replaced?.file, old));
        same('bytes still there', (yield* s.read(old, 0, 1000)).length, 100);
      }),
  },
  {
    name: 'two names of one file: nothing happens',
    run: () =>
      tried(boards, function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* s.link(s.root, 'g', f);
        for (const [from, to] of [
          ['f', 'g'],
          ['f', 'f'],
        ] as const)
          same(
            `replaced by ${from} to ${to}`,
            (yield* s.rename(s.root, from, s.root, to)).replaced === undefined,
            true,
          );
        same(
          'names',
          (yield* s.entries(s.root)).map((e) => e.name),
          ['f', 'g'],
        );
        same('links', (yield* s.attributes(f)).links, 2);
      }),
  },
  {
    name: 'a directory replaces only an empty directory, another object only one that is no directory',
    run: () =>
      tried(boards, function* (s) {
        const d = yield* s.create(s.root, 'd', plainDirectory);
        const full = yield* s.create(s.root, 'full', plainDirectory);
        yield* s.create(full, 'x', plainFile);
        const empty = yield* s.create(s.root, 'empty', plainDirectory);
        yield* s.create(s.root, 'f', plainFile);
        yield* fails('a directory with entries', s.rename(s.root, 'd', s.root, 'full'), 'notEmpty');
        yield* fails('a file by a directory', s.rename(s.root, 'd', s.root, 'f'), 'notDirectory');
        yield* fails('a directory by a file', s.rename(s.root, 'f', s.root, 'empty'), 'isDirectory');
        const { replaced } = yield* s.rename(s.root, 'd', s.root, 'empty');
        holds('the empty one was replaced', sameFile(replaced?.file, empty));
        holds('by d', sameFile(yield* s.lookup(s.root, 'empty'), d));
        same('links of the root', (yield* s.attributes(s.root)).links, 4);
      }),
  },
  {
    name: 'rename refuses: notFound, and badArgument into its own subtree and for "." and ".."',
    run: () =>
      tried(boards, function* (s) {
        const d = yield* s.create(s.root, 'd', plainDirectory);
        const e = yield* s.create(d, 'e', plainDirectory);
        yield* s.create(s.root, 'f', plainFile);
        yield* fails('no such name', s.rename(s.root, 'x', s.root, 'y'), 'notFound');
        yield* fails('into itself', s.rename(s.root, 'd', d, 'x'), 'badArgument');
        yield* fails('into what is below it', s.rename(s.root, 'd', e, 'x'), 'badArgument');
        for (const dot of ['.', '..']) {
          yield* fails(`"${dot}" as the old name`, s.rename(d, dot, s.root, 'x'), 'badArgument');
          yield* fails(`"${dot}" as the new name`, s.rename(s.root, 'f', d, dot), 'badArgument');
        }
        const f = yield* s.create(s.root, 'g', plainFile);
        yield* fails('a file as a directory', s.rename(s.root, 'f', f, 'x'), 'notDirectory');
      }),
  },
  {
    name: 'the new name is never missing while it is replaced',
    run: () => {
      const world = new World(boards);
      const { storage: s } = world;
      world.run(function* () {
        yield* s.create(s.root, 'target', plainFile);
      });
      let renaming = true;
      let looks = 0;
      const watcher = world.rig.spawn(
        'server',
        (function* () {
          for (; renaming; looks++) {
            holds('the name is there', (yield* s.lookup(s.root, 'target')) !== undefined);
            yield* sleep(us(500));
          }
        })(),
      );
      world.run(function* () {
        for (let i = 0; i < 30; i++) {
          const f = yield* s.create(s.root, `new ${i}`, plainFile);
          yield* s.write(f, 0, filled(3000, i), i % 3 === 0 ? 'through' : 'delayed');
          const { replaced } = yield* s.rename(s.root, `new ${i}`, s.root, 'target');
          if (replaced?.linksLeft === 0) yield* s.reclaim(replaced.file);
          yield* sleep(us(100));
        }
        renaming = false;
        yield* watcher.join();
      });
      holds('it was looked for', looks > 5);
    },
  },
];
