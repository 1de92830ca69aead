import { isKernelError, KernelError } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { formatCase, parseCase } from '../src/counterexample.ts';
import { failingRead } from '../src/faults.ts';
import type { CrashWorkload } from '../src/operation.ts';
import { Probe } from '../src/probe.ts';
import { readWorkloads } from '../src/shipped.ts';
import { defineStore, type StoreUnderTest } from '../src/store.ts';
import { lfs, ofs } from '../src/stores.ts';
import type { Tally } from '../src/tally.ts';
import { Tester } from '../src/tester.ts';

const text = 'mkdir /d; creat /d/a; append /d/a 6000 a; sync; append /d/a 3000 b; link /d/a /d/b; sync';
const workload: CrashWorkload = {
  ...(readWorkloads(text, 'test.ops')[0] as CrashWorkload), // boundary: the text has one
  prelude: 4,
};

function readErrors(store: StoreUnderTest): Tally {
  const probe = new Probe(new Tester(store, 'short'), 'short', Number.POSITIVE_INFINITY);
  probe.test(workload, ['readError'], { samples: 8, seed: 1 });
  return probe.tally;
}

/** Whatever cannot be read seems to be zeros. */
const careless = defineStore({
  ...ofs,
  disk: (d) =>
    new Proxy(d, {
      get(target, key) {
        if (key === 'read')
          return function* (sector: number, count: number) {
            try {
              return yield* d.read(sector, count);
            } catch (e) {
              if (!isKernelError(e, 'ioError')) throw e;
              return new Uint8Array(count * d.sectorBytes);
            }
          };
        const member: unknown = Reflect.get(target, key, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    }),
});

describe('reads that fail', () => {
  it('are one request, or from then on all that come to a sector of it', () => {
    const failed = (lasting: boolean): readonly boolean[] => {
      const faults = failingRead({ index: 1, lasting });
      const requests = [
        [0, 8],
        [8, 8],
        [0, 8],
        [8, 8],
        [12, 1],
        [13, 1],
      ] as const;
      return requests.map(([sector, count], i) => faults.failsRead?.(i, sector, count) === true);
    };
    expect(failed(false)).toEqual([false, true, false, false, false, false]);
    expect(failed(true)).toEqual([false, true, false, true, true, false]);
  });

  for (const store of [ofs, lfs])
    it(`do no harm to ${store.name}, whichever read of an operation or of a boot it is`, () => {
      const { byKind, violations, failures } = readErrors(store);
      expect(failures).toEqual([]);
      expect(violations).toBe(0);
      expect(byKind.readError?.states).toBeGreaterThan(50);
      // Those counted are all that there are.
      const tester = new Tester(store, 'short');
      const { reads } = tester.record(workload, { restart: workload.prelude });
      expect(reads.to).toBeGreaterThan(reads.from);
      const failing = (read: number): number =>
        tester.record(workload, { restart: workload.prelude, failsRead: { read, lasting: true } }).errors;
      expect(failing(reads.to)).toBe(0);
      expect(failing(reads.from)).toBeGreaterThan(0);
    });

  it('are found out in a storage that takes what it cannot read for zeros, and shown again from a file', () => {
    const { failures, byKind } = readErrors(careless);
    expect(byKind.readError?.violations).toBeGreaterThan(5);
    const [found] = failures;
    if (found === undefined) throw new Error('nothing was found');
    const back = parseCase(formatCase('careless', found), 'test.ops');
    if (back === null) throw new Error('it says nothing of a crash');
    expect(back.spec).toEqual(found.spec);
    const { violations } = new Tester(careless, 'short').decide(back.workload, back.spec);
    expect(violations[0]?.kind).toBe(found.violations[0]?.kind);
  });

  it('may have any answer but a wrong one: an error that is no answer is a violation', () => {
    const lost = defineStore({
      ...ofs,
      disk: (d) =>
        new Proxy(d, {
          get(target, key) {
            if (key === 'read')
              return function* (sector: number, count: number) {
                try {
                  return yield* d.read(sector, count);
                } catch (e) {
                  throw isKernelError(e, 'ioError') ? new KernelError('notFound') : e;
                }
              };
            const member: unknown = Reflect.get(target, key, target);
            return typeof member === 'function' ? member.bind(target) : member;
          },
        }),
    });
    expect(readErrors(lost).violations).toBeGreaterThan(0);
  });
});
