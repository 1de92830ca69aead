/** Two names, one operation. */
import type { Task } from '@backplane/engine';
import {
  type About,
  type Attempt,
  done,
  KernelError,
  type NameTarget,
  type NameView,
  redirect,
  type SecondAttempt,
} from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { type Check, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { shown, target, World } from './world.ts';

type Both = Attempt<readonly string[]> | SecondAttempt<readonly string[]>;

export const twoNameClauses = (bounds: Bounds): readonly Check[] => {
  const world = (): World => {
    const w = new World(bounds);
    w.export('ginger', '/');
    w.export('mint', '/src');
    return w;
  };
  /** Where both names lead, with the link "/l" to "/src/d" and without. */
  const both = (
    w: World,
    view: NameView,
    first: string,
    second: string,
    o: { readonly about?: About; readonly attempt?: (a: NameTarget, b: NameTarget) => Task<Both> } = {},
  ): Task<readonly string[]> =>
    view.performTwo(
      first,
      second,
      o.about ?? 'entry',
      (t) => follow(w, t),
      o.attempt ??
        function* (a, b): Task<Both> {
          return (yield* elsewhere(w, a, b)) ?? done([shown(a), shown(b)]);
        },
    );
  return [
    {
      name: 'both names are found in one domain, and what the attempt brings or throws comes out',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          same('in /', yield* both(w, view, '/a', '/b/c'), [
            target('ginger', '/', 'a'),
            target('ginger', '/', 'b/c'),
          ]);
          same('in /src', yield* both(w, view, '/src/a', '/src/b'), [
            target('mint', '/src', 'a'),
            target('mint', '/src', 'b'),
          ]);
          const kind = yield* kindOf(
            both(w, view, '/a', '/b', {
              attempt: function* (): Task<Both> {
                throw new KernelError('notEmpty');
              },
            }),
          );
          same('error', kind, 'notEmpty');
        });
      },
    },
    {
      name: 'names in different domains are crossDomain, and nothing is done',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          let attempts = 0;
          const attempt = function* (a: NameTarget, b: NameTarget): Task<Both> {
            const other = yield* elsewhere(w, a, b);
            if (other !== undefined) return other;
            attempts++;
            return done([]);
          };
          // The second time the prefix is known from the start.
          for (let turn = 0; turn < 2; turn++) {
            same('/a, /src/b', yield* kindOf(both(w, view, '/a', '/src/b', { attempt })), 'crossDomain');
            same('/src/a, /b', yield* kindOf(both(w, view, '/src/a', '/b', { attempt })), 'crossDomain');
            yield* w.where(view, '/src/x');
          }
          same('attempts', attempts, 0);
        });
      },
    },
    {
      name: 'redirects on the way to either parent are settled before the domains are compared',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          yield* w.where(view, '/src/x');
          same('/l/a, /src/b', yield* both(w, view, '/l/a', '/src/b'), [
            target('mint', '/src', 'd/a'),
            target('mint', '/src', 'b'),
          ]);
          same('/src/a, /l/b', yield* both(w, view, '/src/a', '/l/b'), [
            target('mint', '/src', 'a'),
            target('mint', '/src', 'd/b'),
          ]);
        });
      },
    },
    {
      name: 'an outcome that concerns the second name changes that one alone',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          const attempt = function* (a: NameTarget, b: NameTarget): Task<Both> {
            if (a.remainder === 'x') return redirect('/a', 0);
            if (b.remainder === 'y') return { is: 'second', of: redirect('/b', 0) };
            return { is: 'second', of: done([shown(a), shown(b)]) };
          };
          same('/x, /y', yield* both(w, view, '/x', '/y', { attempt }), [
            target('ginger', '/', 'a'),
            target('ginger', '/', 'b'),
          ]);
        });
      },
    },
    {
      name: 'the second name is always an entry; the first is what the operation says',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          yield* w.where(view, '/src/x');
          same('entries', yield* both(w, view, '/src', '/src'), [
            target('ginger', '/', 'src'),
            target('ginger', '/', 'src'),
          ]);
          same(
            'an object of the other domain',
            yield* kindOf(both(w, view, '/src', '/b', { about: 'object' })),
            'crossDomain',
          );
        });
      },
    },
    {
      name: 'redirects without end are nameLoop',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          const attempt = function* (): Task<Both> {
            return redirect('/a', 0);
          };
          same('of the first', yield* kindOf(both(w, view, '/a', '/b', { attempt })), 'nameLoop');
          const second = function* (): Task<Both> {
            return { is: 'second', of: redirect('/b', 0) };
          };
          same('of the second', yield* kindOf(both(w, view, '/a', '/b', { attempt: second })), 'nameLoop');
        });
      },
    },
  ];
};

function* follow(w: World, t: NameTarget): Task<Attempt<unknown>> {
  return t.prefix === '/' && t.remainder === 'l' ? redirect('/src/d', 0) : yield* w.walk(t, 'object');
}

/** A server's answer when one of the names leaves its domain. */
function* elsewhere(w: World, a: NameTarget, b: NameTarget): Task<Both | undefined> {
  const first = yield* w.walk(a, 'entry');
  if (first.is === 'redirect') return first;
  const second = yield* w.walk(b, 'entry');
  return second.is === 'redirect' ? { is: 'second', of: second } : undefined;
}
