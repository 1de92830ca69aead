/** Who may keep copies until when. */
import { ms, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import { kindOf, pattern } from '@backplane/slots/testing';
import { digest, filled } from '../bytes.ts';
import { type Check, holds, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { type HostName, World } from './world.ts';

const hosts: readonly HostName[] = ['one', 'two', 'server'];

/** What every file cache promises. */
const always = (bounds: Bounds): readonly Check[] => [
  {
    name: 'an open sees what was closed before, on whatever host',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        for (let turn = 1; turn <= 9; turn++)
          for (const host of hosts) {
            const bytes = pattern(1000 * turn + 100 * hosts.indexOf(host), turn);
            yield* world.at(host, (files) => files.put('/f', bytes));
            for (const reader of hosts)
              same(
                `${reader} reads what ${host} wrote`,
                digest(yield* world.at(reader, (files) => files.get('/f'))),
                digest(bytes),
              );
            yield* sleep(ms(700));
          }
      });
    },
  },
  {
    name: 'an open that rewrites a part sees the rest as it was closed before',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        const expected = filled(20_000, 1);
        yield* world.at('one', (files) => files.put('/f', expected.slice()));
        for (let turn = 2; turn < 12; turn++) {
          const at = (turn * 1777) % 19_000;
          expected.fill(turn, at, at + 1000);
          yield* world.at(hosts[turn % 3] ?? 'one', function* (files) {
            const s = yield* files.open('/f', { read: true, write: true });
            yield* files.streams.writeAt(s, at, filled(1000, turn));
            yield* files.streams.close(s);
          });
        }
        for (const host of hosts)
          same(`seen by ${host}`, digest(yield* world.at(host, (f) => f.get('/f'))), digest(expected));
      });
    },
  },
  {
    name: 'names that a host made are seen by the others at their next look',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        yield* world.at('one', (files) => files.put('/f', filled(10, 1)));
        same('made', digest(yield* world.at('two', (files) => files.get('/f'))), digest(filled(10, 1)));
        yield* world.at('two', (files) => files.two('rename', '/f', '/g'));
        yield* world.settled();
        same('renamed away', yield* world.at('one', (files) => kindOf(files.get('/f'))), 'notFound');
        same('renamed to', (yield* world.at('one', (files) => files.get('/g'))).length, 10);
        yield* world.at('one', (files) => files.name('/g', 'unlink', {}));
        yield* world.settled();
        same('removed', yield* world.at('two', (files) => kindOf(files.stat('/g'))), 'notFound');
      });
    },
  },
  {
    name: 'attributes that a host set are seen by the others in time',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        yield* world.at('one', (files) => files.put('/f', filled(10, 1)));
        same('size', (yield* world.at('two', (files) => files.stat('/f'))).sizeBytes, 10);
        yield* world.at('one', (files) => files.put('/f', filled(4000, 1)));
        yield* world.at('one', (f) =>
          f.name('/f', 'setAttributes', { change: { mode: 0o600 }, follow: true }),
        );
        yield* world.settled();
        const { sizeBytes, mode } = yield* world.at('two', (files) => files.stat('/f'));
        same('size and mode', [sizeBytes, mode], [4000, 0o600]);
      });
    },
  },
  {
    name: 'a reader that keeps a file open sees in time what another host wrote and closed',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        yield* world.at('one', (files) => files.put('/f', filled(8000, 1)));
        yield* world.at('two', function* (files) {
          const s = yield* files.open('/f', { read: true });
          yield* files.streams.readAt(s, 0, 8000);
          yield* sleep(ms(1500));
          yield* world.at('one', (other) => other.put('/f', filled(9000, 2)));
          yield* world.settled();
          same('read', digest(yield* files.streams.readAt(s, 0, 20_000)), digest(filled(9000, 2)));
          yield* files.streams.close(s);
        });
      });
    },
  },
  {
    name: 'what a host has synced is at the server, and no crash of that host loses it',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        yield* world.at('one', function* (files) {
          const s = yield* files.open('/f', { write: true, create: true });
          yield* files.streams.writeAt(s, 0, filled(20_000, 1));
          yield* s.object.sync();
          const t = yield* files.open('/g', { write: true, create: true });
          yield* files.streams.writeAt(t, 0, filled(20_000, 2));
          yield* files.streams.syncAll();
        });
        world.rig.crash('one');
        for (const [path, key] of [
          ['/f', 1],
          ['/g', 2],
        ] as const)
          same(path, digest(yield* world.at('two', (files) => files.get(path))), digest(filled(20_000, key)));
      });
    },
  },
  {
    name: 'what was written reaches the server in time, without being asked for',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        yield* world.at('one', function* (files) {
          const s = yield* files.open('/f', { write: true, create: true });
          yield* files.streams.writeAt(s, 0, filled(20_000, 1));
        });
        yield* sleep(seconds(120));
        world.rig.crash('one');
        same('read', digest(yield* world.at('two', (files) => files.get('/f'))), digest(filled(20_000, 1)));
      });
    },
  },
  {
    name: 'an orderly halt loses nothing',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        yield* world.at('one', (files) => files.put('/f', filled(20_000, 1)));
        yield* world.rig.machine('one').halt();
        same('read', digest(yield* world.at('two', (files) => files.get('/f'))), digest(filled(20_000, 1)));
      });
    },
  },
];

