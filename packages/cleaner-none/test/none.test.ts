import { testMachine } from '@backplane/slots/testing';
import { expect, it } from 'vitest';
import { noCleaner } from '../src/index.ts';

const policy = noCleaner().create({ wrapped: new Map() } as never, testMachine());

it('offers nothing, however empty a segment is', () => {
  expect(
    policy.choose([{ segment: 1, liveBytes: 1, bytes: 1 << 20, youngestNs: 0, writtenNs: 0 }], 1e12),
  ).toEqual([]);
});

it('leaves blocks in the order of the log', () => {
  const blocks = [5, 3, 4].map((modifyNs) => ({ file: 1, block: modifyNs, bytes: 512, modifyNs }));
  expect(policy.arrange(blocks)).toEqual(blocks);
});
