import { type Task, us } from '@backplane/engine';
import { kindOf } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { stepMicroseconds } from './courses.ts';
import { full, World } from './world.ts';

/** Rows of 4 data units of 4 sectors, on 5 members. */
const level5 = (seed = 1): World => new World(5, 400, { level: 5, unitSectors: 4, strikeSeconds: 1 }, seed);
const rowSectors = 16;
/** In 400 - 2 - 4 * 16 sectors. */
const rows = 83;

/** What requests to the members a piece of work takes. */
function requests(
  w: World,
  work: () => Task<unknown>,
): { reads: number; writes: number; sectorsRead: number } {
  const sum = (count: (d: World['disks'][number]) => number): number =>
    w.disks.reduce((total, d) => total + count(d), 0);
  const before = {
    reads: sum((d) => d.reads),
    writes: sum((d) => d.writes),
    read: sum((d) => d.sectorsRead),
  };
  w.run(work());
  return {
    reads: sum((d) => d.reads) - before.reads,
    writes: sum((d) => d.writes) - before.writes,
    sectorsRead: sum((d) => d.sectorsRead) - before.read,
  };
}

describe('where level 5 puts what', () => {
  it('turns the check unit round the members, and goes on with data behind it', () => {
    const w = level5();
    w.run(w.array.write(0, full(5 * rowSectors, 0)));
    for (let unit = 0; unit < 12; unit++) w.run(w.array.write(unit * 4, full(4, unit + 1)));
    const layout = Array.from({ length: 3 }, (_, row) =>
      w.disks.map((d) => w.values(d.inspect(row * 4, 1))[0] ?? -1),
    );
    const [a, b, c] = [1 ^ 2 ^ 3 ^ 4, 5 ^ 6 ^ 7 ^ 8, 9 ^ 10 ^ 11 ^ 12];
    expect(layout).toEqual([
      [1, 2, 3, 4, a],
      [6, 7, 8, b, 5],
      [11, 12, c, 9, 10],
    ]);
  });

  it('has all sectors that no check unit and no note takes', () => {
    expect(level5().array.sectors).toBe(rows * rowSectors);
  });
});

describe('what a write costs', () => {
  const world = (): World => {
    const w = level5();
    // The region is noted, so that only the write itself is counted.
    w.run(w.array.write(0, full(1, 1)));
    return w;
  };

  it('writes whole rows without a read, each member once', () => {
    const w = world();
    expect(requests(w, () => w.array.write(0, full(2 * rowSectors, 7)))).toEqual({
      reads: 0,
      writes: 5,
      sectorsRead: 0,
    });
    expect(w.metric('fullRows')).toBe(2);
  });

  it('reads old data and old check for a small write', () => {
    const w = world();
    expect(requests(w, () => w.array.write(17, full(2, 7)))).toEqual({ reads: 2, writes: 2, sectorsRead: 4 });
    expect(w.metric('readModifyWrites')).toBe(2);
    expect(w.metric('reconstructWrites')).toBe(0);
  });

  it('reads what stays where that is less', () => {
    const w = world();
    expect(requests(w, () => w.array.write(16, full(12, 7)))).toEqual({
      reads: 1,
      writes: 4,
      sectorsRead: 4,
    });
    expect(w.metric('reconstructWrites')).toBe(1);
    expect(w.unfitRows(4, rows)).toEqual([]);
  });

  it('never reads for a mirror, whose check is a copy', () => {
    const w = new World(2, 100, { level: 1, unitSectors: 4 });
    w.run(w.array.write(0, full(1, 1)));
    expect(requests(w, () => w.array.write(2, full(1, 7)))).toEqual({ reads: 0, writes: 2, sectorsRead: 0 });
    expect(w.disks[0]?.inspect(0, 4)).toEqual(w.disks[1]?.inspect(0, 4));
  });

  it('reads each member once for a long read', () => {
    const w = world();
    expect(requests(w, () => w.array.read(0, 10 * rowSectors)).reads).toBe(5);
  });
});

describe('the note of what is under way', () => {
  it('is on every member before the first write into a region, and not written again for the next', () => {
    const w = level5();
    w.run(w.array.write(0, full(rowSectors, 1)));
    expect(w.disks.map((d) => d.writes)).toEqual([2, 2, 2, 2, 2]);
    w.run(w.array.write(0, full(rowSectors, 2)));
    expect(w.disks.map((d) => d.writes)).toEqual([3, 3, 3, 3, 3]);
  });

  it('is struck out when the region has been quiet, and then nothing happens any more', () => {
    const w = level5();
    w.run(w.array.write(0, full(rowSectors, 1)));
    expect(w.disks.map((d) => d.writes)).toEqual([2, 2, 2, 2, 2]);
    // Comes to an end: nothing is left to happen.
    w.engine.run();
    expect(w.disks.map((d) => d.writes)).toEqual([3, 3, 3, 3, 3]);
    w.crash();
    w.run(w.array.read(0, 1));
    w.engine.run();
    expect(w.metric('rowsResynchronised')).toBe(0);
  });

  it('makes the check units of noted regions fit after the power failed, and looks at no others', () => {
    let unfit = 0;
    for (let cutNs = us(100); cutNs < us(400); cutNs += us(13)) {
      const w = level5();
      w.run(w.array.write(40 * rowSectors, full(rowSectors, 1)));
      w.boot.spawn('w', w.array.write(40 * rowSectors + 3, full(9, 2)));
      w.engine.run(w.engine.nowNs + cutNs);
      w.crash();
      unfit += w.unfitRows(4, rows).length;
      w.run(w.array.read(0, 1));
      w.engine.run();
      expect(w.unfitRows(4, rows)).toEqual([]);
      // 83 rows in 64 regions are two in each.
      expect(w.metric('rowsResynchronised')).toBeLessThanOrEqual(2);
    }
    expect(unfit, 'instants at which a check did not fit').toBeGreaterThan(0);
  });
});

