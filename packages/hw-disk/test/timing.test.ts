import { sleep, type Task } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { driveProfiles, type ProfileName } from '../src/index.ts';
import { figuresOf, World } from './world.ts';

const names = driveProfiles.filter((p) => p.figures !== null).map((p) => p.name as ProfileName);

/** What random reads of a sector take on average, in milliseconds. */
function averageAccessMs(profile: ProfileName, reads: number): number {
  const w = new World({ profile });
  const random = w.engine.random('sectors');
  const ns = w.run(
    (function* (): Task<number> {
      for (let i = 0; i < reads; i++) {
        yield* w.disk.read(random.below(w.disk.sectors), 1);
        yield* sleep(random.below(20_000_000));
      }
      return w.meters.read('disk.server.busySeconds') * 1e9;
    })(),
  );
  return ns / reads / 1e6;
}

describe('a drive, in time', () => {
  it.each(names)(
    'reaches a random sector of the %s in what its data sheet adds up to, to 3 percent',
    (name) => {
      const f = figuresOf(name);
      const revolutionMs = 60_000 / f.rpm;
      const sheetMs = f.averageSeekMs + revolutionMs / 2 + f.overheadMs;
      const sectorMs = revolutionMs / f.sectorsPerTrack;
      const measured = averageAccessMs(name, 4000) - sectorMs;
      expect(Math.abs(measured / sheetMs - 1)).toBeLessThan(0.03);
    },
  );

  it('has the published average access of the Wren IV, 29.5 ms', () => {
    const sectorMs = 60_000 / 3600 / 46;
    expect(Math.abs((averageAccessMs('wren-iv', 4000) - sectorMs) / 29.5 - 1)).toBeLessThan(0.03);
  });

  it('loses a revolution between two blocks when somebody thinks in between: 225 KB/s on the Eagle', () => {
    const w = new World({ profile: 'eagle' });
    const blocks = 100;
    const ns = w.run(
      (function* (): Task<number> {
        yield* w.disk.read(0, 8);
        const startNs = w.engine.nowNs;
        for (let i = 1; i <= blocks; i++) {
          yield* sleep(1_300_000);
          yield* w.disk.read(8 * i, 8);
        }
        return w.engine.nowNs - startNs;
      })(),
    );
    // A revolution of 15.15 ms and a block of 2.63 ms.
    const kilobytesPerSecond = (blocks * 4) / (ns / 1e9);
    expect(kilobytesPerSecond).toBeGreaterThan(224);
    expect(kilobytesPerSecond).toBeLessThan(226);
  });

  it('reads a whole cylinder in as many revolutions as it has tracks, when nobody thinks', () => {
    const w = new World({ profile: 'eagle' });
    const f = figuresOf('eagle');
    w.run(w.disk.read(0, 1));
    const startNs = w.engine.nowNs;
    w.run(w.disk.read(f.heads * f.sectorsPerTrack, f.heads * f.sectorsPerTrack));
    const revolutions = (w.engine.nowNs - startNs) / (60e9 / f.rpm);
    expect(revolutions).toBeGreaterThan(f.heads);
    expect(revolutions).toBeLessThan(f.heads + 2);
  });

  it('carries 1.3 MB/s from a Wren IV, track after track and cylinder after cylinder', () => {
    const w = new World({ profile: 'wren-iv' });
    const megabytes = 20;
    w.run(w.disk.read(0, megabytes * 2048));
    const perSecond = (megabytes * 1_048_576) / (w.engine.nowNs / 1e9);
    expect(Math.abs(perSecond / 1_300_000 - 1)).toBeLessThan(0.03);
  });

  // Rosenblum 1992, Table 4-1: a segment is written where an arbitrary other one lay.
  it.each([
    [32, 0.45],
    [64, 0.62],
    [128, 0.77],
    [256, 0.87],
    [512, 0.93],
    [1024, 0.96],
    [2048, 0.98],
    [4096, 0.99],
    [8192, 1],
  ])(
    'uses the bandwidth of a Wren IV in segments of %i KB as the published table says, %f',
    (kilobytes, published) => {
      const w = new World({ profile: 'wren-iv' }, 7);
      const random = w.engine.random('segments');
      const sectors = kilobytes * 2;
      const segments = kilobytes < 512 ? 1500 : 60;
      const data = new Uint8Array(512 * sectors);
      w.run(
        (function* (): Task<void> {
          for (let i = 0; i < segments; i++) {
            yield* w.disk.write(random.below(Math.floor(w.disk.sectors / sectors)) * sectors, data);
            yield* sleep(random.below(16_666_667));
          }
        })(),
      );
      // Against the drive's own rate at its best, which the sectors of a track and the skew decide.
      const f = figuresOf('wren-iv');
      const cylinderMs =
        (60_000 / f.rpm) *
        (f.heads + ((f.heads - 1) * f.trackSkewSectors + f.cylinderSkewSectors) / f.sectorsPerTrack);
      const bestSeconds = ((sectors * segments) / (f.heads * f.sectorsPerTrack)) * (cylinderMs / 1e3);
      const share = bestSeconds / w.meters.read('disk.server.busySeconds');
      expect(Math.abs(share / published - 1)).toBeLessThan(0.03);
    },
  );

  it('has its platters stand elsewhere with another seed, and in the same place with the same', () => {
    const firstReadNs = (seed: number): number => {
      const w = new World({ profile: 'eagle' }, seed);
      w.run(w.disk.read(5, 1));
      return w.engine.nowNs;
    };
    expect(firstReadNs(3)).toBe(firstReadNs(3));
    expect(new Set([1, 2, 3, 4, 5].map(firstReadNs)).size).toBe(5);
  });

  it('takes no time and makes no timer without a mechanism', () => {
    const w = new World({ profile: 'instant' });
    w.run(
      (function* (): Task<void> {
        for (let i = 0; i < 100; i++) yield* w.disk.write(i * 1000, new Uint8Array(4096));
        for (let i = 0; i < 100; i++) yield* w.disk.read(i * 1000, 8);
        yield* w.disk.barrier();
      })(),
    );
    expect(w.engine.nowNs).toBe(0);
    expect(w.engine.events).toBe(1);
    expect(w.meters.read('disk.server.reads')).toBe(100);
    expect(w.meters.read('disk.server.sectors')).toBe(1600);
  });

  it('tells seeks and rotation apart, and both from the time it is busy', () => {
    const w = new World({ profile: 'eagle' });
    const random = w.engine.random('sectors');
    w.run(
      (function* (): Task<void> {
        for (let i = 0; i < 500; i++) yield* w.disk.read(random.below(w.disk.sectors), 1);
      })(),
    );
    const seeks = w.meters.read('disk.server.seekSeconds');
    const rotation = w.meters.read('disk.server.rotationSeconds');
    expect(seeks / 500).toBeCloseTo(0.018, 2);
    expect(rotation / 500).toBeCloseTo(0.0076, 2);
    const transfer = (500 * 60) / 3961 / 46;
    expect(seeks + rotation + transfer).toBeCloseTo(w.meters.read('disk.server.busySeconds'), 6);
    expect(w.meters.read('disk.server.queueMax')).toBe(1);
  });
});

