/** Operations on names go through the view, and say how naming matches. */
import type { KernelSpec } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { type Check, same } from '../check.ts';
import { somebody, World } from './world.ts';

export const nameClauses = (boards: KernelSpec): readonly Check[] => [
  {
    name: 'open, name, nameTwo and chdir bring the protocol what they were given',
    run: () => {
      const w = new World(boards);
      w.protocol.file('f');
      w.run(function* (streams) {
        yield* w.open('/f', { read: true, append: true });
        yield* streams.name(w.view, '/a/b', 'makeDirectory', { mode: 0o700 }, somebody);
        yield* streams.nameTwo(w.view, 'rename', '/m/x', '/m/y', somebody);
        yield* streams.chdir(w.view, '/m/d', somebody);
        same('working directory', w.view.workingDirectory, '/m/d');
      });
      same(
        'asked',
        w.protocol.asked.filter((a) => !a.startsWith('stat')),
        [
          'open / f {"read":true,"append":true} 33',
          'makeDirectory / a/b {"mode":448} 33',
          'rename /m x /m y 33',
          'enter /m d {} 33',
        ],
      );
    },
  },
  {
    name: 'operations on an entry do not match a prefix that is the whole name; those on an object do',
    run: () => {
      const w = new World(boards);
      w.run(function* (streams) {
        yield* streams.name(w.view, '/m', 'stat', { follow: true }, somebody);
        yield* streams.name(w.view, '/m', 'unlink', {}, somebody);
        yield* streams.name(w.view, '/m', 'makeDirectory', { mode: 0 }, somebody);
        yield* streams.name(w.view, '/m', 'removeDirectory', {}, somebody);
        yield* streams.name(w.view, '/m', 'makeLink', { target: 'x', remote: true }, somebody);
        yield* streams.name(w.view, '/m', 'entries', { after: '' }, somebody);
      });
      same(
        'prefixes',
        w.protocol.asked.map((a) => a.split(' ').slice(0, 2).join(' ')),
        ['stat /m', 'unlink /', 'makeDirectory /', 'removeDirectory /', 'makeLink /', 'entries /m'],
      );
    },
  },
  {
    name: 'what the protocol throws comes out',
    run: () => {
      const w = new World(boards);
      w.run(function* (streams) {
        same('open', yield* kindOf(w.open('/nothing', { read: true })), 'notFound');
        same('name', yield* kindOf(streams.name(w.view, '/refused', 'unlink', {}, somebody)), 'permission');
      });
    },
  },
];
