import type { Task } from '@backplane/engine';
import type { Storage } from '@backplane/slots';
import { kindOf, testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { memoryStorage } from '../src/index.ts';

function run<T>(body: (s: Storage) => Task<T>, o: Parameters<typeof memoryStorage>[0] = {}): T {
  const machine = testMachine();
  const storage = memoryStorage(o).create({ wrapped: new Map() } as never, machine);
  const results: T[] = [];
  machine.scope.spawn(
    'test',
    (function* (): Task<void> {
      results.push(yield* body(storage));
    })(),
  );
  machine.engine.run();
  return results[0] as T;
}

const file = { type: 'file', mode: 0o644, uid: 3, gid: 4 } as const;
const directory = { type: 'directory', mode: 0o755, uid: 0, gid: 0 } as const;

describe('a storage in memory', () => {
  it('reads zeros where nothing was written, and what was written after that', () => {
    const bytes = run(function* (s) {
      const f = yield* s.create(s.root, 'f', file);
      yield* s.write(f, 5000, new Uint8Array([1, 2, 3]), 'delayed');
      return [...(yield* s.read(f, 4998, 100))];
    });
    expect(bytes).toEqual([0, 0, 1, 2, 3]);
  });

  it('does not show what lay beyond a cut when the file grows again', () => {
    const bytes = run(function* (s) {
      const f = yield* s.create(s.root, 'f', file);
      yield* s.write(f, 0, new Uint8Array(10).fill(9), 'delayed');
      yield* s.truncate(f, 4);
      yield* s.truncate(f, 8);
      return [...(yield* s.read(f, 0, 100))];
    });
    expect(bytes).toEqual([9, 9, 9, 9, 0, 0, 0, 0]);
  });

  it('never changes bytes that it handed out', () => {
    const first = run(function* (s) {
      const f = yield* s.create(s.root, 'f', file);
      yield* s.write(f, 0, new Uint8Array(4096).fill(1), 'delayed');
      const handed = yield* s.read(f, 0, 4096);
      yield* s.write(f, 0, new Uint8Array(4096).fill(2), 'delayed');
      return handed[0];
    });
    expect(first).toBe(1);
  });

  it('counts links: names of a file, and subdirectories of a directory', () => {
    const links = run(function* (s) {
      const d = yield* s.create(s.root, 'd', directory);
      const f = yield* s.create(d, 'f', file);
      yield* s.link(s.root, 'g', f);
      yield* s.create(d, 'e', directory);
      return [
        (yield* s.attributes(d)).links,
        (yield* s.attributes(f)).links,
        (yield* s.attributes(s.root)).links,
      ];
    });
    expect(links).toEqual([3, 2, 3]);
  });

  it('takes names away without freeing, until it is told to', () => {
    const seen = run(function* (s) {
      const f = yield* s.create(s.root, 'f', file);
      const { linksLeft } = yield* s.unlink(s.root, 'f', { directory: false });
      const { links } = yield* s.attributes(f);
      yield* s.reclaim(f);
      return [linksLeft, links, yield* kindOf(s.attributes(f))];
    });
    expect(seen).toEqual([0, 0, 'stale']);
  });

  it('moves directories with their ".."', () => {
    const seen = run(function* (s) {
      const a = yield* s.create(s.root, 'a', directory);
      const b = yield* s.create(s.root, 'b', directory);
      const moved = yield* s.create(a, 'd', directory);
      yield* s.rename(a, 'd', b, 'e');
      const up = yield* s.lookup(moved, '..');
      return [up?.number === b.number, (yield* s.attributes(a)).links, (yield* s.attributes(b)).links];
    });
    expect(seen).toEqual([true, 2, 3]);
  });

  it('refuses what 4.3BSD refuses in a rename', () => {
    const kinds = run(function* (s) {
      const a = yield* s.create(s.root, 'a', directory);
      const b = yield* s.create(a, 'b', directory);
      yield* s.create(s.root, 'f', file);
      yield* s.create(b, 'x', file);
      return [
        yield* kindOf(s.rename(s.root, 'a', b, 'c')),
        yield* kindOf(s.rename(s.root, 'f', s.root, 'a')),
        yield* kindOf(s.rename(s.root, 'a', s.root, 'f')),
        yield* kindOf(s.rename(s.root, 'none', s.root, 'y')),
        yield* kindOf(s.rename(s.root, 'f', s.root, 'f')),
      ];
    });
    expect(kinds).toEqual(['badArgument', 'isDirectory', 'notDirectory', 'notFound', 'ok']);
  });

  it('is full at its limits of bytes and of files, and usable afterwards', () => {
    const seen = run(
      function* (s) {
        const f = yield* s.create(s.root, 'f', file);
        const kinds = [
          yield* kindOf(s.write(f, 0, new Uint8Array(3 * 4096), 'delayed')),
          yield* kindOf(s.create(s.root, 'g', file)),
        ];
        yield* s.write(f, 0, new Uint8Array(2 * 4096), 'delayed');
        return [...kinds, s.usage().blocksFree];
      },
      { sizeBytes: 2 * 4096, filesMax: 2 },
    );
    expect(seen).toEqual(['noSpace', 'noSpace', 0]);
  });

  it('sorts entries by the bytes of their names', () => {
    const names = run(function* (s) {
      for (const name of ['b', 'Z', 'é', 'a', '\u{1f600}', '￿']) yield* s.create(s.root, name, file);
      return (yield* s.entries(s.root)).map((e) => e.name);
    });
    expect(names).toEqual(['Z', 'a', 'b', 'é', '￿', '\u{1f600}']);
  });
});