describe('a barrier of an array', () => {
  it('waits for writes that were made before it, and then for every member', () => {
    const w = level5();
    w.boot.spawn('w', w.array.write(1, full(9, 2)));
    w.run(
      (function* (): Task<void> {
        yield* w.array.barrier();
        expect(w.values(w.array.inspect(1, 9))).toEqual(new Array(9).fill(2));
      })(),
    );
    expect(w.disks.map((d) => d.barriers)).toEqual([1, 1, 1, 1, 1]);
  });
});

describe('a write whose program is killed', () => {
  it('goes to its end, so that check units fit', () => {
    for (let cutNs = us(10); cutNs < us(700); cutNs += us(50)) {
      const w = level5();
      const writer = w.boot.spawn('w', w.array.write(3, full(9, 2)));
      w.engine.run(cutNs);
      writer.cancel();
      w.engine.run();
      expect(writer.ended).toBe(true);
      expect(w.values(w.array.inspect(3, 9))).toEqual(new Array(9).fill(2));
      expect(w.unfitRows(4, rows)).toEqual([]);
    }
  });
});

describe('an array that has lost a member', () => {
  const degraded = (lost = 0): World => {
    const w = level5();
    w.run(w.array.write(0, full(3 * rowSectors, 5)));
    for (let unit = 0; unit < 12; unit++) w.run(w.array.write(unit * 4, full(4, unit + 1)));
    const disk = w.disks[lost];
    if (disk !== undefined) disk.broken = true;
    return w;
  };
  const expected = Array.from({ length: 3 * rowSectors }, (_, s) => Math.floor(s / 4) + 1);

  it('reads as before, whichever it was', () => {
    for (let lost = 0; lost < 5; lost++) {
      const w = degraded(lost);
      expect(w.values(w.run(w.array.read(0, 3 * rowSectors)))).toEqual(expected);
      expect(w.array.lost).toEqual([`disk.${lost + 1}`]);
      expect(w.metric('losses')).toBe(1);
      expect(w.values(w.array.inspect(0, 3 * rowSectors))).toEqual(expected);
    }
  });

  it('takes writes to the units that are lost, and to the others', () => {
    for (let lost = 0; lost < 5; lost++)
      for (const [first, count] of [
        [1, 2],
        [2, 9],
        [14, 20],
        [0, 48],
      ] as const) {
        const w = degraded(lost);
        w.run(w.array.write(first, full(count, 99)));
        const after = expected.map((value, s) => (s >= first && s < first + count ? 99 : value));
        expect(w.values(w.run(w.array.read(0, 3 * rowSectors)))).toEqual(after);
      }
  });

  it('asks it nothing any more, even when it would answer', () => {
    const w = degraded();
    w.run(w.array.read(0, 48));
    const [disk] = w.disks;
    if (disk === undefined) throw new Error('no disk');
    disk.broken = false;
    const before = disk.reads + disk.writes;
    w.run(w.array.write(0, full(48, 1)));
    w.run(w.array.read(0, 48));
    expect(disk.reads + disk.writes).toBe(before);
  });

  it('knows after a power failure which one it was', () => {
    const w = degraded();
    w.run(w.array.write(0, full(4, 77)));
    w.crash();
    for (const d of w.disks) d.broken = false;
    expect(w.values(w.run(w.array.read(0, 4)))).toEqual([77, 77, 77, 77]);
    expect(w.array.lost).toEqual(['disk.1']);
  });

  it('answers ioError for what takes two that fail, and goes on with the rest', () => {
    const w = degraded(0);
    w.run(w.array.read(0, 48));
    const second = w.disks[1];
    if (second === undefined) throw new Error('no disk');
    second.broken = true;
    expect(w.run(kindOf(w.array.read(0, 48)))).toBe('ioError');
    expect(w.run(kindOf(w.array.write(0, full(48, 1))))).toBe('ioError');
    expect(w.run(kindOf(w.array.read(8, 8)))).toBe('ok');
    expect(w.array.lost).toEqual(['disk.1']);
    second.broken = false;
    expect(w.run(kindOf(w.array.write(0, full(48, 1))))).toBe('ok');
  });

  it('changes nothing beside what is being written, at whatever instant the power fails', () => {
    for (let lost = 0; lost < 5; lost++)
      for (let cutNs = us(250) + us(lost); cutNs < us(650); cutNs += us(stepMicroseconds)) {
        const w = degraded(lost);
        w.run(w.array.read(0, 48));
        w.boot.spawn('w', w.array.write(18, full(9, 99)));
        w.engine.run(w.engine.nowNs + cutNs);
        w.crash();
        const atOnce = w.values(w.array.inspect(0, 48));
        const read = w.values(w.run(w.array.read(0, 48)));
        expect(atOnce).toEqual(read);
        for (const [s, value] of read.entries())
          if (s < 18 || s >= 27) expect(value, `lost ${lost}, cut ${cutNs}, sector ${s}`).toBe(expected[s]);
          else expect([expected[s], 99]).toContain(value);
      }
  });
});

