/** A server that crashes while its files are open. */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { kindOf, pattern } from '@backplane/slots/testing';
import { digest, filled } from '../bytes.ts';
import { type Check, holds, same, within } from '../check.ts';
import { lastingStorage } from '../neighbours.ts';
import type { Bounds } from './under-test.ts';
import { World } from './world.ts';

/** How long a host may take to notice that its server is back, and to go on. */
const noticeSeconds = 120;

export const crashClauses = (bounds: Bounds): readonly Check[] => {
  const world = (): World => new World(bounds, { serverBoards: lastingStorage() });
  return [
    {
      name: 'an open file goes on after a reboot of its server, unless it says that it is lost',
      run: () => {
        const w = world();
        w.drive(function* () {
          yield* w.at('one', (files) => files.put('/f', pattern(30_000, 1)));
          yield* w.at('one', (files) => files.streams.syncAll());
          yield* w.storage.sync();
          yield* w.at('two', function* (files) {
            const s = yield* files.open('/f', { read: true, write: true });
            const { afterCrash } = s.object.traits;
            yield* files.streams.readAt(s, 0, 100);
            w.rig.crash('server');
            yield* sleep(seconds(5));
            w.rig.machine('server').boot();
            const kind = yield* kindOf(files.streams.readAt(s, 0, 30_000));
            if (afterCrash === 'lost') return same('it is lost', kind, 'objectLost');
            const expected = pattern(30_000, 1);
            same('read', digest(yield* files.streams.readAt(s, 0, 40_000)), digest(expected));
            yield* files.streams.writeAt(s, 10_000, filled(500, 9));
            expected.fill(9, 10_000, 10_500);
            yield* files.streams.close(s);
            same('seen by the other', digest(yield* w.at('one', (f) => f.get('/f'))), digest(expected));
          });
        });
      },
    },
    {
      name: 'names are waited for while their server is down',
      run: () => {
        const w = world();
        w.drive(function* () {
          yield* w.at('one', (files) => files.put('/f', filled(10, 1)));
          yield* w.at('one', (files) => files.streams.syncAll());
          yield* w.storage.sync();
          // Who never used a name from this server cannot know that there is one.
          yield* w.at('two', (files) => files.get('/f'));
          w.rig.crash('server');
          const looking = w.start('one', (files) => files.stat('/f'));
          const opening = w.start('two', (files) => files.get('/f'));
          yield* sleep(seconds(40));
          same('ended while the server is down', [looking.ended, opening.ended], [false, false]);
          const backNs = w.rig.nowNs;
          w.rig.machine('server').boot();
          same('size', (yield* looking.join()).sizeBytes, 10);
          same('bytes', digest(yield* opening.join()), digest(filled(10, 1)));
          within('seconds', (w.rig.nowNs - backNs) / 1e9, 0, noticeSeconds);
        });
      },
    },
    {
      name: 'close does not wait for a dead server when nothing is owed to it',
      run: () => {
        const w = world();
        w.drive(function* () {
          yield* w.at('one', (files) => files.put('/f', filled(10, 1)));
          const closing = yield* w.at('one', function* (files) {
            const read = yield* files.open('/f', { read: true });
            const written = yield* files.open('/f', { write: true });
            yield* files.streams.writeAt(written, 0, filled(10, 2));
            // One without state may owe what was written: that is its right.
            if (written.object.traits.afterCrash === 'stateless') yield* written.object.sync();
            return [files.streams.close(read), files.streams.close(written)];
          });
          w.rig.crash('server');
          const threads = closing.map((close) => w.start('one', () => close));
          yield* sleep(seconds(noticeSeconds));
          same(
            'closed',
            threads.map((t) => t.ended),
            [true, true],
          );
        });
      },
    },
    {
      name: 'a writer goes on after a reboot of its server: nothing is lost that was synced, nothing that is written later',
      run: () => {
        const w = world();
        w.drive(function* () {
          const s = yield* w.at('one', function* (files) {
            const opened = yield* files.open('/f', { read: true, write: true, create: true });
            yield* files.streams.writeAt(opened, 0, filled(20_000, 1));
            yield* opened.object.sync();
            return opened;
          });
          yield* w.storage.sync();
          yield* sleep(ms(100));
          w.rig.crash('server');
          yield* sleep(seconds(3));
          w.rig.machine('server').boot();
          yield* w.at('one', function* (files): Task<void> {
            yield* files.streams.writeAt(s, 20_000, filled(100, 2));
            yield* s.object.sync();
            yield* files.streams.close(s);
          });
          const bytes = yield* w.at('two', (files) => files.get('/f'));
          same('size', bytes.length, 20_100);
          holds(
            'the first part',
            bytes.subarray(0, 20_000).every((b) => b === 1),
          );
          holds(
            'the second part',
            bytes.subarray(20_000).every((b) => b === 2),
          );
        });
      },
    },
    {
      name: 'the opens of a host that crashed are forgotten: others go on',
      run: () => {
        const w = world();
        w.drive(function* () {
          yield* w.at('one', function* (files) {
            const s = yield* files.open('/f', { read: true, write: true, create: true });
            yield* files.streams.writeAt(s, 0, filled(100, 1));
            yield* files.streams.syncAll();
          });
          w.rig.crash('one');
          const other = w.start('two', function* (files) {
            yield* files.put('/f', filled(200, 2));
            return yield* files.get('/f');
          });
          yield* sleep(seconds(noticeSeconds));
          holds('the other has gone on', other.ended);
          same('it reads', digest(yield* other.join()), digest(filled(200, 2)));
        });
      },
    },
  ];
};
