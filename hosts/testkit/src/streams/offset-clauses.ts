/** Offsets: a stream holds one, for everybody who shares it. */
import type { Task } from '@backplane/engine';
import type { KernelSpec } from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { digest, filled } from '../bytes.ts';
import { type Check, same } from '../check.ts';
import { KindInMemory } from './files.ts';
import { World } from './world.ts';

const both = { read: true, write: true };

export const offsetClauses = (boards: KernelSpec): readonly Check[] => [
  {
    name: 'read and write move the offset by what they did; none at the end',
    run: () => {
      const w = new World(boards);
      w.protocol.file('f').bytes = pattern(100, 1);
      w.run(function* (streams) {
        const s = yield* w.open('/f', both);
        same('first', digest(yield* streams.read(s, 30)), digest(pattern(100, 1).subarray(0, 30)));
        same('written', yield* streams.write(s, filled(20, 9)), 20);
        same('offset', s.offset, 50);
        same('the rest', digest(yield* streams.read(s, 1000)), digest(pattern(100, 1).subarray(50)));
        same('at the end', (yield* streams.read(s, 10)).length, 0);
        same('offset', s.offset, 100);
      });
    },
  },
  {
    name: 'readAt and writeAt leave the offset where it is',
    run: () => {
      const w = new World(boards);
      w.protocol.file('f').bytes = pattern(100, 1);
      w.run(function* (streams) {
        const s = yield* w.open('/f', both);
        yield* streams.read(s, 10);
        same('read', digest(yield* streams.readAt(s, 90, 50)), digest(pattern(100, 1).subarray(90)));
        same('written', yield* streams.writeAt(s, 95, filled(10, 9)), 10);
        same('offset', s.offset, 10);
      });
      same('size', w.protocol.file('f').bytes.length, 105);
    },
  },
  {
    name: 'seek sets the offset from the start, from itself and from the end; a negative one is badArgument',
    run: () => {
      const w = new World(boards);
      w.protocol.file('f').bytes = pattern(100, 1);
      w.run(function* (streams) {
        const s = yield* w.open('/f', both);
        same('start', yield* streams.seek(s, 40, 'start'), 40);
        same('current', yield* streams.seek(s, -15, 'current'), 25);
        same('end', yield* streams.seek(s, 20, 'end'), 120);
        same('before the start', yield* kindOf(streams.seek(s, -1, 'start')), 'badArgument');
        same('offset', s.offset, 120);
        yield* streams.write(s, filled(1, 1));
      });
      same('size', w.protocol.file('f').bytes.length, 121);
    },
  },
  {
    name: 'a stream that appends writes at the end, wherever its offset is',
    run: () => {
      const w = new World(boards);
      w.protocol.file('f').bytes = filled(10, 1);
      w.run(function* (streams) {
        const s = yield* w.open('/f', { ...both, append: true });
        yield* streams.write(s, filled(5, 2));
        yield* streams.seek(s, 0, 'start');
        yield* streams.write(s, filled(5, 3));
        same('offset', s.offset, 20);
      });
      same('bytes', [...w.protocol.file('f').bytes.subarray(10)], [2, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
    },
  },
  {
    name: 'who shares a stream shares its offset, and threads that read it at once get bytes of their own',
    run: () => {
      const w = new World(boards);
      w.protocol.file('f').bytes = Uint8Array.from({ length: 200 }, (_, i) => i);
      w.run(function* (streams) {
        const s = yield* w.open('/f', both);
        const shared = streams.share(s);
        const threads = Array.from({ length: 20 }, (_, i) =>
          w.start(streams.read(i % 2 === 0 ? s : shared, 10)),
        );
        const first: number[] = [];
        for (const t of threads) first.push((yield* t.join())[0] ?? -1);
        same(
          'each tenth',
          first.sort((a, b) => a - b),
          Array.from({ length: 20 }, (_, i) => 10 * i),
        );
      });
    },
  },
  {
    name: 'two opens of one file have an offset each',
    run: () => {
      const w = new World(boards);
      w.protocol.file('f').bytes = pattern(100, 1);
      w.run(function* (streams) {
        const [s, t] = [yield* w.open('/f', both), yield* w.open('/f', both)];
        yield* streams.read(s, 30);
        same('offsets', [s.offset, t.offset], [30, 0]);
      });
    },
  },
  {
    name: 'what a stream is not open for is badHandle',
    run: () => {
      const w = new World(boards);
      w.protocol.file('f').bytes = pattern(100, 1);
      w.run(function* (streams) {
        const [r, x] = [yield* w.open('/f', { read: true }), yield* w.open('/f', { write: true })];
        const refused: readonly (readonly [string, Task<unknown>])[] = [
          ['write', streams.write(r, filled(1, 1))],
          ['writeAt', streams.writeAt(r, 0, filled(1, 1))],
          ['read', streams.read(x, 1)],
          ['readAt', streams.readAt(x, 0, 1)],
        ];
        for (const [what, operation] of refused) same(what, yield* kindOf(operation), 'badHandle');
      });
    },
  },
  {
    name: 'an object without offsets is notSeekable',
    run: () => {
      const w = new World(boards);
      w.streams.kind(new KindInMemory('gadget', { pairs: true }));
      w.run(function* (streams) {
        const { read, write } = streams.pair('gadget');
        same('seek', yield* kindOf(streams.seek(read, 0, 'start')), 'notSeekable');
        same('readAt', yield* kindOf(streams.readAt(read, 0, 1)), 'notSeekable');
        same('writeAt', yield* kindOf(streams.writeAt(write, 0, filled(1, 1))), 'notSeekable');
      });
    },
  },
];
