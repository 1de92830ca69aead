/** What is done to a whole directory: of one server, and where the naming has such, of several that share it. */
import type { Task } from '@backplane/engine';
import { type Attempt, done, KernelError, type NameTarget, type NameView, redirect } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { type Check, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { shown, target, World } from './world.ts';

type Try<T> = (t: NameTarget) => Task<Attempt<T>>;

/** As programs do it: without such an operation nobody shares, and one server has all of it. */
function* all<T>(
  view: NameView,
  name: string,
  attempt: Try<T>,
): Task<{ whole: boolean; values: readonly T[]; has: (entry: string) => readonly boolean[] }> {
  if (view.performAll === undefined) {
    const value = yield* view.perform(name, 'object', attempt);
    return { whole: true, values: [value], has: () => [true] };
  }
  const { whole, parts } = yield* view.performAll(name, attempt);
  return { whole, values: parts.map((p) => p.value), has: (entry) => parts.map((p) => p.has(entry)) };
}

export const wholeClauses = (bounds: Bounds): readonly Check[] => {
  const world = (): World => {
    const w = new World(bounds);
    w.export('ginger', '/');
    w.export('mint', '/src');
    return w;
  };
  const alone: readonly Check[] = [
    {
      name: 'a directory that one server has is one part, the whole, and has every name',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          for (const [name, at] of [
            ['/', target('ginger', '/', '')],
            ['/src', target('mint', '/src', '')],
            ['/src/d', target('mint', '/src', 'd')],
          ] as const) {
            const found = yield* all(view, name, (t) => w.walk(t, 'object'));
            same(name, [found.whole, found.values.map(shown)], [true, [at]]);
            same(`names in ${name}`, [found.has('a'), found.has('z')], [[true], [true]]);
          }
        });
      },
    },
    {
      name: 'what is done to a whole directory follows redirects, and throws what the attempt throws',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          const follow: Try<NameTarget> = function* (t) {
            return t.remainder === 'l' ? redirect('/src', 0) : yield* w.walk(t, 'object');
          };
          same('/l', (yield* all(view, '/l', follow)).values.map(shown), [target('mint', '/src', '')]);
          const refused = all(view, '/d', function* (): Task<Attempt<null>> {
            throw new KernelError('permission');
          });
          same('refused', yield* kindOf(refused), 'permission');
        });
      },
    },
  ];
  const { shared } = bounds;
  if (shared === undefined) return alone;
  const sharing = (): World => {
    const w = new World(bounds, 1, shared);
    w.export('ginger', shared.prefix);
    w.export('mint', shared.prefix);
    return w;
  };
  const [first, second] = shared.names;
  const by: Try<string> = function* (t) {
    return done(`${t.authority} ${t.remainder}`);
  };
  return [
    ...alone,
    {
      name: 'a directory that servers share is a part of each, in the order of their names, which no two of them have',
      run: () => {
        const w = sharing();
        w.on('client', function* (view) {
          const found = yield* all(view, shared.prefix, by);
          same('parts', [found.whole, found.values], [true, ['ginger ', 'mint ']]);
          same(
            'names',
            [found.has(first), found.has(second)],
            [
              [true, false],
              [false, true],
            ],
          );
        });
      },
    },
    {
      name: 'a name in a directory that servers share is one part',
      run: () => {
        const w = sharing();
        w.on('client', function* (view) {
          for (const [server, name] of [
            ['ginger', first],
            ['mint', second],
          ]) {
            const found = yield* all(view, `${shared.prefix}/${name}`, by);
            same(String(name), [found.whole, found.values], [true, [`${server} ${name}`]]);
          }
        });
      },
    },
    {
      name: 'of a directory that servers share there is no more than a part, and it says so, while one of them is down',
      run: () => {
        const w = sharing();
        w.rig.crash('mint');
        w.on('client', function* (view) {
          const found = yield* all(view, shared.prefix, by);
          same('parts', [found.whole, found.values], [false, ['ginger ']]);
        });
      },
    },
  ];
};
