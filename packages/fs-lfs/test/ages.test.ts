import { seconds, sleep, type Task } from '@backplane/engine';
import { StorageWorld } from '@backplane/file-service/testing';
import type { CleaningPolicy, SegmentState } from '@backplane/slots';
import { expect, it } from 'vitest';
import { lfsFormat, lfsStorage } from '../src/index.ts';

it('tells the policy how old the blocks of a segment are, and nothing of what the segment held before', () => {
  const seen: { readonly states: readonly SegmentState[]; readonly nowNs: number }[] = [];
  const policy: CleaningPolicy = {
    choose: (states, nowNs) => {
      seen.push({ states, nowNs });
      return [...states].sort((a, b) => a.liveBytes - b.liveBytes);
    },
    arrange: (blocks) => blocks.toSorted((a, b) => a.modifyNs - b.modifyNs),
  };
  const board = lfsStorage({ segmentBytes: 32_768 });
  const store = { board, format: lfsFormat, beside: { cleaner: policy }, whileAttached: [] };
  const w = new StorageWorld(store, { sectors: 2048 });
  w.attach();
  w.run(
    (function* (): Task<void> {
      const { storage } = w;
      const own = { type: 'file', mode: 0o644, uid: 0, gid: 0 } as const;
      const cold = yield* storage.create(storage.root, 'cold', own);
      yield* storage.write(cold, 0, new Uint8Array(200_000).fill(1), 'delayed');
      const hot = yield* storage.create(storage.root, 'hot', own);
      for (let n = 0; n < 60; n++) {
        yield* sleep(seconds(100));
        yield* storage.write(hot, 0, new Uint8Array(60_000).fill(n), 'through');
      }
      yield* storage.clean?.() ?? storage.sync();
      yield* storage.clean?.() ?? storage.sync();
    })(),
  );
  // What was written once, at the beginning, has moved through segments that hot blocks were in.
  const last = seen.at(-1);
  const old = last?.states.filter((s) => last.nowNs - s.youngestNs > seconds(5000)) ?? [];
  expect(old.reduce((sum, s) => sum + s.liveBytes, 0)).toBeGreaterThan(150_000);
});
