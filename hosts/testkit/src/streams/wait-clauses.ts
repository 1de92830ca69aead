/** Waiting: for an object that has nothing now, on this host and on others. */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { KernelError, type KernelSpec, type Waiter } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { digest, filled } from '../bytes.ts';
import { type Check, holds, same, within } from '../check.ts';
import { FilesInMemory } from './files.ts';
import { somebody, World } from './world.ts';

export const waitClauses = (boards: KernelSpec): readonly Check[] => [
  {
    name: 'a read waits while the object has nothing, and goes on when it is woken',
    run: () => {
      const w = new World(boards);
      const file = w.protocol.file('f');
      file.blocked = true;
      w.run(function* (streams) {
        const s = yield* w.open('/f', { read: true });
        const reading = w.start(streams.read(s, 10));
        yield* sleep(seconds(5));
        same('ended, attempts', [reading.ended, file.attempts], [false, 1]);
        file.bytes = filled(10, 4);
        file.unblock(streams);
        same('read', digest(yield* reading.join()), digest(filled(10, 4)));
      });
      same('attempts', file.attempts, 2);
    },
  },
  {
    name: 'a read or write that is not to wait is wouldBlock',
    run: () => {
      const w = new World(boards);
      w.protocol.file('f').blocked = true;
      w.run(function* (streams) {
        const s = yield* w.open('/f', { read: true, write: true });
        same('read', yield* kindOf(streams.read(s, 10, true)), 'wouldBlock');
        same('write', yield* kindOf(streams.write(s, filled(1, 1), true)), 'wouldBlock');
        same('offset', s.offset, 0);
      });
    },
  },
  {
    name: 'a wake-up that comes before the wait is not lost, and one for a wait that is over is ignored',
    run: () => {
      const w = new World(boards);
      const file = w.protocol.file('f');
      file.blocked = true;
      const left: Waiter[] = [];
      w.run(function* (streams) {
        const s = yield* w.open('/f', { read: true });
        // Each waiter that is left is woken at once, before the operation has ended.
        const wakeAtOnce = w.start(
          (function* (): Task<void> {
            for (let i = 0; i < 5; i++) {
              while (file.waiters.length === 0) yield* sleep(ms(1));
              left.push(...file.waiters);
              file.blocked = i < 4;
              for (const waiter of file.waiters.splice(0)) streams.wake(waiter);
            }
          })(),
        );
        yield* streams.read(s, 10);
        yield* wakeAtOnce.join();
        same('waiters left', left.length, 5);
        holds('each with a ticket of its own', new Set(left.map((x) => x.ticket)).size === 5);
        file.blocked = true;
        const again = w.start(streams.read(s, 10));
        yield* sleep(ms(10));
        for (const waiter of left) streams.wake(waiter);
        yield* sleep(ms(10));
        holds('the next read waits', !again.ended);
        file.unblock(streams);
        yield* again.join();
      });
    },
  },
  {
    name: 'a write that the object took a part of goes on with the rest; if it is not to wait, it tells the part',
    run: () => {
      const w = new World(boards);
      const file = w.protocol.file('f');
      file.takesBytes = 30;
      w.run(function* (streams) {
        const s = yield* w.open('/f', { write: true });
        same('written', yield* streams.write(s, filled(100, 5)), 100);
        same('bytes', digest(file.bytes), digest(filled(100, 5)));
        same('offset', s.offset, 100);
        file.fillsUp = true;
        same('not to wait', yield* streams.write(s, filled(100, 5), true), 30);
        same('offset', s.offset, 130);
        const writing = w.start(streams.write(s, filled(100, 5)));
        for (let i = 0; i < 5; i++) {
          yield* sleep(ms(10));
          file.unblock(streams);
        }
        same('written in parts', yield* writing.join(), 100);
        same('offset', s.offset, 230);
      });
    },
  },
  {
    name: 'a wake-up reaches a waiter on another host',
    run: () => {
      const w = new World(boards);
      const here = new FilesInMemory('shared', () => {});
      here.file('f').blocked = true;
      w.other.protocol(here);
      w.rig.drive(function* () {
        const reading = w.rig.spawn(
          'two',
          (function* (): Task<number> {
            const { value } = { value: yield* here.open(target, { read: true }, somebody) };
            if (value.is !== 'done' || 'elsewhere' in value.value) return -1;
            const waiting = value.value;
            // The waiter is made by the streams of host two, in a select.
            const kind = { kind: 'gadget', pair: () => ({ read: waiting, write: waiting }), open: refuse };
            w.other.kind(kind);
            const stream = w.other.pair('gadget').read;
            const ready = yield* w.other.select([{ stream, read: true, write: false }], seconds(1000));
            return ready[0]?.read === true ? w.rig.nowNs : -1;
          })(),
        );
        yield* sleep(seconds(2));
        const startNs = w.rig.nowNs;
        const file = here.file('f');
        file.blocked = false;
        holds('a waiter was left', file.waiters.length > 0);
        // Whoever has the object wakes by his own streams.
        yield* w.rig
          .spawn(
            'one',
            (function* (): Task<void> {
              for (const waiter of file.waiters.splice(0)) w.streams.wake(waiter);
            })(),
          )
          .join();
        const endNs = yield* reading.join();
        within('seconds from the wake-up', (endNs - startNs) / 1e9, 0, 5);
      });
    },
  },
  {
    name: 'select tells what is ready now, of what was asked for',
    run: () => {
      const w = new World(boards);
      w.protocol.file('f');
      w.protocol.file('g').blocked = true;
      w.run(function* (streams) {
        const [f, g] = [yield* w.open('/f', { read: true }), yield* w.open('/g', { read: true })];
        const startNs = w.rig.nowNs;
        const ready = yield* streams.select(
          [
            { stream: f, read: true, write: false },
            { stream: g, read: true, write: true },
          ],
          seconds(10),
        );
        same(
          'ready',
          ready.map((r) => [r.read, r.write]),
          [
            [true, false],
            [false, false],
          ],
        );
        same('nanoseconds', w.rig.nowNs - startNs, 0);
      });
    },
  },
  {
    name: 'select waits until one is ready or the time is over',
    run: () => {
      const w = new World(boards);
      const file = w.protocol.file('f');
      file.blocked = true;
      w.run(function* (streams) {
        const s = yield* w.open('/f', { read: true });
        const wanted = [{ stream: s, read: true, write: false }];
        const startNs = w.rig.nowNs;
        same('nothing', (yield* streams.select(wanted, seconds(3)))[0]?.read ?? null, false);
        same('seconds', (w.rig.nowNs - startNs) / 1e9, 3);
        same('at once', (yield* streams.select(wanted, 0))[0]?.read ?? null, false);
        same('seconds', (w.rig.nowNs - startNs) / 1e9, 3);
        const selecting = w.start(streams.select(wanted, Number.POSITIVE_INFINITY));
        yield* sleep(seconds(1));
        file.unblock(streams);
        same('ready', (yield* selecting.join())[0]?.read ?? null, true);
        same('seconds', (w.rig.nowNs - startNs) / 1e9, 4);
      });
    },
  },
  {
    name: 'lock takes the lock for the stream, waits for it, or is wouldBlock',
    run: () => {
      const w = new World(boards);
      const file = w.protocol.file('f');
      w.run(function* (streams) {
        const [s, t] = [yield* w.open('/f', { read: true }), yield* w.open('/f', { read: true })];
        yield* streams.lock(s, 'exclusive', { wait: false });
        same('owner', file.lockedBy, s.id);
        same('not to wait', yield* kindOf(streams.lock(t, 'exclusive', { wait: false })), 'wouldBlock');
        const waiting = w.start(streams.lock(t, 'exclusive', { wait: true }));
        yield* sleep(seconds(1));
        holds('it waits', !waiting.ended);
        yield* streams.lock(s, 'none', { wait: false });
        yield* waiting.join();
        same('owner', file.lockedBy, t.id);
      });
    },
  },
];

const target = {
  prefix: '/',
  protocol: 'shared',
  authority: 'check' as never,
  root: 'r' as never,
  domainRoot: 'r' as never,
  remainder: 'f',
};

function* refuse(): Task<never> {
  throw new KernelError('unsupported');
}
