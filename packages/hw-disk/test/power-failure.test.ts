import type { Task } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { sectorsOf, World } from './world.ts';

const firstOfEach = (bytes: Uint8Array): number[] => [...bytes].filter((_, i) => i % 512 === 0);

describe('a drive that loses its power', () => {
  it('drops what waits and finishes the sector under the head: every instant of a write, sector by sector', () => {
    const seed = 5;
    const whole = new World({ profile: 'eagle' }, seed);
    whole.boot.spawn('w', whole.disk.write(40, new Uint8Array(512 * 12).fill(1)));
    whole.engine.run();
    const endNs = whole.engine.nowNs;
    const sectorNs = 60e9 / 3961 / 46;
    const seen = new Set<number>();
    // From before the first sector to the end, across the end of a track.
    for (let atNs = endNs - 14 * sectorNs; atNs <= endNs; atNs += sectorNs / 3) {
      const w = new World({ profile: 'eagle' }, seed);
      w.boot.spawn('w', w.disk.write(40, new Uint8Array(512 * 12).fill(1)));
      w.boot.spawn('waits', w.disk.write(400_000, new Uint8Array(512).fill(2)));
      w.crashAt(Math.round(atNs));
      const stored = firstOfEach(w.disk.inspect(40, 12));
      const count = stored.filter((b) => b === 1).length;
      expect(stored).toEqual([...new Array(count).fill(1), ...new Array(12 - count).fill(0)]);
      expect(count).toBe(
        Math.min(12, Math.max(0, Math.ceil((atNs - (endNs - 12 * sectorNs)) / sectorNs - 1e-4))),
      );
      expect(w.disk.inspect(400_000, 1)).toEqual(new Uint8Array(512));
      seen.add(count);
      w.engine.run();
      expect(w.disk.inspect(400_000, 1)).toEqual(new Uint8Array(512));
    }
    expect(seen.size).toBe(13);
  });

  it('never writes what it had not begun, whatever waited: sectors are old or new, never mixed', () => {
    const sectors = 200;
    for (let seed = 1; seed <= 30; seed++) {
      const w = new World({ profile: 'wren-iv', sectors }, seed);
      const random = w.engine.random('requests');
      w.disk.load(0, sectorsOf(sectors, 0).fill(255));
      const allowed = Array.from({ length: sectors }, () => new Set([255]));
      let writes = 0;
      for (let i = 0; i < 20; i++) {
        const sector = random.below(150);
        const count = 1 + random.below(50);
        for (let s = sector; s < sector + count; s++) allowed[s]?.add(i);
        w.boot.spawn(
          `w${i}`,
          (function* (): Task<void> {
            yield* w.disk.write(sector, new Uint8Array(512 * count).fill(i));
            writes++;
          })(),
        );
      }
      w.crashAt(random.below(600_000_000));
      const after = w.disk.inspect(0, sectors);
      for (let s = 0; s < sectors; s++) {
        const sector = after.subarray(s * 512, (s + 1) * 512);
        const first = sector[0] ?? -1;
        expect(allowed[s]?.has(first), `seed ${seed}, sector ${s}`).toBe(true);
        expect(
          sector.every((b) => b === first),
          `seed ${seed}, sector ${s}`,
        ).toBe(true);
      }
      expect(writes).toBeLessThan(21);
    }
  });

  it('works again at the next boot, its contents, faults and counts as they were', () => {
    const w = new World({ profile: 'eagle' });
    w.run(w.disk.write(0, sectorsOf(2, 5)));
    const readsBefore = w.meters.read('disk.server.writes');
    w.boot.spawn('lost', w.disk.write(0, sectorsOf(2, 50)));
    w.crashAt(w.engine.nowNs + 10);
    expect(w.run(w.disk.read(0, 2))).toEqual(sectorsOf(2, 5));
    expect(w.meters.read('disk.server.writes')).toBe(readsBefore);
  });

  it('forgets its buffer', () => {
    const w = new World({ profile: 'wren-vi' });
    w.run(w.disk.read(0, 8));
    w.crashAt(w.engine.nowNs + 1_000_000_000);
    const rotation = w.meters.read('disk.server.rotationSeconds');
    w.run(w.disk.read(8, 8));
    expect(w.meters.read('disk.server.rotationSeconds')).toBeGreaterThan(rotation);
  });

  it('tells the trace what reached the medium', () => {
    const w = new World({ profile: 'eagle' });
    const kinds: string[] = [];
    w.engine.trace.listen(['disk.request', 'disk.barrier', 'disk.cut'], (e) => {
      if (e.kind === 'disk.request') kinds.push(`${e.fields.operation} ${e.fields.sector}+${e.fields.count}`);
      if (e.kind === 'disk.barrier') kinds.push('barrier');
      if (e.kind === 'disk.cut') kinds.push(`cut ${e.fields.stored} of ${e.fields.count}`);
    });
    w.run(w.disk.write(0, sectorsOf(2, 5)));
    w.run(w.disk.barrier());
    w.boot.spawn('lost', w.disk.write(0, sectorsOf(46, 50)));
    w.crashAt(w.engine.nowNs + 30_000_000);
    expect(kinds.slice(0, 2)).toEqual(['write 0+2', 'barrier']);
    expect(kinds[2]).toMatch(/^cut \d+ of 46$|^write 0\+46$/);
  });
});
