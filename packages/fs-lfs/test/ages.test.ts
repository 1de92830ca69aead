import { seconds, sleep, type Task } from '@backplane/engine';
import { StorageWorld } from '@backplane/file-service/testing';
import type { CleaningPolicy, SegmentState } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { type LfsOptions, lfsFormat, lfsStorage } from '../src/index.ts';

interface Offer {
  readonly states: readonly SegmentState[];
  readonly nowNs: number;
}

/** A small disk whose cleaner takes the emptiest segments, or none, and keeps what it is offered. */
function watched(
  chooses: 'emptiest' | 'none',
  options: LfsOptions = {},
): { readonly w: StorageWorld; readonly offers: Offer[] } {
  const offers: Offer[] = [];
  const policy: CleaningPolicy = {
    choose: (states, nowNs) => {
      offers.push({ states, nowNs });
      return chooses === 'none' ? [] : [...states].sort((a, b) => a.liveBytes - b.liveBytes);
    },
    arrange: (blocks) => blocks.toSorted((a, b) => a.modifyNs - b.modifyNs),
  };
  const board = lfsStorage({ segmentBytes: 32_768, ...options });
  const store = { board, format: lfsFormat, beside: { cleaner: policy }, whileAttached: [] };
  return { w: new StorageWorld(store, { sectors: 2048 }), offers };
}

const own = { type: 'file', mode: 0o644, uid: 0, gid: 0 } as const;

/** A file that is written once, and one that is written again and again. */
function* coldAndHot({ storage }: StorageWorld, rounds: number): Task<void> {
  const cold = yield* storage.create(storage.root, 'cold', own);
  yield* storage.write(cold, 0, new Uint8Array(200_000).fill(1), 'through');
  const hot = yield* storage.create(storage.root, 'hot', own);
  for (let n = 0; n < rounds; n++) {
    yield* sleep(seconds(100));
    yield* storage.write(hot, 0, new Uint8Array(60_000).fill(n), 'through');
  }
}

function* clean({ storage }: StorageWorld): Task<void> {
  yield* storage.clean?.() ?? storage.sync();
}

function* later(w: StorageWorld): Task<void> {
  yield* sleep(seconds(1000));
  yield* clean(w);
}

describe('the policy is told of a segment', () => {
  it('how old its data are and when it was written, and nothing of what it held before', () => {
    const { w, offers } = watched('emptiest');
    w.attach();
    w.run(coldAndHot(w, 60));
    w.run(clean(w));
    w.run(clean(w));
    // What was written once, at the beginning, has moved through segments that hot blocks were in.
    const { states, nowNs } = offers.at(-1) ?? { states: [], nowNs: 0 };
    const old = states.filter((s) => nowNs - s.youngestNs > seconds(5000));
    expect(old.reduce((sum, s) => sum + s.liveBytes, 0)).toBeGreaterThan(150_000);
    for (const s of states) expect(s.writtenNs).toBeGreaterThanOrEqual(s.youngestNs);
    expect(old.filter((s) => s.writtenNs > s.youngestNs).length).toBeGreaterThan(0);
  });

  it('the same after the machine has halted and boots again', () => {
    const { w, offers } = watched('none');
    w.attach();
    w.run(coldAndHot(w, 8));
    w.run(clean(w));
    const before = offers.at(-1)?.states ?? [];
    w.reboot();
    w.run(later(w));
    const after = new Map(offers.at(-1)?.states.map((s) => [s.segment, s.writtenNs]));
    const met = before.filter((s) => after.has(s.segment));
    expect(met.length).toBeGreaterThan(4);
    for (const { segment, writtenNs } of met)
      expect([segment, after.get(segment)]).toEqual([segment, writtenNs]);
    expect(new Set(met.map((s) => s.writtenNs)).size).toBeGreaterThan(2);
  });

  it('when it was written, when only the log knows it because the machine crashed before the first checkpoint', () => {
    const { w, offers } = watched('none', { checkpointSeconds: 1e6 });
    w.attach();
    w.run(coldAndHot(w, 8));
    w.crash();
    w.attach();
    w.run(later(w));
    const written = offers.at(-1)?.states.filter((s) => s.youngestNs > 0) ?? [];
    expect(written.length).toBeGreaterThan(2);
    for (const { youngestNs, writtenNs } of written) {
      expect(writtenNs).toBeGreaterThanOrEqual(youngestNs);
      expect(writtenNs).toBeLessThan(w.engine.nowNs);
    }
  });
});
