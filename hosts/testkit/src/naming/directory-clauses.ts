/** Working directories and views. */
import type { Task } from '@backplane/engine';
import { type Attempt, above, done, type NameTarget, type NameView, token } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { type Check, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { protocol, shown, target, World } from './world.ts';

export const directoryClauses = (bounds: Bounds): readonly Check[] => {
  const world = (): World => {
    const w = new World(bounds);
    w.export('ginger', '/');
    w.export('mint', '/src');
    return w;
  };
  /** Enters a directory; its token says where it was found. */
  const enter = (w: World, view: NameView, name: string): Task<void> =>
    view.chdir(name, function* (t) {
      const found = yield* w.walk(t, 'object');
      return found.is === 'done' ? done(token(`${t.root}:${t.remainder}`)) : found;
    });
  const from = (root: string, remainder: string): string =>
    `${protocol} | mint | /src | ${root} | root of /src | ${remainder}`;
  return [
    {
      name: 'a fresh view is at the root',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          same('working directory', view.workingDirectory, '/');
          same('a', shown(yield* w.where(view, 'a')), target('ginger', '/', 'a'));
        });
      },
    },
    {
      name: 'relative names start at the token of the working directory; absolute ones do not',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          yield* enter(w, view, '/src/d');
          same('working directory', view.workingDirectory, '/src/d');
          same('x/y', shown(yield* w.where(view, 'x/y')), from('root of /src:d', 'x/y'));
          same('/x', shown(yield* w.where(view, '/x')), target('ginger', '/', 'x'));
          yield* enter(w, view, 'e');
          same('working directory', view.workingDirectory, '/src/d/e');
          same('x', shown(yield* w.where(view, 'x')), from('root of /src:d:e', 'x'));
        });
      },
    },
    {
      name: 'above, from a working directory, leads to the domain around its domain',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          yield* enter(w, view, '/src/d');
          const found = yield* view.perform('../../b', 'object', function* (t): Task<Attempt<NameTarget>> {
            return t.root === 'root of /src:d' ? above('../b') : yield* w.walk(t, 'object');
          });
          same('../../b', shown(found), target('ginger', '/', 'b'));
        });
      },
    },
    {
      name: 'chdir that fails leaves the view where it was',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          yield* enter(w, view, '/src/d');
          const kind = yield* kindOf(
            view.chdir('/a', function* () {
              return { is: 'unreachable', perhapsDone: false, wait: giveUp };
            }),
          );
          same('error and working directory', [kind, view.workingDirectory], ['noAnswer', '/src/d']);
        });
      },
    },
    {
      name: 'inherit hands the working directory down; what either does later is its own',
      run: () => {
        const w = world();
        w.on('client', function* (view) {
          yield* enter(w, view, '/src/d');
          const child = view.inherit();
          same('x by the child', shown(yield* w.where(child, 'x')), from('root of /src:d', 'x'));
          yield* enter(w, child, 'e');
          yield* enter(w, view, '/src');
          same('working directories', [child.workingDirectory, view.workingDirectory], ['/src/d/e', '/src']);
          same('x by the child', shown(yield* w.where(child, 'x')), from('root of /src:d:e', 'x'));
        });
      },
    },
  ];
};

function* giveUp(): Task<'give-up'> {
  return 'give-up';
}
