import type { Task } from '@backplane/engine';
import { isBackplaneError, isKernelError, type KernelErrorKind } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { drive, type ProfileName } from '../src/index.ts';
import { firstDifference, sectorsOf, World } from './world.ts';

const kindOf = (w: World, body: Task<unknown>): KernelErrorKind | 'none' =>
  w.run(
    (function* (): Task<KernelErrorKind | 'none'> {
      try {
        yield* body;
        return 'none';
      } catch (e) {
        if (!isKernelError(e)) throw e;
        return e.kind;
      }
    })(),
  );

const profiles: ProfileName[] = ['eagle', 'wren-iv', 'shoebox', 'instant'];

describe('what a drive holds', () => {
  it('is zeros where nothing was written', () => {
    const w = new World({ profile: 'instant' });
    expect(w.run(w.disk.read(77, 3))).toEqual(new Uint8Array(1536));
  });

  it.each(profiles)('is what was written last, sector by sector (%s, against an array)', (profile) => {
    for (let seed = 1; seed <= 8; seed++) {
      const sectors = 700;
      const w = new World({ profile, sectors }, seed);
      const model = new Uint8Array(sectors * 512);
      const random = w.engine.random('requests');
      w.run(
        (function* (): Task<void> {
          for (let i = 0; i < 60; i++) {
            const sector = random.below(sectors);
            const count = 1 + random.below(Math.min(200, sectors - sector));
            if (random.chance(0.5)) {
              const data = sectorsOf(count, random.below(256));
              model.set(data, sector * 512);
              yield* w.disk.write(sector, data);
            } else {
              const expected = model.slice(sector * 512, (sector + count) * 512);
              expect(firstDifference(yield* w.disk.read(sector, count), expected), `seed ${seed}`).toBe(-1);
            }
          }
        })(),
      );
      expect(firstDifference(w.disk.inspect(0, sectors), model), `seed ${seed}`).toBe(-1);
    }
  });

  it('is copied: neither the bytes that were handed in nor those handed out are the medium', () => {
    const w = new World({ profile: 'instant' });
    const data = sectorsOf(1, 1);
    w.run(w.disk.write(0, data));
    data.fill(99);
    w.run(w.disk.read(0, 1)).fill(88);
    w.disk.inspect(0, 1).fill(77);
    expect(w.disk.inspect(0, 1)).toEqual(sectorsOf(1, 1));
  });

  it('can be loaded without virtual time', () => {
    const w = new World({ profile: 'eagle' });
    w.disk.load(100, sectorsOf(300, 3));
    expect(w.engine.nowNs).toBe(0);
    expect(firstDifference(w.disk.inspect(100, 300), sectorsOf(300, 3))).toBe(-1);
    expect(w.meters.read('disk.server.writes')).toBe(0);
  });
});

describe('what a drive refuses', () => {
  it('has no sectors beyond its end, before 0, or in between', () => {
    const w = new World({ profile: 'eagle' });
    const end = w.disk.sectors;
    expect(end).toBe(774_640);
    for (const body of [
      w.disk.read(end, 1),
      w.disk.read(end - 1, 2),
      w.disk.read(-1, 1),
      w.disk.read(0.5, 1),
      w.disk.read(0, 0),
      w.disk.write(end, sectorsOf(1, 0)),
    ])
      expect(kindOf(w, body)).toBe('noSuchSector');
    expect(w.engine.nowNs).toBe(0);
    expect(kindOf(w, w.disk.read(end - 1, 1))).toBe('none');
  });

  it('takes whole sectors only', () => {
    const w = new World({ profile: 'instant' });
    for (const length of [0, 1, 511, 513]) {
      let thrown: unknown;
      try {
        w.disk.load(0, new Uint8Array(length));
      } catch (e) {
        thrown = e;
      }
      expect(isBackplaneError(thrown) && thrown.code).toBe('WRONG_LENGTH');
    }
  });

  it('cannot have more sectors than its profile', () => {
    expect(() => new World({ profile: 'shoebox', sectors: 1024 * 8 * 17 + 1 })).toThrow(/139265.*139264/);
    expect(new World({ profile: 'shoebox' }).disk.sectors).toBe(139_264);
    expect(() => drive({ profile: 'floppy' as ProfileName })).toThrow(/profile/);
  });
});

describe('faults', () => {
  it('fail a request with an I/O error after the time that it takes', () => {
    const w = new World({ profile: 'eagle' });
    const asked: string[] = [];
    const undo = w.disk.addRule({
      name: 'all reads',
      judge(operation, sector, count) {
        asked.push(`${operation} ${sector} ${count}`);
        return operation === 'read' ? 'error' : 'pass';
      },
    });
    expect(kindOf(w, w.disk.read(8, 8))).toBe('ioError');
    expect(w.engine.nowNs).toBeGreaterThan(0);
    expect(kindOf(w, w.disk.write(8, sectorsOf(8, 1)))).toBe('none');
    undo();
    undo();
    expect(kindOf(w, w.disk.read(8, 8))).toBe('none');
    expect(asked).toEqual(['read 8 8', 'write 8 8']);
  });

  it('are asked in order, and the first error decides', () => {
    const w = new World({ profile: 'instant' });
    const asked: string[] = [];
    for (const [name, verdict] of [
      ['a', 'pass'],
      ['b', 'error'],
      ['c', 'error'],
    ] as const)
      w.disk.addRule({
        name,
        judge: () => {
          asked.push(name);
          return verdict;
        },
      });
    expect(kindOf(w, w.disk.read(0, 1))).toBe('ioError');
    expect(asked).toEqual(['a', 'b']);
  });

  it('may take themselves back while they judge', () => {
    const w = new World({ profile: 'instant' });
    const undo = w.disk.addRule({
      name: 'once',
      judge: () => {
        undo();
        return 'error';
      },
    });
    expect(kindOf(w, w.disk.read(0, 1))).toBe('ioError');
    expect(kindOf(w, w.disk.read(0, 1))).toBe('none');
  });

  it('leave half of a failed write on the medium, which a later write mends', () => {
    const w = new World({ profile: 'instant' });
    w.disk.load(0, sectorsOf(4, 10));
    const undo = w.disk.addRule({ name: 'e', judge: () => 'error' });
    expect(kindOf(w, w.disk.write(0, new Uint8Array(2048).fill(200)))).toBe('ioError');
    undo();
    expect([...w.disk.inspect(0, 4)].filter((_, i) => i % 512 === 0)).toEqual([200, 200, 12, 13]);
    w.run(w.disk.write(0, new Uint8Array(2048).fill(201)));
    expect(w.disk.inspect(3, 1)).toEqual(new Uint8Array(512).fill(201));
  });
});

describe('the extents of a drive', () => {
  it('hold everything that was written, and make the same disk of another drive', () => {
    const from = new World({ profile: 'instant', sectors: 700 });
    for (const sector of [0, 129, 650, 699]) from.run(from.disk.write(sector, sectorsOf(1, sector % 256)));
    const to = new World({ profile: 'instant', sectors: 700 });
    for (const { sector, data } of from.disk.extents()) to.disk.load(sector, data);
    expect(firstDifference(to.disk.inspect(0, 700), from.disk.inspect(0, 700))).toBe(-1);
    expect([...from.disk.extents()].map((e) => e.sector)).toEqual([0, 128, 640]);
  });
});
