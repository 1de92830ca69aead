import type { MemoryPolicy } from '@backplane/slots';
import { claims, Frames, holder, testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { negotiatedMemory } from '../src/index.ts';

const policyOver = (
  memory: Frames,
  o: { readonly penaltySeconds?: number; readonly minimumShare?: number } = {},
): MemoryPolicy =>
  negotiatedMemory({ minimumShare: 0, ...o }).create({ memory, wrapped: new Map() } as never, testMachine());

describe('negotiation', () => {
  it('hands out free frames first', () => {
    const memory = new Frames(3);
    const policy = policyOver(memory);
    const files = holder('files', memory, [1, 2]);
    policy.register(files);
    expect(policy.tryClaim(files)).toBeDefined();
    expect(policy.tryClaim(files)).toBeUndefined();
  });

  it('takes the older page of the two', () => {
    const memory = new Frames(4);
    const policy = policyOver(memory);
    const files = holder('files', memory, [10, 40]);
    const vm = holder('vm', memory, [20, 30]);
    policy.register(files);
    policy.register(vm);
    expect(claims(policy, vm)).toBe(true);
    expect([files.given, vm.given]).toEqual([1, 0]);
  });

  it('leaves who has the oldest page to recycle his own', () => {
    const memory = new Frames(4);
    const policy = policyOver(memory);
    const files = holder('files', memory, [10, 40]);
    const vm = holder('vm', memory, [20, 30]);
    policy.register(files);
    policy.register(vm);
    expect(claims(policy, files)).toBe(false);
    expect([files.given, vm.given]).toEqual([0, 0]);
  });

  it('counts pages of virtual memory as younger by the penalty, for each tenth of memory that files have', () => {
    const memory = new Frames(10);
    const files = holder('files', memory, [8e9, 9e9, 9e9, 9e9, 9e9]);
    const vm = holder('vm', memory, [1e9, 2e9, 2e9, 2e9, 2e9]);
    for (const [penaltySeconds, given] of [
      [1, 1],
      [2, 0],
    ] as const) {
      const policy = policyOver(memory, { penaltySeconds });
      policy.register(files);
      policy.register(vm);
      expect(claims(policy, files)).toBe(given === 1);
      expect(vm.given).toBe(1);
    }
  });

  it('leaves virtual memory its minimum', () => {
    const memory = new Frames(4);
    const policy = policyOver(memory, { minimumShare: 0.5 });
    const files = holder('files', memory, [30, 40]);
    const vm = holder('vm', memory, [1, 2]);
    policy.register(files);
    policy.register(vm);
    expect(claims(policy, files)).toBe(false);
    expect(vm.given).toBe(0);
  });
});
