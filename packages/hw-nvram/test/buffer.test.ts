import { ms, seconds, type Task } from '@backplane/engine';
import { kindOf } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { full, sectorBytes, World } from './world.ts';

describe('a write to a disk behind memory', () => {
  it('is stored at once, and a barrier has nothing to wait for', () => {
    const w = new World(1000);
    expect(w.tookNs(w.disk.write(5, full(8, 1)))).toBe(0);
    expect(w.tookNs(w.disk.barrier())).toBe(0);
    expect(w.behind.written).toEqual([]);
    expect(w.values(w.disk.inspect(5, 8))).toEqual(new Array(8).fill(1));
    expect(w.metric('writesAbsorbed')).toBe(1);
  });

  it('costs the processor the moving of its bytes', () => {
    const w = new World(1000, {}, { costs: { copyNsPerByte: 10 } });
    expect(w.tookNs(w.disk.write(5, full(8, 1)))).toBe(8 * sectorBytes * 10);
  });

  it('never reaches the disk where another one replaces it in time', () => {
    const w = new World(1000, { delaySeconds: 10 });
    for (let i = 1; i <= 20; i++) w.run(w.disk.write(100, full(4, i)));
    w.pass(seconds(11));
    expect(w.behind.written).toEqual([[100, 4]]);
    expect(w.values(w.behind.inspect(100, 4))).toEqual([20, 20, 20, 20]);
    expect(w.metric('sectorsOverwritten')).toBe(76);
    expect(w.metric('bytesDestaged')).toBe(4 * sectorBytes);
    expect(w.metric('sectors')).toBe(0);
  });

  it('goes past the memory where it is too large for it, and takes what it replaces out', () => {
    const w = new World(1000, { bytes: 100 * sectorBytes, delaySeconds: 1 });
    w.run(w.disk.write(10, full(5, 1)));
    expect(w.tookNs(w.disk.write(0, full(60, 2)))).toBeGreaterThan(ms(5));
    expect(w.behind.written).toEqual([[0, 60]]);
    expect(w.metric('sectors')).toBe(0);
    expect(w.metric('writesPast')).toBe(1);
    w.pass(seconds(5));
    expect(w.values(w.disk.inspect(0, 60))).toEqual(new Array(60).fill(2));
    expect(w.behind.written).toEqual([[0, 60]]);
  });
});

describe('what goes from the memory to the disk', () => {
  it('goes when its oldest sector is of age, and then nothing happens any more', () => {
    const w = new World(1000, { delaySeconds: 7 });
    w.run(w.disk.write(5, full(2, 1)));
    w.pass(seconds(6.9));
    expect(w.behind.written).toEqual([]);
    w.engine.run();
    expect(w.behind.written).toEqual([[5, 2]]);
    expect(w.engine.nowNs).toBeLessThan(seconds(7.1));
  });

  it('goes in one request for all that lie side by side, in order over the disk', () => {
    const w = new World(1000, { delaySeconds: 1 });
    for (const [sector, count] of [
      [500, 4],
      [100, 4],
      [504, 4],
      [300, 2],
      [301, 3],
      [98, 2],
    ] as const)
      w.run(w.disk.write(sector, full(count, sector)));
    w.pass(seconds(2));
    expect(w.behind.written).toEqual([
      [98, 6],
      [300, 4],
      [500, 8],
    ]);
    // The arm goes on from there before it begins again.
    for (const sector of [50, 700]) w.run(w.disk.write(sector, full(1, 1)));
    w.pass(seconds(2));
    expect(w.behind.written.slice(3)).toEqual([
      [700, 1],
      [50, 1],
    ]);
  });

  it('goes in requests of bounded length', () => {
    const w = new World(1000, { delaySeconds: 1, runBytes: 10 * sectorBytes });
    w.run(w.disk.write(0, full(25, 1)));
    w.pass(seconds(2));
    expect(w.behind.written).toEqual([
      [0, 10],
      [10, 10],
      [20, 5],
    ]);
  });

  it('goes before its time above the high mark, down to the low one', () => {
    const w = new World(1000, {
      bytes: 100 * sectorBytes,
      highShare: 0.6,
      lowShare: 0.3,
      runBytes: 10 * sectorBytes,
    });
    for (let i = 0; i < 6; i++) w.run(w.disk.write(i * 10, full(10, 1)));
    w.pass(seconds(1));
    expect(w.metric('sectors')).toBe(60);
    w.run(w.disk.write(60, full(1, 1)));
    w.pass(seconds(1));
    expect(w.metric('sectors')).toBe(21);
  });

  it('makes room for who waits', () => {
    const w = new World(1000, { bytes: 20 * sectorBytes, highShare: 1, lowShare: 1 });
    w.run(w.disk.write(0, full(10, 1)));
    w.run(w.disk.write(100, full(10, 2)));
    expect(w.behind.written).toEqual([]);
    expect(w.tookNs(w.disk.write(200, full(10, 3)))).toBeGreaterThan(ms(3));
    expect(w.values(w.disk.inspect(0, 1))).toEqual([1]);
  });

  it('stays what it is where it is written while it is on its way', () => {
    const w = new World(1000, { delaySeconds: 1 });
    w.run(w.disk.write(0, full(4, 1)));
    w.pass(seconds(1) + ms(2));
    expect(w.behind.written).toEqual([[0, 4]]);
    w.run(w.disk.write(2, full(1, 9)));
    w.pass(ms(100));
    expect(w.values(w.behind.inspect(0, 4))).toEqual([1, 1, 1, 1]);
    expect(w.values(w.run(w.disk.read(0, 4)))).toEqual([1, 1, 9, 1]);
    w.pass(seconds(2));
    expect(w.values(w.behind.inspect(0, 4))).toEqual([1, 1, 9, 1]);
  });
});

