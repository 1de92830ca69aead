import type { FrameHolder, MemoryPolicy } from '@backplane/slots';
import { claims, Frames, holder, testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { unifiedMemory } from '../src/index.ts';

const policyOver = (memory: Frames): MemoryPolicy =>
  unifiedMemory().create({ memory, wrapped: new Map() } as never, testMachine());

describe('one pool', () => {
  it('hands out free frames first', () => {
    const memory = new Frames(3);
    const policy = policyOver(memory);
    const files = holder('files', memory, [1, 2]);
    policy.register(files);
    expect(claims(policy, files)).toBe(true);
    expect(policy.tryClaim(files)).toBeUndefined();
  });

  it('takes the oldest page of all, whoever holds it and whatever it is called', () => {
    const memory = new Frames(6);
    const policy = policyOver(memory);
    const holders = [
      holder('files', memory, [30, 40]),
      holder('vm', memory, [10, 50]),
      holder('x', memory, [20, 60]),
    ];
    for (const h of holders) policy.register(h);
    const [files, , other] = holders;
    if (files === undefined || other === undefined) throw new Error('three holders');
    expect(claims(policy, files)).toBe(true);
    expect(policy.tryClaim(files)).toBeUndefined();
    expect(claims(policy, files)).toBe(true);
    expect(claims(policy, files)).toBe(false); // its own is the oldest now
    expect(holders.map((h) => h.given)).toEqual([0, 1, 1]);
  });

  it('leaves nobody a minimum', () => {
    const memory = new Frames(2);
    const policy = policyOver(memory);
    const [vm, files] = [holder('vm', memory, [10, 20]), holder('files', memory, [])];
    policy.register(vm);
    policy.register(files);
    expect([claims(policy, files), claims(policy, files), claims(policy, files)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(vm.frames()).toBe(0);
  });

  it('asks the next one when the holder of the oldest page cannot give it up', () => {
    const memory = new Frames(3);
    const policy = policyOver(memory);
    const stuck: FrameHolder = {
      ...holder('stuck', memory, [1]),
      *giveUp() {
        return false;
      },
    };
    const [vm, files] = [holder('vm', memory, [10, 20]), holder('files', memory, [])];
    for (const h of [stuck, vm, files]) policy.register(h);
    expect(claims(policy, files)).toBe(true);
    expect(vm.given).toBe(1);
  });

  it('forgets a holder that takes itself back', () => {
    const memory = new Frames(1);
    const policy = policyOver(memory);
    const [vm, files] = [holder('vm', memory, [10]), holder('files', memory, [])];
    const undo = policy.register(vm);
    policy.register(files);
    undo();
    undo();
    expect(claims(policy, files)).toBe(false);
  });
});
