/** What is left when the machine loses its power. */
import { ms, type RandomStream, seconds, sleep, type Task } from '@backplane/engine';
import type { FileId, Storage } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { digest, filled } from '../bytes.ts';
import { type Check, holds, same, within } from '../check.ts';
import { eachCourse } from '../course.ts';
import type { Bounds } from './under-test.ts';
import { contentOf, fails, plainDirectory, plainFile, remove, sameFile, World } from './world.ts';

function* found(s: Storage, name: string): Task<FileId> {
  const f = yield* s.lookup(s.root, name);
  holds(`"${name}" is there`, f !== undefined);
  return f as FileId; // boundary: just seen to be there
}

/** Walks the whole tree: every entry leads to an object that can be read, links and ".." are right. Returns the number of objects. */
function* walk(s: Storage): Task<number> {
  const names = new Map<number, number>();
  const queue = [{ directory: s.root, parent: s.root, path: '' }];
  const files: { readonly file: FileId; readonly path: string }[] = [];
  let directories = 0;
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    directories++;
    const { directory, parent, path } = at;
    holds(`${path}/..`, sameFile(yield* s.lookup(directory, '..'), parent));
    let children = 0;
    for (const { name, file } of yield* s.entries(directory)) {
      const child = `${path}/${name}`;
      holds(`${child} is found`, sameFile(yield* s.lookup(directory, name), file));
      if ((yield* s.attributes(file)).type === 'directory') {
        children++;
        queue.push({ directory: file, parent: directory, path: child });
      } else {
        names.set(file.number, (names.get(file.number) ?? 0) + 1);
        files.push({ file, path: child });
      }
    }
    same(`links of ${path}/`, (yield* s.attributes(directory)).links, 2 + children);
  }
  for (const { file, path } of files) {
    same(`links of ${path}`, (yield* s.attributes(file)).links, names.get(file.number) ?? 0);
    yield* contentOf(s, file);
  }
  return directories + names.size;
}

/** Makes, replaces and removes for ever. `synced` is what a sync has confirmed and nothing has touched since: name to key. */
function* churn(s: Storage, random: RandomStream, synced: Map<string, number>): Task<void> {
  const d = yield* s.create(s.root, 'd', plainDirectory);
  for (let key = 1; ; key++) {
    const name = `f${random.below(8)}`;
    const old = yield* s.lookup(s.root, name);
    synced.delete(name);
    if (old !== undefined && random.chance(0.3)) yield* remove(s, s.root, name);
    else {
      const made = yield* s.create(d, `new ${key}`, plainFile);
      yield* s.write(made, 0, bytesOf(key), random.pick(['soon', 'delayed', 'through'] as const));
      const { replaced } = yield* s.rename(d, `new ${key}`, s.root, name);
      if (replaced?.linksLeft === 0 && random.chance(0.8)) yield* s.reclaim(replaced.file);
      if (random.chance(0.3)) {
        yield* s.sync();
        synced.set(name, key);
      }
    }
    yield* sleep(random.below(ms(200)));
  }
}

const bytesOf = (key: number): Uint8Array => pattern(1 + ((key * 7919) % 30_000), key);

/** Where there is a disk that can be told to fail. */
const failureClauses = ({ boards }: Bounds): readonly Check[] => [
  {
    name: 'a device that fails is ioError, for reads and for writes through, and what it did not spoil is there when it works again',
    run: () => {
      const world = new World(boards);
      world.run(function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* s.write(f, 0, pattern(30_000, 1), 'through');
        yield* s.sync();
      });
      // Nothing is cached in the next boot.
      world.crash();
      const disk = world.rig.board('server', 'disk');
      let failing: 'read' | 'write' | 'nothing' = 'nothing';
      disk.addRule({ name: 'check', judge: (operation) => (operation === failing ? 'error' : 'pass') });
      world.run(function* (s) {
        const f = yield* found(s, 'f');
        failing = 'read';
        yield* fails('a read', s.read(f, 0, 30_000), 'ioError');
        failing = 'nothing';
        same('the file', digest(yield* contentOf(s, f)), digest(pattern(30_000, 1)));
        failing = 'write';
        yield* fails('a write through', s.write(f, 0, filled(100, 9), 'through'), 'ioError');
        failing = 'nothing';
        yield* s.write(f, 0, filled(100, 9), 'through');
        same('rewritten', digest(yield* s.read(f, 0, 100)), digest(filled(100, 9)));
      });
    },
  },
];

export const crashClauses = (bounds: Bounds): readonly Check[] => [
  ...(bounds.boards.disk === undefined ? [] : failureClauses(bounds)),
  ...powerClauses(bounds),
];