describe('a drive with a buffer', () => {
  const sequential = function* (w: World, blocks: number, thinkNs: number): Task<number> {
    yield* w.disk.read(0, 8);
    const startNs = w.engine.nowNs;
    for (let i = 1; i <= blocks; i++) {
      yield* sleep(thinkNs);
      yield* w.disk.read(8 * i, 8);
    }
    return (w.engine.nowNs - startNs) / blocks;
  };

  it('serves what follows a read without losing a revolution', () => {
    const w = new World({ profile: 'wren-vi' });
    const perBlockNs = w.run(sequential(w, 80, 1_000_000));
    const f = figuresOf('wren-vi');
    // Think, overhead and bus: the platters are faster.
    expect(perBlockNs / 1e6).toBeCloseTo(1 + f.overheadMs + 4096 / 4700, 3);
  });

  it('goes on from where its memory was full, a revolution later at most', () => {
    const w = new World({ profile: 'wren-vi' });
    const perBlockNs = w.run(sequential(w, 40, 100_000_000));
    expect(perBlockNs / 1e6).toBeLessThan(100 + 3.7 + 4096 / 4700 + 0.1);
  });

  it('forgets what it read ahead when the arm is needed elsewhere', () => {
    const w = new World({ profile: 'wren-vi' });
    const busyMs = w.run(
      (function* (): Task<number> {
        yield* w.disk.read(0, 8);
        yield* sleep(100_000_000);
        yield* w.disk.write(500_000, new Uint8Array(512));
        const before = w.meters.read('disk.server.seekSeconds');
        yield* w.disk.read(8, 8);
        return (w.meters.read('disk.server.seekSeconds') - before) * 1e3;
      })(),
    );
    expect(busyMs).toBeGreaterThan(10);
  });

  it('never shows what was there before a write', () => {
    const w = new World({ profile: 'wren-vi' });
    const seen = w.run(
      (function* (): Task<Uint8Array> {
        yield* w.disk.read(0, 8);
        yield* sleep(100_000_000);
        yield* w.disk.write(8, new Uint8Array(512).fill(7));
        return yield* w.disk.read(8, 1);
      })(),
    );
    expect(seen).toEqual(new Uint8Array(512).fill(7));
  });
});