describe('a read from a disk behind memory', () => {
  it('has what is in the memory over what is on the disk', () => {
    const w = new World(1000);
    w.disk.load(0, full(10, 7));
    w.run(w.disk.write(3, full(2, 1)));
    expect(w.values(w.run(w.disk.read(0, 10)))).toEqual([7, 7, 7, 1, 1, 7, 7, 7, 7, 7]);
  });

  it('does not ask the disk where the memory has all of it', () => {
    const w = new World(1000);
    w.run(w.disk.write(3, full(4, 1)));
    expect(w.tookNs(w.disk.read(4, 2))).toBe(0);
    expect(w.behind.reads).toBe(0);
  });

  it('is never older than what had been written before it, also while sectors go to the disk', () => {
    const w = new World(1000, { delaySeconds: 0.001 });
    w.run(
      (function* (): Task<void> {
        for (let value = 1; value < 60; value++) {
          yield* w.disk.write(0, full(3, value));
          expect(w.values(yield* w.disk.read(0, 6))).toEqual([value, value, value, 0, 0, 0]);
        }
      })(),
    );
  });
});

describe('a power failure', () => {
  it('leaves the memory as it was, and what is in it goes to the disk in the next boot', () => {
    const w = new World(1000, { delaySeconds: 5 });
    w.run(w.disk.write(8, full(4, 3)));
    w.crash();
    w.pass(seconds(20));
    expect(w.behind.written, 'while nobody uses it').toEqual([]);
    expect(w.values(w.run(w.disk.read(6, 6)))).toEqual([0, 0, 3, 3, 3, 3]);
    w.pass(seconds(1));
    expect(w.values(w.behind.inspect(6, 6))).toEqual([0, 0, 3, 3, 3, 3]);
  });

  it('that cuts a request to the disk loses nothing', () => {
    for (let cutNs = 0; cutNs < ms(5); cutNs += ms(0.13)) {
      const w = new World(1000, { delaySeconds: 1 });
      w.run(w.disk.write(8, full(20, 3)));
      w.pass(seconds(1) + cutNs - (w.engine.nowNs % seconds(1)));
      w.crash();
      expect(w.values(w.disk.inspect(8, 20))).toEqual(new Array(20).fill(3));
      w.run(w.disk.read(0, 1));
      w.engine.run();
      expect(w.values(w.behind.inspect(8, 20))).toEqual(new Array(20).fill(3));
    }
  });
});

describe('a disk that fails behind memory', () => {
  it('fails nobody’s write as long as there is room, and is tried again', () => {
    const w = new World(1000, { delaySeconds: 1, retrySeconds: 3 });
    w.behind.broken = (sector) => sector === 102;
    w.run(w.disk.write(100, full(5, 1)));
    w.run(w.disk.write(200, full(5, 2)));
    w.pass(seconds(2));
    expect(w.metric('destageErrors')).toBe(1);
    expect(w.values(w.behind.inspect(200, 5))).toEqual([2, 2, 2, 2, 2]);
    expect(w.values(w.run(w.disk.read(100, 5)))).toEqual([1, 1, 1, 1, 1]);
    w.behind.broken = () => false;
    w.pass(seconds(5));
    expect(w.metric('sectors')).toBe(0);
    expect(w.values(w.behind.inspect(100, 5))).toEqual([1, 1, 1, 1, 1]);
  });

  it('fails the write that finds no room, and no later one when it works again', () => {
    const w = new World(1000, { bytes: 20 * sectorBytes, highShare: 1, retrySeconds: 3 });
    w.behind.broken = () => true;
    w.run(w.disk.write(0, full(10, 1)));
    w.run(w.disk.write(100, full(10, 2)));
    expect(w.run(kindOf(w.disk.write(200, full(1, 3))))).toBe('ioError');
    expect(w.run(kindOf(w.disk.write(5, full(3, 4))))).toBe('ok');
    w.behind.broken = () => false;
    w.pass(seconds(4));
    expect(w.run(kindOf(w.disk.write(200, full(1, 3))))).toBe('ok');
    expect(w.values(w.disk.inspect(4, 5))).toEqual([1, 4, 4, 4, 1]);
  });

  it('fails a write that goes past the memory', () => {
    const w = new World(1000, { bytes: 20 * sectorBytes });
    w.behind.broken = () => true;
    expect(w.run(kindOf(w.disk.write(0, full(15, 1))))).toBe('ioError');
  });
});

describe('the extents of a disk behind memory', () => {
  it('hold what only the memory has, and what it has over the disk’s, in order', () => {
    const w = new World(1000);
    w.disk.load(10, full(20, 7));
    for (const [sector, count] of [
      [2, 3],
      [8, 4],
      [28, 4],
      [900, 1],
    ] as const)
      w.run(w.disk.write(sector, full(count, 1)));
    expect(w.disk.extents().map(({ sector, data }) => [sector, data.length / sectorBytes])).toEqual([
      [2, 3],
      [8, 2],
      [10, 20],
      [30, 2],
      [900, 1],
    ]);
    const middle = w.disk.extents()[2]?.data ?? new Uint8Array(0);
    expect(w.values(middle)).toEqual([1, 1, ...new Array(16).fill(7), 1, 1]);
  });
});
