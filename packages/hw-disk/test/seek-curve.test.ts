import type { Task } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { driveProfiles, type ProfileName } from '../src/index.ts';
import { figuresOf, World } from './world.ts';

const names = driveProfiles.filter((p) => p.figures !== null).map((p) => p.name as ProfileName);

/** Seek times in milliseconds to cylinders at these distances from cylinder 0. */
function seeksMs(profile: ProfileName, distances: readonly number[]): number[] {
  const w = new World({ profile });
  const f = figuresOf(profile);
  const perCylinder = f.heads * f.sectorsPerTrack;
  const seek = () => w.meters.read('disk.server.seekSeconds') * 1e3;
  return w.run(
    (function* (): Task<number[]> {
      const found: number[] = [];
      for (const d of distances) {
        yield* w.disk.read(0, 1);
        const before = seek();
        yield* w.disk.read(d * perCylinder, 1);
        found.push(seek() - before);
      }
      return found;
    })(),
  );
}

describe('the seek curve', () => {
  it.each(names)('of the %s goes through its single-track and full-stroke times and never falls', (name) => {
    const f = figuresOf(name);
    const distances = Array.from({ length: f.cylinders - 1 }, (_, i) => i + 1);
    const ms = seeksMs(name, distances);
    expect(ms[0]).toBeCloseTo(f.singleSeekMs, 3);
    expect(ms.at(-1)).toBeCloseTo(f.fullSeekMs, 3);
    for (let i = 1; i < ms.length; i++) expect(ms[i]).toBeGreaterThanOrEqual((ms[i - 1] ?? 0) - 1e-5);
    // The average over all pairs: 2 (n - d) of them lie d apart.
    const n = f.cylinders;
    const average = ms.reduce((sum, t, i) => sum + (t * 2 * (n - i - 1)) / (n * (n - 1)), 0);
    expect(average).toBeCloseTo(f.averageSeekMs, 2);
  });

  it('has a source for every figure of every drive', () => {
    for (const p of driveProfiles)
      for (const figure of Object.keys(p.figures ?? {}))
        expect(
          p.sources[figure as keyof typeof p.sources]?.source.length,
          `${p.name} ${figure}`,
        ).toBeGreaterThan(3);
  });
});
