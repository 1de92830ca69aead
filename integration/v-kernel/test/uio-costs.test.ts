/** Reading a file of which the server has every block in memory, on a MicroVAX II (Cheriton 1988, table II). */
import { microvax2 } from '@backplane/hw-machines';
import { pattern } from '@backplane/slots/testing';
import { ByteStream, syncFunction } from '@backplane/uio';
import { describe, expect, it } from 'vitest';
import { openFileOf } from './uio-files.ts';
import { World } from './world.ts';

const kilobytes = 64;
const unit = 8;

interface PerKilobyte {
  /** Milliseconds of virtual time. */
  readonly blocks: number;
  readonly bytes: number;
  readonly bytesIn8: number;
}

function perKilobyte(where: 'allspice' | 'mace'): PerKilobyte {
  const w = new World({ type: microvax2, workstations: ['mace'] });
  return w.run(() =>
    w.on(where, function* (self) {
      const i = yield* openFileOf(w, where, self, 'f', { read: true, write: true, create: true });
      for (let n = 0; n < kilobytes; n += unit)
        yield* i.write({ block: n, first: 0 }, pattern(unit * 1024, n));
      // The disk is not to interrupt what is measured.
      yield* i.control(syncFunction);
      const { engine } = w.cluster;
      const marks = [engine.nowNs];
      for (let block = 0; block < kilobytes; block++) yield* i.read({ block, first: 0 });
      marks.push(engine.nowNs);
      for (const unitBytes of [1024, unit * 1024]) {
        const stream = new ByteStream(i, microvax2.costs, unitBytes);
        for (let n = 0; n < kilobytes * 1024; n++) yield* stream.getByte();
        // What the last bytes have cost is paid with the next message.
        yield* i.query();
        marks.push(engine.nowNs);
      }
      const [blocks = 0, bytes = 0, bytesIn8 = 0] = marks
        .slice(1)
        .map((ns, n) => (ns - (marks[n] ?? 0)) / 1e6 / kilobytes);
      return { blocks, bytes, bytesIn8 };
    }),
  );
}

describe('a kilobyte of a file in the memory of its server', () => {
  const [local, remote] = [perKilobyte('allspice'), perKilobyte('mace')];

  it('takes what was published, as a block and byte by byte, on one machine', () => {
    expect(Math.abs(local.blocks / 3.47 - 1)).toBeLessThan(0.005); // fitted
    expect(Math.abs(local.bytes / 9.91 - 1)).toBeLessThan(0.03);
  });

  it('takes what was published within 5 % from another machine', () => {
    expect(Math.abs(remote.blocks / 8.18 - 1)).toBeLessThan(0.05);
    expect(Math.abs(remote.bytes / 14.63 - 1)).toBeLessThan(0.05);
  });

  it('costs hardly more than getting its bytes when eight come at once', () => {
    expect(local.bytesIn8 / 6.23).toBeLessThan(1.2);
    expect(remote.bytesIn8).toBeLessThan(0.7 * remote.bytes);
  });
});