const sequential = (bounds: Bounds): readonly Check[] => [
  {
    name: 'sequential: a read sees the last write that had ended, however many hosts have the file open',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        yield* world.at('one', (files) => files.put('/f', filled(12_000, 1)));
        const written = { key: 1 };
        const writer = world.start('one', function* (files) {
          const s = yield* files.open('/f', { read: true, write: true });
          for (let key = 2; key < 20; key++) {
            yield* files.streams.writeAt(s, 3000, filled(2000, key));
            written.key = key;
            yield* sleep(ms(300));
          }
          yield* files.streams.close(s);
        });
        const readers: Thread<number>[] = [];
        for (const host of ['two', 'server'] as const)
          readers.push(
            world.start(host, function* (files): Task<number> {
              const s = yield* files.open('/f', { read: true });
              let reads = 0;
              for (; !writer.ended; reads++) {
                const { key } = written;
                const [first = 0] = yield* files.streams.readAt(s, 4000, 1);
                holds(
                  `after write ${key} ended, ${host} reads it or a later one and not ${first}`,
                  first >= key,
                );
                yield* sleep(ms(170));
              }
              yield* files.streams.close(s);
              return reads;
            }),
          );
        yield* writer.join();
        for (const reader of readers) holds('many reads', (yield* reader.join()) > 10);
      });
    },
  },
  {
    name: 'sequential: two hosts that write one file by turns each see the other’s writes',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        const expected = filled(16_000, 1);
        yield* world.at('server', (files) => files.put('/f', expected.slice()));
        let turn: HostName = 'one';
        const threads = (['one', 'two'] as const).map((host) =>
          world.start(host, function* (files): Task<void> {
            const s = yield* files.open('/f', { read: true, write: true });
            for (let key = 0; key < 20; ) {
              if (turn !== host) {
                yield* sleep(ms(20));
                continue;
              }
              same(`${host} reads`, digest(yield* files.streams.readAt(s, 0, 16_000)), digest(expected));
              const at = (key * 1234 + (host === 'one' ? 0 : 7000)) % 15_000;
              const value = 10 + key * 2 + (host === 'one' ? 0 : 1);
              yield* files.streams.writeAt(s, at, filled(900, value));
              expected.fill(value, at, at + 900);
              key++;
              turn = host === 'one' ? 'two' : 'one';
            }
            yield* files.streams.close(s);
          }),
        );
        for (const t of threads) yield* t.join();
        for (const host of hosts)
          same(`seen by ${host}`, digest(yield* world.at(host, (f) => f.get('/f'))), digest(expected));
      });
    },
  },
  {
    name: 'sequential: stat sees what another host has written and not yet closed',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        yield* world.at('one', function* (files) {
          const s = yield* files.open('/f', { write: true, create: true });
          for (const size of [100, 5000, 30_000]) {
            yield* files.streams.writeAt(s, size - 1, filled(1, 1));
            for (const host of ['two', 'server'] as const)
              same(`size by ${host}`, (yield* world.at(host, (f) => f.stat('/f'))).sizeBytes, size);
          }
          yield* files.streams.close(s);
        });
      });
    },
  },
  {
    name: 'sequential: appends of several hosts never cover one another',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        yield* world.at('server', (files) => files.put('/f', filled(0, 0)));
        const threads = hosts.map((host, i) =>
          world.start(host, function* (files): Task<void> {
            const s = yield* files.open('/f', { write: true, append: true });
            for (let n = 0; n < 10; n++) {
              yield* files.streams.write(s, filled(100, i + 1));
              yield* sleep(ms(10));
            }
            yield* files.streams.close(s);
          }),
        );
        for (const t of threads) yield* t.join();
        const bytes = yield* world.at('two', (files) => files.get('/f'));
        same(
          'bytes of each host',
          [1, 2, 3].map((i) => bytes.filter((b) => b === i).length),
          [1000, 1000, 1000],
        );
      });
    },
  },
];

const removed = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a file that another host removed is read and written until its last close',
    run: () => {
      const world = new World(bounds);
      world.drive(function* () {
        yield* world.at('one', (files) => files.put('/f', pattern(9000, 1)));
        yield* world.at('two', function* (files) {
          const s = yield* files.open('/f', { read: true, write: true });
          yield* world.at('one', (other) => other.name('/f', 'unlink', {}));
          yield* files.streams.writeAt(s, 0, filled(10, 9));
          const expected = pattern(9000, 1);
          expected.fill(9, 0, 10);
          same('read', digest(yield* files.streams.readAt(s, 0, 20_000)), digest(expected));
          yield* files.streams.close(s);
        });
        same('by name', yield* world.at('two', (files) => kindOf(files.get('/f'))), 'notFound');
      });
    },
  },
];

export const sharingClauses = (bounds: Bounds): readonly Check[] => [
  ...always(bounds),
  ...(bounds.consistency === 'sequential' ? sequential(bounds) : []),
  ...(bounds.keepsRemoved === 'cluster' ? removed(bounds) : []),
];