const powerClauses = ({ boards, courses }: Bounds): readonly Check[] => [
  {
    name: 'what was written and synced survives a crash, with its attributes: of one file, and of all',
    run: () => {
      const world = new World(boards);
      world.run(function* (s) {
        const [one, all] = [
          yield* s.create(s.root, 'one', plainFile),
          yield* s.create(s.root, 'all', plainFile),
        ];
        yield* s.write(all, 0, pattern(10_000, 2), 'delayed');
        yield* s.setAttributes(all, { version: 9, mode: 0o600 });
        yield* s.sync();
        yield* s.write(one, 0, pattern(20_000, 1), 'delayed');
        yield* s.setAttributes(one, { version: 77, uid: 5 });
        yield* s.sync(one);
      });
      world.crash();
      world.run(function* (s) {
        const [one, all] = [yield* found(s, 'one'), yield* found(s, 'all')];
        same('one', digest(yield* contentOf(s, one)), digest(pattern(20_000, 1)));
        same('all', digest(yield* contentOf(s, all)), digest(pattern(10_000, 2)));
        const [a, b] = [yield* s.attributes(one), yield* s.attributes(all)];
        same('versions, owner and mode', [a.version, a.uid, b.version, b.mode], [77, 5, 9, 0o600]);
      });
    },
  },
  {
    name: 'a write through is on the medium when it returns',
    run: () => {
      const world = new World(boards);
      world.run(function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* s.write(f, 0, pattern(6000, 1), 'delayed');
        yield* s.sync();
        yield* s.write(f, 3000, pattern(9000, 2), 'through');
      });
      world.crash();
      world.run(function* (s) {
        const expected = new Uint8Array(12_000);
        expected.set(pattern(3000, 1));
        expected.set(pattern(9000, 2), 3000);
        same('the file', digest(yield* contentOf(s, yield* found(s, 'f'))), digest(expected));
      });
    },
  },
  {
    name: 'delayed writes reach the medium in their time, without being asked for',
    run: () => {
      const world = new World(boards);
      world.run(function* (s) {
        const f = yield* s.create(s.root, 'f', plainFile);
        yield* s.write(f, 0, pattern(20_000, 1), 'delayed');
      });
      world.rig.after(seconds(300));
      world.crash();
      world.run(function* (s) {
        same('the file', digest(yield* contentOf(s, yield* found(s, 'f'))), digest(pattern(20_000, 1)));
      });
    },
  },
  {
    name: 'a file identifier is stale after a crash if its file is gone, and never leads to another',
    run: () => {
      const world = new World(boards);
      const ids: FileId[] = [];
      world.run(function* (s) {
        yield* s.sync();
        ids.push(yield* s.create(s.root, 'lost', plainFile));
      });
      world.crash();
      world.run(function* (s) {
        const made = [yield* s.create(s.root, 'a', plainFile), yield* s.create(s.root, 'b', plainFile)];
        const lost = yield* s.lookup(s.root, 'lost');
        for (const id of ids)
          for (const m of made)
            holds('a new file has another identity', !sameFile(id, m) && !sameFile(lost, m));
      });
    },
  },
  {
    name: 'recover frees orphans: files without a name that were open at the crash',
    run: () => {
      const world = new World(boards);
      const before = world.run(function* (s) {
        yield* s.sync();
        return s.usage();
      });
      world.run(function* (s) {
        for (let i = 0; i < 5; i++) {
          const f = yield* s.create(s.root, `f${i}`, plainFile);
          yield* s.write(f, 0, filled(10 * s.blockBytes, i), 'delayed');
        }
        yield* s.sync();
        for (let i = 0; i < 5; i++) yield* s.unlink(s.root, `f${i}`, { directory: false });
        yield* s.sync();
      });
      world.crash();
      world.run(function* (s) {
        yield* s.sync();
        const after = s.usage();
        same('files taken', before.filesFree - after.filesFree, 0);
        within('blocks taken', before.blocksFree - after.blocksFree, 0, 3);
      });
    },
  },
  {
    name: 'whenever the power fails, the tree is consistent afterwards and what was synced is there',
    run: () =>
      eachCourse(courses, (seed) => {
        const world = new World(boards, seed);
        const random = world.rig.cluster.engine.random('course of a check');
        const { filesFree } = world.storage.usage();
        for (let crash = 0; crash < 2; crash++) {
          const synced = new Map<string, number>();
          if (crash > 0) world.run((s) => clear(s));
          world.rig.spawn('server', churn(world.storage, random, synced));
          world.rig.after(1 + random.below(seconds(8)));
          world.crash();
          world.run(function* (s) {
            const objects = yield* walk(s);
            for (const [name, key] of synced)
              same(name, digest(yield* contentOf(s, yield* found(s, name))), digest(bytesOf(key)));
            // The root is counted among the objects, and was there before.
            same('files that no name leads to', filesFree - s.usage().filesFree - (objects - 1), 0);
          });
        }
      }),
  },
  {
    name: 'whenever the power fails, a name that is being replaced is there',
    run: () =>
      eachCourse(courses, (seed) => {
        const world = new World(boards, seed);
        const random = world.rig.cluster.engine.random('course of a check');
        world.run(function* (s) {
          yield* s.create(s.root, 'target', plainFile);
          yield* s.sync();
        });
        world.rig.spawn('server', replaceForEver(world.storage, random));
        world.rig.after(1 + random.below(seconds(2)));
        world.crash();
        world.run(function* (s) {
          yield* contentOf(s, yield* found(s, 'target'));
        });
      }),
  },
];

function* replaceForEver(s: Storage, random: RandomStream): Task<void> {
  for (let key = 1; ; key++) {
    const f = yield* s.create(s.root, `new ${key}`, plainFile);
    yield* s.write(f, 0, bytesOf(key), 'delayed');
    const { replaced } = yield* s.rename(s.root, `new ${key}`, s.root, 'target');
    if (replaced?.linksLeft === 0) yield* s.reclaim(replaced.file);
    if (random.chance(0.5)) yield* s.sync();
    yield* sleep(1 + random.below(ms(20)));
  }
}

/** Everything below the root, away. */
function* clear(s: Storage): Task<void> {
  for (const { name, file } of yield* s.entries(s.root)) {
    const isDirectory = (yield* s.attributes(file)).type === 'directory';
    if (isDirectory) for (const below of yield* s.entries(file)) yield* remove(s, file, below.name);
    yield* remove(s, s.root, name, isDirectory);
  }
}
