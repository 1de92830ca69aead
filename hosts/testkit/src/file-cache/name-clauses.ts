/** Operations on names, and how a file is opened. */
import type { Task } from '@backplane/engine';
import type { Credentials, NameOps } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { filled } from '../bytes.ts';
import { type Check, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { type Files, World } from './world.ts';

const somebody: Credentials = { uid: 20, gid: 30, groups: [31] };

const tried = (bounds: Bounds, body: (files: Files) => Task<void>): void => {
  const world = new World(bounds);
  world.drive(() => world.at('one', body));
};

function* fails(what: string, operation: Task<unknown>, kind: string): Task<void> {
  same(what, yield* kindOf(operation), kind);
}

function* names(files: Files, path: string): Task<string[]> {
  const all: string[] = [];
  for (;;) {
    const found: NameOps['entries']['out'] = yield* files.name(path, 'entries', { after: all.at(-1) ?? '' });
    all.push(...found.names);
    if (found.complete) return all;
  }
}

export const nameClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'an open creates only when it is told to, and refuses what is there when it is exclusive',
    run: () =>
      tried(bounds, function* (files) {
        yield* fails('nothing there', files.open('/f', { read: true }), 'notFound');
        yield* fails('nothing there to write', files.open('/f', { write: true }), 'notFound');
        const how = { write: true, create: true, exclusive: true, mode: 0o640 };
        yield* files.streams.close(yield* files.open('/f', how));
        same('mode', (yield* files.stat('/f')).mode, 0o640);
        yield* fails('exclusive', files.open('/f', how), 'exists');
        yield* files.streams.close(yield* files.open('/f', { write: true, create: true, mode: 0o777 }));
        same('mode of what was there', (yield* files.stat('/f')).mode, 0o640);
      }),
  },
  {
    name: 'an open that truncates leaves nothing of what was there',
    run: () =>
      tried(bounds, function* (files) {
        yield* files.put('/f', filled(9000, 1));
        yield* files.streams.close(yield* files.open('/f', { write: true, truncate: true }));
        same('bytes', (yield* files.get('/f')).length, 0);
        same('size', (yield* files.stat('/f')).sizeBytes, 0);
      }),
  },
  {
    name: 'a directory is not opened for writing',
    run: () =>
      tried(bounds, function* (files) {
        yield* files.name('/d', 'makeDirectory', { mode: 0o755 });
        yield* fails('for writing', files.open('/d', { write: true }), 'isDirectory');
        yield* fails('through a file', files.open('/f/g', { read: true }), 'notFound');
        yield* files.put('/f', filled(1, 1));
        yield* fails('through a file', files.open('/f/g', { read: true }), 'notDirectory');
      }),
  },
  {
    name: 'stat tells type, size, links, mode and owner',
    run: () =>
      tried(bounds, function* (files) {
        yield* files.put('/f', filled(123, 1));
        yield* files.name('/d', 'makeDirectory', { mode: 0o711 });
        const [f, d] = [yield* files.stat('/f'), yield* files.stat('/d')];
        same('of a file', [f.type, f.sizeBytes, f.links, f.mode, f.uid], ['file', 123, 1, 0o666, 0]);
        same('of a directory', [d.type, d.links, d.mode], ['directory', 2, 0o711]);
        yield* fails('of nothing', files.stat('/x'), 'notFound');
      }),
  },
  {
    name: 'entries are sorted and come in pages until they are complete',
    run: () =>
      tried(bounds, function* (files) {
        yield* files.name('/d', 'makeDirectory', { mode: 0o755 });
        const expected: string[] = [];
        for (let i = 100; i < 220; i++) {
          const name = `entry ${i} ${'n'.repeat(60)}`;
          expected.push(name);
          yield* files.streams.close(yield* files.open(`/d/${name}`, { write: true, create: true }));
        }
        same('names', yield* names(files, '/d'), expected);
        yield* files.put('/f', filled(1, 1));
        yield* fails('of a file', files.name('/f', 'entries', { after: '' }), 'notDirectory');
      }),
  },
  {
    name: 'unlink, makeDirectory and removeDirectory do and refuse what they say',
    run: () =>
      tried(bounds, function* (files) {
        yield* files.name('/d', 'makeDirectory', { mode: 0o755 });
        yield* files.put('/d/f', filled(1, 1));
        yield* fails('made again', files.name('/d', 'makeDirectory', { mode: 0o755 }), 'exists');
        yield* fails('unlink of a directory', files.name('/d', 'unlink', {}), 'isDirectory');
        yield* fails('not empty', files.name('/d', 'removeDirectory', {}), 'notEmpty');
        yield* fails('no directory', files.name('/d/f', 'removeDirectory', {}), 'notDirectory');
        yield* fails('nothing there', files.name('/d/g', 'unlink', {}), 'notFound');
        yield* files.name('/d/f', 'unlink', {});
        yield* files.name('/d', 'removeDirectory', {});
        same('entries', yield* names(files, '/'), []);
      }),
  },
  {
    name: 'a symbolic link is followed unless it is the object itself',
    run: () =>
      tried(bounds, function* (files) {
        yield* files.name('/d', 'makeDirectory', { mode: 0o755 });
        yield* files.put('/d/f', filled(77, 1));
        yield* files.name('/l', 'makeLink', { target: 'd/f', remote: false });
        yield* files.name('/m', 'makeLink', { target: '/d', remote: false });
        same('its text', yield* files.name('/l', 'readLink', {}), 'd/f');
        same('itself', (yield* files.stat('/l', false)).type, 'symlink');
        same('what it leads to', (yield* files.stat('/l')).sizeBytes, 77);
        same('through another', (yield* files.get('/m/f')).length, 77);
        yield* files.name('/l', 'unlink', {});
        same('what it led to', (yield* files.get('/d/f')).length, 77);
        yield* fails('no link', files.name('/d/f', 'readLink', {}), 'badArgument');
        yield* files.name('/x', 'makeLink', { target: '/y', remote: false });
        yield* files.name('/y', 'makeLink', { target: '/x', remote: false });
        yield* fails('a loop', files.get('/x'), 'nameLoop');
      }),
  },
  {
    name: 'rename replaces, link adds a name',
    run: () =>
      tried(bounds, function* (files) {
        yield* files.put('/a', filled(1, 1));
        yield* files.put('/b', filled(2, 2));
        yield* files.two('link', '/b', '/c');
        yield* files.two('rename', '/a', '/b');
        same('names', yield* names(files, '/'), ['b', 'c']);
        same('bytes', [(yield* files.get('/b')).length, (yield* files.get('/c')).length], [1, 2]);
        yield* fails('a name that is taken', files.two('link', '/b', '/c'), 'exists');
        yield* fails('nothing there', files.two('rename', '/a', '/d'), 'notFound');
        yield* files.name('/d', 'makeDirectory', { mode: 0o755 });
        yield* fails('into itself', files.two('rename', '/d', '/d/e'), 'badArgument');
      }),
  },
  {
    name: 'setAttributes by name sets what it is given, and access says what one may',
    run: () =>
      tried(bounds, function* (files) {
        yield* files.put('/f', filled(1, 1));
        yield* files.name('/f', 'setAttributes', { change: { mode: 0o640, uid: 20, gid: 31 }, follow: true });
        const { mode, uid, gid } = yield* files.stat('/f');
        same('attributes', [mode, uid, gid], [0o640, 20, 31]);
        const may = (need: { read?: boolean; write?: boolean; execute?: boolean }) =>
          kindOf(files.name('/f', 'access', { read: false, write: false, execute: false, ...need }));
        files.who = somebody;
        same('the owner reads', yield* may({ read: true }), 'ok');
        same('the owner writes', yield* may({ write: true }), 'ok');
        same('the owner executes', yield* may({ execute: true }), 'permission');
        files.who = { ...somebody, uid: 21 };
        same('the group reads', yield* may({ read: true }), 'ok');
        same('the group writes', yield* may({ write: true }), 'permission');
        files.who = { uid: 22, gid: 22, groups: [] };
        same('others read', yield* may({ read: true }), 'permission');
      }),
  },
  {
    name: 'an open is refused by the mode bits',
    run: () =>
      tried(bounds, function* (files) {
        yield* files.put('/f', filled(1, 1));
        yield* files.name('/f', 'setAttributes', { change: { mode: 0o604, uid: 1 }, follow: true });
        files.who = somebody;
        yield* fails('to write', files.open('/f', { write: true }), 'permission');
        yield* files.streams.close(yield* files.open('/f', { read: true }));
        yield* fails('to create', files.open('/g', { write: true, create: true }), 'permission');
        yield* fails('to remove', files.name('/f', 'unlink', {}), 'permission');
        yield* fails(
          'to change',
          files.name('/f', 'setAttributes', { change: { mode: 0 }, follow: true }),
          'notOwner',
        );
      }),
  },
  {
    name: 'several servers: each serves its domain, ".." at a root leads to the domain around it, two names in two domains are crossDomain',
    run: () => {
      const world = new World(bounds, { hostTwoServes: '/src' });
      world.drive(() =>
        world.at('one', function* (files) {
          yield* files.put('/a', filled(1, 1));
          yield* files.put('/src/b', filled(2, 2));
          same('entries of /src', yield* names(files, '/src'), ['b']);
          same('a by way of /src', (yield* files.get('/src/../a')).length, 1);
          same('b from the server of /', (yield* world.at('server', (f) => f.get('/src/b'))).length, 2);
          yield* fails('rename', files.two('rename', '/a', '/src/a'), 'crossDomain');
          yield* fails('link', files.two('link', '/src/b', '/b'), 'crossDomain');
          yield* files.two('rename', '/src/b', '/src/c');
          same('entries of /src', yield* names(files, '/src'), ['c']);
          yield* files.name('/l', 'makeLink', { target: '/src/c', remote: false });
          same('through a link into the other domain', (yield* files.get('/l')).length, 2);
          yield* files.streams.chdir(files.view, '/src', files.who);
          same('from a working directory', (yield* files.get('c')).length, 2);
          same('above it', (yield* files.get('../a')).length, 1);
        }),
      );
    },
  },
];
