import type { Memory, PageFrame } from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { memory } from '../src/index.ts';

const make = (): { readonly frames: Memory; reset(): void } => {
  const board = memory({ kernelBytes: 16_384 });
  const frames = board.create({} as never, testMachine({ memoryBytes: 65_536, pageBytes: 8192 }));
  return { frames, reset: () => board.reset?.(frames) };
};

describe('page frames', () => {
  it('are as many as the machine has beside its kernel', () => {
    expect(make().frames.frameCount).toBe(6);
  });

  it('run out, and come back when they are released', () => {
    const { frames } = make();
    const taken = Array.from({ length: 6 }, () => frames.allocate('files'));
    expect(frames.allocate('vm')).toBeUndefined();
    expect(new Set(taken.map((f) => f?.number)).size).toBe(6);
    frames.release(taken[2] as PageFrame);
    expect(frames.allocate('vm')?.number).toBe(taken[2]?.number);
    expect([frames.occupiedBy('files'), frames.occupiedBy('vm'), frames.freeCount]).toEqual([5, 1, 0]);
  });

  it('never show what an earlier owner left', () => {
    const { frames } = make();
    const frame = frames.allocate('files') as PageFrame;
    const pattern = frame.bytes;
    frame.bytes = new Uint8Array(8192).fill(1);
    frames.release(frame);
    expect(frames.allocate('vm')?.bytes).toEqual(pattern);
  });

  it('refuse to be released twice', () => {
    const { frames } = make();
    const frame = frames.allocate('files') as PageFrame;
    frames.release(frame);
    expect(() => frames.release(frame)).toThrow(/does not have it/);
  });

  it('are all free after a loss of power', () => {
    const { frames, reset } = make();
    frames.allocate('files');
    reset();
    expect([frames.freeCount, frames.occupiedBy('files')]).toEqual([6, 0]);
  });
});
