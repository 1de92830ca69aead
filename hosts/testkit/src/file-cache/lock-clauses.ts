/** Advisory locks of a whole file. */
import { ms, sleep, type Task } from '@backplane/engine';
import { kindOf } from '@backplane/slots/testing';
import { filled } from '../bytes.ts';
import { type Check, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { type HostName, World } from './world.ts';

export const lockClauses = (bounds: Bounds): readonly Check[] => {
  const others: HostName = bounds.locksBind === 'cluster' ? 'two' : 'one';
  const world = (): World => {
    const made = new World(bounds);
    made.drive(() => made.at('one', (files) => files.put('/f', filled(10, 1))));
    return made;
  };
  return [
    {
      name: 'shared locks go together, an exclusive one keeps all others out: wouldBlock',
      run: () => {
        const w = world();
        w.drive(() =>
          w.at('one', function* (files) {
            const s = yield* files.open('/f', { read: true });
            const tries = (mode: 'shared' | 'exclusive'): Task<string> =>
              w.at(others, function* (other) {
                const t = yield* other.open('/f', { read: true });
                const kind = yield* kindOf(other.streams.lock(t, mode, { wait: false }));
                if (kind === 'ok') yield* other.streams.lock(t, 'none', { wait: false });
                yield* other.streams.close(t);
                return kind;
              });
            yield* files.streams.lock(s, 'shared', { wait: false });
            same('shared and shared', yield* tries('shared'), 'ok');
            same('shared and exclusive', yield* tries('exclusive'), 'wouldBlock');
            yield* files.streams.lock(s, 'exclusive', { wait: false });
            same('exclusive and shared', yield* tries('shared'), 'wouldBlock');
            yield* files.streams.lock(s, 'none', { wait: false });
            same('given up', yield* tries('exclusive'), 'ok');
            yield* files.streams.close(s);
          }),
        );
      },
    },
    {
      name: 'who waits for a lock gets it when it is given up, and a close gives it up',
      run: () => {
        const w = world();
        w.drive(function* () {
          const order: string[] = [];
          const holder = w.start('one', function* (files) {
            const s = yield* files.open('/f', { read: true });
            yield* files.streams.lock(s, 'exclusive', { wait: true });
            yield* sleep(ms(5000));
            order.push('closed');
            yield* files.streams.close(s);
          });
          yield* sleep(ms(1000));
          const waiter = w.start(others, function* (files) {
            const s = yield* files.open('/f', { read: true });
            yield* files.streams.lock(s, 'exclusive', { wait: true });
            order.push('locked');
            yield* files.streams.close(s);
          });
          yield* holder.join();
          yield* waiter.join();
          same('order', order, ['closed', 'locked']);
        });
      },
    },
  ];
};
