/** Rules: faults in the drive. */

import { kindOf } from '@backplane/slots/testing';
import { digest } from '../bytes.ts';
import { type Check, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { World } from './world.ts';

export const failureClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a rule that says so makes a request fail with ioError, others pass',
    run: () => {
      const w = new World(bounds);
      w.disk.load(0, w.full(200, 7));
      const bad = (sector: number, count: number): boolean => sector <= 100 && 100 < sector + count;
      w.disk.addRule({
        name: 'sector 100',
        judge: (operation, sector, count) => (operation === 'read' && bad(sector, count) ? 'error' : 'pass'),
      });
      w.run(function* (disk) {
        same('a read with it', yield* kindOf(disk.read(90, 20)), 'ioError');
        same('a read beside it', digest(yield* disk.read(101, 20)), digest(w.full(20, 7)));
        same('a write over it', yield* kindOf(disk.write(90, w.full(20, 8))), 'ok');
      });
    },
  },
  {
    name: 'rules are asked for each request in the order in which they were added, until the first error',
    run: () => {
      const w = new World(bounds);
      const asked: string[] = [];
      for (const name of ['first', 'second', 'third'])
        w.disk.addRule({
          name,
          judge: (operation, sector, count) => {
            asked.push(`${name} ${operation} ${sector} ${count}`);
            return name === 'second' && operation === 'write' ? 'error' : 'pass';
          },
        });
      w.run(function* (disk) {
        same('the write', yield* kindOf(disk.write(30, w.full(2, 1))), 'ioError');
        same('the read', yield* kindOf(disk.read(60, 4)), 'ok');
      });
      same('asked', asked, [
        'first write 30 2',
        'second write 30 2',
        'first read 60 4',
        'second read 60 4',
        'third read 60 4',
      ]);
    },
  },
  {
    name: 'a rule that was taken back is not asked; taking it back again does nothing',
    run: () => {
      const w = new World(bounds);
      const rule = { name: 'all', judge: () => 'error' as const };
      const undos = [w.disk.addRule(rule), w.disk.addRule(rule)];
      const read = (): string => w.run((disk) => kindOf(disk.read(0, 1)));
      undos[0]?.();
      undos[0]?.();
      same('one of two is left', read(), 'ioError');
      undos[1]?.();
      same('none is left', read(), 'ok');
    },
  },
  {
    name: 'sectors whose write failed are good again when they are rewritten, and others were never touched',
    run: () => {
      const w = new World(bounds);
      w.disk.load(0, w.full(100, 1));
      const undo = w.disk.addRule({
        name: 'writes',
        judge: (operation) => (operation === 'write' ? 'error' : 'pass'),
      });
      same(
        'the write',
        w.run((disk) => kindOf(disk.write(40, w.full(20, 2)))),
        'ioError',
      );
      undo();
      same('before', digest(w.disk.inspect(0, 40)), digest(w.full(40, 1)));
      same('behind', digest(w.disk.inspect(60, 40)), digest(w.full(40, 1)));
      w.run((disk) => disk.write(40, w.full(20, 3)));
      same('rewritten', digest(w.run((disk) => disk.read(40, 20))), digest(w.full(20, 3)));
    },
  },
];
