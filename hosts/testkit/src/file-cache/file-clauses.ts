/** An open file on one host. */
import { ms, sleep, type Task } from '@backplane/engine';
import { hostId, type Waiter } from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { digest, filled } from '../bytes.ts';
import { type Check, holds, same, within } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { type Files, World } from './world.ts';

/** A check by one thread, on a client and on the server itself. */
const onBoth = (bounds: Bounds, body: (files: Files) => Task<void>): void => {
  for (const host of ['one', 'server'] as const) {
    const world = new World(bounds);
    world.drive(() => world.at(host, body));
  }
};

/** Nothing here waits, so no wake-up comes. */
const nobody: Waiter = { host: hostId(1), ticket: 0 };

export const fileClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a read brings what was written, fewer bytes at the end, and none after it',
    run: () =>
      onBoth(bounds, function* (files) {
        const size = 50_077;
        const bytes = pattern(size, 1);
        yield* files.put('/f', bytes);
        const s = yield* files.open('/f', { read: true });
        for (const at of [0, 1, 4095, 4096, 8191, 20_000, size - 1, size, size + 5000])
          for (const count of [1, 4096, 10_000, size])
            same(
              `${count} bytes from ${at}`,
              digest(yield* files.streams.readAt(s, at, count)),
              digest(bytes.subarray(at, at + count)),
            );
        yield* files.streams.close(s);
      }),
  },
  {
    name: 'read and write tell the offset afterwards',
    run: () =>
      onBoth(bounds, function* (files) {
        const s = yield* files.open('/f', { read: true, write: true, create: true });
        const { object } = s;
        const written = yield* object.write(100, filled(5000, 1), nobody);
        same('written', [written.count, written.next], [5000, 5100]);
        const read = yield* object.read(5000, 1000, nobody);
        same('read', [read.bytes.length, read.next], [100, 5100]);
        yield* files.streams.close(s);
      }),
  },
  {
    name: 'a write at "end" appends, wherever the end is by then',
    run: () =>
      onBoth(bounds, function* (files) {
        const s = yield* files.open('/f', { read: true, write: true, create: true, append: true });
        const other = yield* files.open('/f', { write: true });
        yield* files.streams.write(s, filled(10, 1));
        yield* files.streams.writeAt(other, 10, filled(5000, 2));
        yield* files.streams.write(s, filled(10, 3));
        const expected = new Uint8Array([...filled(10, 1), ...filled(5000, 2), ...filled(10, 3)]);
        same('the file', digest(yield* files.streams.readAt(s, 0, 10_000)), digest(expected));
        yield* files.streams.close(other);
        yield* files.streams.close(s);
      }),
  },
  {
    name: 'a gap reads as zeros; truncate cuts, and extends with zeros',
    run: () =>
      onBoth(bounds, function* (files) {
        const s = yield* files.open('/f', { read: true, write: true, create: true });
        yield* files.streams.writeAt(s, 20_000, filled(10, 7));
        const expected = new Uint8Array(20_010);
        expected.fill(7, 20_000);
        same('with a gap', digest(yield* files.streams.readAt(s, 0, 1 << 20)), digest(expected));
        yield* files.streams.writeAt(s, 0, filled(6000, 8));
        yield* s.object.truncate(5000);
        yield* s.object.truncate(9000);
        const cut = new Uint8Array(9000);
        cut.fill(8, 0, 5000);
        same('cut and extended', digest(yield* files.streams.readAt(s, 0, 1 << 20)), digest(cut));
        same('size', (yield* s.object.attributes()).sizeBytes, 9000);
        yield* files.streams.close(s);
      }),
  },
  {
    name: 'attributes of an open file know what was written and not yet closed',
    run: () =>
      onBoth(bounds, function* (files) {
        yield* files.put('/f', filled(10, 1));
        yield* sleep(ms(50_000));
        const s = yield* files.open('/f', { read: true, write: true });
        yield* files.streams.writeAt(s, 0, filled(7000, 2));
        same('size by the open file', (yield* s.object.attributes()).sizeBytes, 7000);
        same('size by name', (yield* files.stat('/f')).sizeBytes, 7000);
        yield* files.streams.close(s);
        const closed = yield* files.stat('/f');
        same('size after the close', closed.sizeBytes, 7000);
        within('seconds of the change', closed.modifyNs / 1e9, 50, 55);
      }),
  },
  {
    name: 'setAttributes of an open file sets what it is given',
    run: () =>
      onBoth(bounds, function* (files) {
        const s = yield* files.open('/f', { read: true, write: true, create: true, mode: 0o644 });
        yield* s.object.setAttributes({ mode: 0o600, uid: 5 }, files.who);
        const { mode, uid } = yield* s.object.attributes();
        same('mode and owner', [mode, uid], [0o600, 5]);
        yield* files.streams.close(s);
      }),
  },
  {
    name: 'an open file has traits that say what it is, and is always ready',
    run: () =>
      onBoth(bounds, function* (files) {
        const s = yield* files.open('/f', { read: true, write: true, create: true });
        const { seekable, blockBytes, afterCrash } = s.object.traits;
        holds('seekable', seekable);
        holds('a block has bytes', blockBytes > 0);
        holds(
          'something is said of crashes',
          ['reopen', 'by-name', 'stateless', 'lost'].includes(afterCrash),
        );
        const { read, write } = yield* s.object.poll(nobody);
        same('ready', [read, write], [true, true]);
        yield* files.streams.close(s);
      }),
  },
  {
    name: 'two names of one file have equal identities, which are never used again',
    run: () =>
      onBoth(bounds, function* (files) {
        const seen = new Set<string>();
        for (let i = 0; i < 6; i++) {
          yield* files.put('/f', filled(10, i));
          yield* files.two('link', '/f', '/g');
          const [f, g] = [yield* files.stat('/f'), yield* files.stat('/g')];
          same('identity of the second name', g.identity, f.identity);
          same('links', g.links, 2);
          holds('a new file has an identity of its own', !seen.has(f.identity));
          seen.add(f.identity);
          const s = yield* files.open('/g', { read: true });
          same('identity of the open file', (yield* s.object.attributes()).identity, f.identity);
          yield* files.streams.close(s);
          yield* files.name('/f', 'unlink', {});
          yield* files.name('/g', 'unlink', {});
        }
      }),
  },
  {
    name: 'a removed file that is open is read and written until its last close',
    run: () =>
      onBoth(bounds, function* (files) {
        yield* files.put('/f', pattern(9000, 1));
        const s = yield* files.open('/f', { read: true, write: true });
        const again = yield* files.open('/f', { read: true });
        yield* files.name('/f', 'unlink', {});
        same('by name', yield* kindOf(files.get('/f')), 'notFound');
        yield* files.put('/f', filled(10, 5));
        yield* files.streams.writeAt(s, 9000, pattern(100, 2));
        yield* files.streams.close(s);
        const expected = new Uint8Array([...pattern(9000, 1), ...pattern(100, 2)]);
        same('the removed file', digest(yield* files.streams.readAt(again, 0, 20_000)), digest(expected));
        same('the new one', digest(yield* files.get('/f')), digest(filled(10, 5)));
        yield* files.streams.close(again);
        yield* files.name('/f', 'unlink', {});
        same('entries', (yield* files.name('/', 'entries', { after: '' })).names.length, 0);
      }),
  },
  {
    name: 'the last close of a removed file frees it',
    run: () => {
      for (const host of ['one', 'server'] as const) {
        const world = new World(bounds);
        world.drive(function* () {
          yield* world.at(host, (files) => files.put('/other', filled(10, 1)));
          const { filesFree } = world.storage.usage();
          yield* world.at(host, function* (files) {
            yield* files.put('/f', filled(9000, 1));
            const s = yield* files.open('/f', { read: true });
            yield* files.name('/f', 'unlink', {});
            same('files taken while it is open', filesFree - world.storage.usage().filesFree, 1);
            yield* files.streams.close(s);
          });
          yield* sleep(ms(1000));
          same('files taken after the close', filesFree - world.storage.usage().filesFree, 0);
        });
      }
    },
  },
  {
    name: 'what was read does not change when the file does',
    run: () =>
      onBoth(bounds, function* (files) {
        const s = yield* files.open('/f', { read: true, write: true, create: true });
        yield* files.streams.writeAt(s, 0, filled(9000, 1));
        const read = yield* files.streams.readAt(s, 0, 100);
        const all = yield* files.streams.readAt(s, 0, 9000);
        yield* files.streams.writeAt(s, 0, filled(9000, 2));
        same('what was read', [digest(read), digest(all)], [digest(filled(100, 1)), digest(filled(9000, 1))]);
        yield* files.streams.close(s);
      }),
  },
];
