/** Directories: looking up, listing, making, linking, removing. */
import { componentBytesMax } from '@backplane/slots';
import { type Check, holds, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { fails, plainDirectory, plainFile, remove, sameFile, tried } from './world.ts';

export const nameClauses = ({ boards }: Bounds): readonly Check[] => [
  {
    name: 'the root is a directory whose "." and ".." are itself',
    run: () =>
      tried(boards, function* (s) {
        const { type, links } = yield* s.attributes(s.root);
        same('type and links', [type, links], ['directory', 2]);
        same('its domain', s.root.domain, s.domain);
        for (const dot of ['.', '..']) holds(dot, sameFile(yield* s.lookup(s.root, dot), s.root));
      }),
  },
  {
    name: 'lookup finds the file under a name, "." and ".." too, and undefined where there is none',
    run: () =>
      tried(boards, function* (s) {
        const d = yield* s.create(s.root, 'd', plainDirectory);
        const f = yield* s.create(d, 'f', plainFile);
        holds('f', sameFile(yield* s.lookup(d, 'f'), f));
        holds('.', sameFile(yield* s.lookup(d, '.'), d));
        holds('..', sameFile(yield* s.lookup(d, '..'), s.root));
        same('a name that nobody made', (yield* s.lookup(d, 'g')) === undefined, true);
        same('in another directory', (yield* s.lookup(s.root, 'f')) === undefined, true);
      }),
  },
  {
    name: 'entries are sorted by the bytes of their names, without "." and ".."',
    run: () =>
      tried(boards, function* (s) {
        // In UTF-16 the last two would be the other way round.
        const sorted = ['A', 'B', 'a', 'a!', 'aa', 'b', 'Ü', '\uffee', '\u{10300}'];
        for (const name of [3, 8, 0, 7, 5, 1, 6, 4, 2])
          yield* s.create(s.root, sorted[name] ?? '', plainFile);
        const entries = yield* s.entries(s.root);
        same(
          'names',
          entries.map((e) => e.name),
          sorted,
        );
        for (const { name, file } of entries) holds(name, sameFile(yield* s.lookup(s.root, name), file));
      }),
  },
  {
    name: 'a directory with a thousand entries finds and lists each',
    run: () =>
      tried(boards, function* (s) {
        const d = yield* s.create(s.root, 'd', plainDirectory);
        for (let i = 0; i < 1000; i++) yield* s.create(d, `entry ${i}`, plainFile);
        for (let i = 0; i < 1000; i += 2) yield* remove(s, d, `entry ${i}`);
        same('entries', (yield* s.entries(d)).length, 500);
        holds('one that is there', (yield* s.lookup(d, 'entry 777')) !== undefined);
        holds('one that was removed', (yield* s.lookup(d, 'entry 776')) === undefined);
      }),
  },
  {
    name: 'a file is no directory: notDirectory for lookup, entries, create, link and unlink in it',
    run: () =>
      tried(boards, function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* fails('lookup', s.lookup(f, 'x'), 'notDirectory');
        yield* fails('entries', s.entries(f), 'notDirectory');
        yield* fails('create', s.create(f, 'x', plainFile), 'notDirectory');
        yield* fails('link', s.link(f, 'x', f), 'notDirectory');
        yield* fails('unlink', s.unlink(f, 'x', { directory: false }), 'notDirectory');
      }),
  },
  {
    name: 'create refuses a name that is taken with exists',
    run: () =>
      tried(boards, function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* s.create(s.root, 'd', plainDirectory);
        for (const name of ['f', 'd', '.', '..'])
          yield* fails(`create "${name}"`, s.create(s.root, name, plainFile), 'exists');
        holds('f is the one that was there', sameFile(yield* s.lookup(s.root, 'f'), f));
      }),
  },
  {
    name: 'names go up to 255 bytes',
    run: () =>
      tried(boards, function* (s) {
        const longest = 'n'.repeat(componentBytesMax);
        yield* s.create(s.root, longest, plainFile);
        holds('the longest', (yield* s.lookup(s.root, longest)) !== undefined);
        yield* fails('one more', s.create(s.root, `${longest}n`, plainFile), 'nameTooLong');
        yield* fails('in two bytes a letter', s.create(s.root, 'Ü'.repeat(128), plainFile), 'nameTooLong');
      }),
  },
  {
    name: 'a directory that has been removed takes no entries: notFound',
    run: () =>
      tried(boards, function* (s) {
        const d = yield* s.create(s.root, 'd', plainDirectory);
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* s.unlink(s.root, 'd', { directory: true });
        yield* fails('create', s.create(d, 'x', plainFile), 'notFound');
        yield* fails('link', s.link(d, 'x', f), 'notFound');
        yield* fails('rename', s.rename(s.root, 'f', d, 'x'), 'notFound');
      }),
  },
  {
    name: 'a directory has two links and one for each subdirectory',
    run: () =>
      tried(boards, function* (s) {
        const links = function* (expected: number, what: string) {
          same(what, (yield* s.attributes(s.root)).links, expected);
        };
        yield* s.create(s.root, 'a', plainDirectory);
        yield* s.create(s.root, 'b', plainDirectory);
        yield* s.create(s.root, 'f', plainFile);
        yield* links(4, 'with two');
        yield* remove(s, s.root, 'a', true);
        yield* links(3, 'with one');
      }),
  },
  {
    name: 'a link is a second name of the same file; unlink says how many are left',
    run: () =>
      tried(boards, function* (s) {
        const d = yield* s.create(s.root, 'd', plainDirectory);
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* s.link(d, 'g', f);
        holds('the same file', sameFile(yield* s.lookup(d, 'g'), f));
        same('links', (yield* s.attributes(f)).links, 2);
        const first = yield* s.unlink(s.root, 'f', { directory: false });
        same('links left', first.linksLeft, 1);
        holds('unlink tells which file it was', sameFile(first.file, f));
        same('links left', (yield* s.unlink(d, 'g', { directory: false })).linksLeft, 0);
      }),
  },
  {
    name: 'link refuses: exists, and isDirectory for a second link to a directory',
    run: () =>
      tried(boards, function* (s) {
        const d = yield* s.create(s.root, 'd', plainDirectory);
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* fails('a name that is taken', s.link(s.root, 'd', f), 'exists');
        yield* fails('a directory', s.link(s.root, 'e', d), 'isDirectory');
        same('links', (yield* s.attributes(f)).links, 1);
      }),
  },
  {
    name: 'unlink refuses: notFound, isDirectory, notDirectory, notEmpty',
    run: () =>
      tried(boards, function* (s) {
        const d = yield* s.create(s.root, 'd', plainDirectory);
        yield* s.create(d, 'f', plainFile);
        yield* fails('nothing there', s.unlink(s.root, 'x', { directory: false }), 'notFound');
        yield* fails('no directory there', s.unlink(s.root, 'x', { directory: true }), 'notFound');
        yield* fails('a directory as a file', s.unlink(s.root, 'd', { directory: false }), 'isDirectory');
        yield* fails('a file as a directory', s.unlink(d, 'f', { directory: true }), 'notDirectory');
        yield* fails('a directory with an entry', s.unlink(s.root, 'd', { directory: true }), 'notEmpty');
        yield* remove(s, d, 'f');
        yield* remove(s, s.root, 'd', true);
        same('entries', (yield* s.entries(s.root)).length, 0);
      }),
  },
];