describe('a member that is replaced', () => {
  it('is written again while requests go on, and counts then', () => {
    const w = level5();
    w.run(w.array.write(0, full(30 * rowSectors, 3)));
    const disk = w.disks[2];
    if (disk === undefined) throw new Error('no disk');
    disk.broken = true;
    w.run(w.array.read(0, 30 * rowSectors));
    disk.broken = false;
    disk.medium.fill(0xee);
    const ended = w.run(
      (function* (): Task<boolean> {
        const rebuilding = w.boot.spawn('rebuild', w.array.rebuild('disk.3'));
        for (let i = 0; i < 20; i++) yield* w.array.write(i * 21, full(5, 50 + i));
        expect(w.array.lost).toEqual(['disk.3']);
        return yield* rebuilding.join();
      })(),
    );
    expect(ended).toBe(true);
    expect(w.array.lost).toEqual([]);
    expect(w.metric('rowsRebuilt')).toBe(rows);
    expect(w.unfitRows(4, rows)).toEqual([]);
    // Now another one may go.
    const other = w.disks[0];
    if (other !== undefined) other.broken = true;
    expect(w.values(w.run(w.array.read(0, 5)))).toEqual([50, 50, 50, 50, 50]);
  });

  it('is lost again when it fails while it is written', () => {
    const w = level5();
    const disk = w.disks[2];
    if (disk === undefined) throw new Error('no disk');
    disk.broken = true;
    w.run(w.array.write(0, full(rowSectors, 3)));
    expect(w.run(w.array.rebuild('disk.3'))).toBe(false);
    expect(w.array.lost).toEqual(['disk.3']);
    disk.broken = false;
    expect(w.run(w.array.rebuild('disk.3'))).toBe(true);
  });

  it('is rebuilt by itself where somebody replaces it after a while, as often as it takes', () => {
    const w = new World(3, 200, { level: 5, unitSectors: 2, replaceSeconds: 5 });
    const [disk] = w.disks;
    if (disk === undefined) throw new Error('no disk');
    w.engine.run(1e9);
    disk.broken = true;
    w.boot.spawn('w', w.array.write(0, full(40, 3)));
    w.engine.run(5e9);
    expect(w.array.lost).toEqual(['disk.1']);
    w.engine.run(9e9);
    disk.broken = false;
    expect(w.array.lost).toEqual(['disk.1']);
    w.engine.run(20e9);
    expect(w.array.lost).toEqual([]);
  });

  it('takes its share of the time and no more', () => {
    const took = (rebuildShare: number): number => {
      const w = new World(3, 400, { level: 5, unitSectors: 4, rebuildShare });
      const [disk] = w.disks;
      if (disk === undefined) throw new Error('no disk');
      disk.broken = true;
      w.run(w.array.write(0, full(8, 1)));
      disk.broken = false;
      let endNs = 0;
      w.run(
        (function* (): Task<void> {
          const startNs = w.engine.nowNs;
          yield* w.array.rebuild('disk.1');
          endNs = w.engine.nowNs - startNs;
        })(),
      );
      return endNs;
    };
    expect(took(0.25) / took(1)).toBeGreaterThan(3.5);
    expect(took(0.25) / took(1)).toBeLessThan(4.1);
  });
});

describe('what an array refuses', () => {
  it('is made of too few disks, of one twice, of too small ones', () => {
    expect(() => new World(2, 100, { level: 5 })).toThrow(/2 members; level 5 takes 3/);
    expect(() => new World(3, 100, { level: 5, unitSectors: 64 })).toThrow(/100 sectors/);
  });

  it('rebuilds only what it has', () => {
    const w = level5();
    expect(() => w.run(w.array.rebuild('disk.9'))).toThrow(/disk\.9/);
  });

  it('passes errors on where nothing is kept twice', () => {
    const w = new World(2, 100, { level: 0, unitSectors: 4 });
    const [disk] = w.disks;
    if (disk !== undefined) disk.broken = true;
    expect(w.run(kindOf(w.array.read(0, 8)))).toBe('ioError');
    expect(w.run(kindOf(w.array.read(4, 4)))).toBe('ok');
    if (disk !== undefined) disk.broken = false;
    expect(w.run(kindOf(w.array.read(0, 8)))).toBe('ok');
    expect(w.array.lost).toEqual([]);
  });
});
