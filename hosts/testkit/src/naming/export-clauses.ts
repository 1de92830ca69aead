/** From a path to whom to ask, and with which remainder. */

import { kindOf } from '@backplane/slots/testing';
import { type Check, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { type HostName, shown, target, World } from './world.ts';

/** Three domains on two hosts. */
function threeDomains(bounds: Bounds): World {
  const w = new World(bounds);
  w.export('ginger', '/');
  w.export('mint', '/src');
  w.export('ginger', '/src/lib');
  return w;
}

export const exportClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a name leads to the host that exports its longest prefix, with its root and the rest of the name',
    run: () => {
      const w = threeDomains(bounds);
      const cases: readonly (readonly [string, string])[] = [
        ['/', target('ginger', '/', '')],
        ['/a', target('ginger', '/', 'a')],
        ['/a/b/c', target('ginger', '/', 'a/b/c')],
        ['/src', target('mint', '/src', '')],
        ['/src/x/y', target('mint', '/src', 'x/y')],
        ['/src/lib', target('ginger', '/src/lib', '')],
        ['/src/lib/z', target('ginger', '/src/lib', 'z')],
      ];
      // Twice: what was learned must lead to the same place.
      for (let turn = 0; turn < 2; turn++)
        for (const [name, expected] of cases)
          same(
            name,
            w.on('client', function* (view) {
              return shown(yield* w.where(view, name));
            }),
            expected,
          );
    },
  },
  {
    name: 'a prefix matches whole components only',
    run: () => {
      const w = threeDomains(bounds);
      w.on('client', function* (view) {
        yield* w.where(view, '/src/lib/x');
        same('/srcs', shown(yield* w.where(view, '/srcs/x')), target('ginger', '/', 'srcs/x'));
        same('/src/library', shown(yield* w.where(view, '/src/library')), target('mint', '/src', 'library'));
      });
    },
  },
  {
    name: 'an entry never matches a prefix that is the whole name; an object does',
    run: () => {
      const w = threeDomains(bounds);
      w.on('client', function* (view) {
        for (let turn = 0; turn < 2; turn++) {
          same(
            '/src as an entry',
            shown(yield* w.where(view, '/src', 'entry')),
            target('ginger', '/', 'src'),
          );
          same('/src as an object', shown(yield* w.where(view, '/src')), target('mint', '/src', ''));
          same(
            '/src/lib as an entry',
            shown(yield* w.where(view, '/src/lib', 'entry')),
            target('mint', '/src', 'lib'),
          );
          same(
            '/src/lib/x as an entry',
            shown(yield* w.where(view, '/src/lib/x', 'entry')),
            target('ginger', '/src/lib', 'x'),
          );
        }
      });
    },
  },
  {
    name: 'a host finds its own exports, and those of others',
    run: () => {
      const w = threeDomains(bounds);
      for (const host of ['ginger', 'mint'] as HostName[])
        w.on(host, function* (view) {
          same(`/a from ${host}`, shown(yield* w.where(view, '/a')), target('ginger', '/', 'a'));
          same(`/src/a from ${host}`, shown(yield* w.where(view, '/src/a')), target('mint', '/src', 'a'));
        });
    },
  },
  {
    name: 'without a prefix that anybody ever answered for, a name is notFound',
    run: () => {
      const w = new World(bounds);
      w.on('client', function* (view) {
        same('/a', yield* kindOf(w.where(view, '/a')), 'notFound');
      });
      w.export('ginger', '/');
      w.on('client', function* (view) {
        same('/a when there is one', shown(yield* w.where(view, '/a')), target('ginger', '/', 'a'));
      });
    },
  },
  {
    name: 'a name whose server is known and silent is noAnswer',
    run: () => {
      const w = new World(bounds);
      w.export('ginger', '/');
      w.on('client', function* (view) {
        yield* w.where(view, '/a');
        w.rig.crash('ginger');
        const lost = view.perform('/a', 'object', function* () {
          return { is: 'stale' };
        });
        same('/a', yield* kindOf(lost), 'noAnswer');
      });
    },
  },
  {
    name: 'what was exported and is taken back is answered for no more; taking it back again does nothing',
    run: () => {
      const w = new World(bounds);
      const undo = w.export('ginger', '/', 'first');
      undo();
      w.export('ginger', '/', 'second');
      undo();
      w.on('ginger', function* (view) {
        same('here', shown(yield* w.where(view, '/a')), target('ginger', '/', 'a', 'second'));
      });
      w.on('client', function* (view) {
        same('elsewhere', shown(yield* w.where(view, '/a')), target('ginger', '/', 'a', 'second'));
      });
      const other = new World(bounds);
      other.export('ginger', '/')();
      other.on('client', function* (view) {
        same('nothing left', yield* kindOf(other.where(view, '/a')), 'notFound');
      });
    },
  },
  {
    name: 'a path of more than 1024 bytes is nameTooLong, one of 1024 is not',
    run: () => {
      const w = threeDomains(bounds);
      w.on('client', function* (view) {
        const long = `/${'abcdefgh/'.repeat(113)}`;
        same('bytes', long.length, 1018);
        same('1024', yield* kindOf(w.where(view, `${long}abcdef`)), 'ok');
        same('1025', yield* kindOf(w.where(view, `${long}abcdefg`)), 'nameTooLong');
        same('1025 in two bytes a letter', yield* kindOf(w.where(view, `${long}äöüx`)), 'nameTooLong');
      });
    },
  },
];
