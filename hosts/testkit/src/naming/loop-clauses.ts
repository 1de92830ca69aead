/** The loop: locate, attempt, learn, at most ten times. */
import { ms, sleep, type Task } from '@backplane/engine';
import {
  type Attempt,
  above,
  done,
  KernelError,
  type NameTarget,
  redirect,
  redirectsMax,
  staleName,
  type Verdict,
} from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { type Check, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { shown, target, World } from './world.ts';

export const loopClauses = (bounds: Bounds): readonly Check[] => {
  const world = (): World => {
    const w = new World(bounds);
    w.export('ginger', '/');
    w.export('mint', '/src');
    return w;
  };
  return [
    {
      name: 'what the attempt brings or throws comes out, and it runs once',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          let attempts = 0;
          const value = yield* view.perform('/a', 'object', function* () {
            attempts++;
            yield* sleep(ms(5));
            return done(42);
          });
          const kind = yield* kindOf(
            view.perform('/a', 'object', function* (): Task<Attempt<null>> {
              attempts++;
              throw new KernelError('permission');
            }),
          );
          same('value, error, attempts', [value, kind, attempts], [42, 'permission', 2]);
        });
      },
    },
    {
      name: 'a redirect is followed to another name, in the same domain and in another',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          const links = new Map([
            ['l', '/a/b'],
            ['m', '/src/x'],
          ]);
          const follow = (name: string): Task<NameTarget> =>
            view.perform(name, 'object', function* (t): Task<Attempt<NameTarget>> {
              const to = t.prefix === '/' ? links.get(t.remainder) : undefined;
              return to === undefined ? yield* w.walk(t, 'object') : redirect(to, 0);
            });
          same('/l', shown(yield* follow('/l')), target('ginger', '/', 'a/b'));
          same('/m', shown(yield* follow('/m')), target('mint', '/src', 'x'));
        });
      },
    },
    {
      name: 'ten redirects are followed, and the eleventh is nameLoop',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          const through = (links: number): Task<string> => {
            let followed = 0;
            return kindOf(
              view.perform('/a', 'object', function* (): Task<Attempt<null>> {
                return followed++ < links ? redirect(`/a${followed}`, 0) : done(null);
              }),
            );
          };
          same(`through ${redirectsMax}`, yield* through(redirectsMax), 'ok');
          same(`through ${redirectsMax + 1}`, yield* through(redirectsMax + 1), 'nameLoop');
          same('for ever', yield* through(Number.POSITIVE_INFINITY), 'nameLoop');
        });
      },
    },
    {
      name: 'above: ".." at the root of a domain leads to the domain around it, and at the root of all to itself',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          const climb = (name: string): Task<NameTarget> =>
            view.perform(name, 'object', function* (t): Task<Attempt<NameTarget>> {
              return t.remainder.startsWith('../') || t.remainder === '..'
                ? above(t.remainder === '..' ? '../' : t.remainder)
                : yield* w.walk(t, 'object');
            });
          yield* w.where(view, '/src/x');
          same('/src/../b', shown(yield* climb('/src/../b')), target('ginger', '/', 'b'));
          same('/src/..', shown(yield* climb('/src/..')), target('ginger', '/', ''));
          same('/../b', shown(yield* climb('/../b')), target('ginger', '/', 'b'));
        });
      },
    },
    {
      name: 'stale: the hint is forgotten and the prefix located again, also by many threads at once',
      run: () => {
        const w = new World(bounds);
        const undo = w.export('ginger', '/', 'old');
        w.on('client', function* (view) {
          yield* w.where(view, '/a');
        });
        undo();
        w.export('ginger', '/', 'new');
        w.rig.drive(function* () {
          const threads = Array.from({ length: 5 }, (_, i) =>
            w.rig.spawn(
              'client',
              w
                .naming('client')
                .view()
                .perform('/a', 'object', function* (t): Task<Attempt<string>> {
                  yield* sleep(ms(3 * i));
                  return t.root === 'old' ? staleName : done(shown(t));
                }),
            ),
          );
          for (const t of threads) same('/a', yield* t.join(), target('ginger', '/', 'a', 'new'));
        });
      },
    },
    {
      name: 'stale for ever is nameLoop',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          const kind = yield* kindOf(
            view.perform('/a', 'object', function* () {
              return staleName;
            }),
          );
          same('/a', kind, 'nameLoop');
        });
      },
    },
    {
      name: 'unreachable: it waits, tries again as often as that helps, and a wait that was given up is noAnswer',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          let waits = 0;
          const patient = (waitsMax: number): Task<string> =>
            kindOf(
              view.perform('/a', 'object', function* (): Task<Attempt<null>> {
                if (waits >= 25) return done(null);
                return {
                  is: 'unreachable',
                  perhapsDone: false,
                  *wait() {
                    waits++;
                    yield* sleep(ms(1));
                    return waits < waitsMax ? 'retry' : 'give-up';
                  },
                };
              }),
            );
          same('after 25 waits', [yield* patient(100), waits], ['ok', 25]);
          waits = 0;
          same('given up', [yield* patient(3), waits], ['noAnswer', 3]);
        });
      },
    },
    {
      name: 'what a server that fell silent may have done is asked for as such from then on',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          const silences = [false, true, false];
          const asked: boolean[] = [];
          const attempt = function* (t: NameTarget): Task<Attempt<null>> {
            const perhapsDone = silences[asked.length];
            asked.push(t.again === true);
            if (perhapsDone === undefined) return done(null);
            return { is: 'unreachable', perhapsDone, wait: again };
          };
          yield* view.perform('/a', 'entry', attempt);
          same('one name', asked, [false, false, true, true]);
          asked.length = 0;
          yield* view.performTwo('/a', '/b', 'entry', attempt, attempt);
          same('two names', asked, [false, false, true, true]);
        });
      },
    },
    {
      name: 'waiting for the server of two names is not counted',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          let waits = 0;
          const attempt = function* (): Task<Attempt<null>> {
            return waits++ < 25 ? { is: 'unreachable', perhapsDone: false, wait: again } : done(null);
          };
          yield* view.performTwo('/a', '/b', 'entry', attempt, attempt);
          same('waits', waits, 26);
        });
      },
    },
  ];
};

function* again(): Task<Verdict> {
  yield* sleep(ms(1));
  return 'retry';
}
