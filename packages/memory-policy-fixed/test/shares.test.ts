import { Frames, holder, testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { fixedMemory } from '../src/index.ts';

describe('fixed shares', () => {
  const memory = new Frames(10);
  const policy = fixedMemory({ filesShare: 0.3 }).create(
    { memory, wrapped: new Map() } as never,
    testMachine(),
  );
  const files = holder('files', memory, []);
  const vm = holder('vm', memory, []);

  it('give the file cache its share and no more', () => {
    const frames = Array.from({ length: 4 }, () => policy.tryClaim(files));
    expect(frames.map((f) => f !== undefined)).toEqual([true, true, true, false]);
  });

  it('give everybody else the rest', () => {
    const frames = Array.from({ length: 8 }, () => policy.tryClaim(vm));
    expect(frames.filter((f) => f !== undefined)).toHaveLength(7);
  });

  it('keep the file cache’s share free while it does not use it', () => {
    const empty = new Frames(10);
    const other = fixedMemory({ filesShare: 0.3 }).create(
      { memory: empty, wrapped: new Map() } as never,
      testMachine(),
    );
    const taken = Array.from({ length: 10 }, () => other.tryClaim(vm)).filter((f) => f !== undefined);
    expect(taken).toHaveLength(7);
  });
});
