/** Reading a kilobyte that is in a page frame of one's own machine, and one of the file server, on MicroVAXes (Cheriton 1988). */
import { microvax2 } from '@backplane/hw-machines';
import { pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { caching, openCachedOf } from './memory-world.ts';
import { openFileOf } from './uio-files.ts';
import { World } from './world.ts';

const kilobytes = 32;

describe('a kilobyte of a file, on a MicroVAX II', () => {
  const w = new World({ type: microvax2, workstations: ['mace'], kernel: caching() });
  const { cached, plain, miss } = w.run(() =>
    w.on('mace', function* (self) {
      const { engine } = w.cluster;
      const server = yield* openFileOf(w, 'mace', self, 'f', { read: true, write: true, create: true });
      for (let block = 0; block < kilobytes; block++)
        yield* server.write({ block, first: 0 }, pattern(1024, block));
      const local = yield* openCachedOf(w, 'mace', self, 'f');
      const per = function* (i: typeof local) {
        const startNs = engine.nowNs;
        for (let block = 0; block < kilobytes; block++) yield* i.read({ block, first: 0 });
        return (engine.nowNs - startNs) / 1e6 / kilobytes;
      };
      const plain = yield* per(server);
      const miss = yield* per(local);
      const cached = yield* per(local);
      return { plain, miss, cached };
    }),
  );

  it('takes what was published from the cache: two traps, the operation and the copy', () => {
    const { trapNs, uioNs, copyNsPerByte } = microvax2.costs;
    expect(cached).toBeCloseTo((2 * trapNs + uioNs + 1024 * copyNsPerByte) / 1e6, 1);
    expect(Math.abs(cached / 2.3 - 1)).toBeLessThan(0.02);
  });

  it('takes what was published from the file server, within 10 %', () => {
    expect(Math.abs(plain / 8.7 - 1)).toBeLessThan(0.1);
  });

  it('takes more when it is fetched into the cache first, and not twice as much', () => {
    expect(miss / plain).toBeGreaterThan(1);
    expect(miss / plain).toBeLessThan(2);
  });
});
