import { lruBlockCache } from '@backplane/block-cache-lru';
import { type Task, Timer } from '@backplane/engine';
import { fixedMemory } from '@backplane/memory-policy-fixed';
import { negotiatedMemory } from '@backplane/memory-policy-negotiated';
import { reopenRecovery } from '@backplane/recovery-reopen';
import { spriteScheduler } from '@backplane/scheduler-sprite';
import type {
  BlockCache,
  CachedObject,
  FrameHolder,
  MemoryPolicy,
  Recovery,
  Scheduler,
} from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import {
  conformsToBlockCache,
  conformsToMemoryPolicy,
  conformsToRecovery,
  conformsToScheduler,
} from '../src/index.ts';
import { type Change, defective, failedBy, passOn } from './defective.ts';

const blockCache = (change: Change<BlockCache>, names: RegExp): readonly string[] =>
  failedBy(
    conformsToBlockCache({ boards: { blockCache: defective(lruBlockCache(), change) }, courses: 4 }),
    names,
  );

/** Every cached object with a defect. */
const caching =
  (change: (inside: CachedObject) => Partial<CachedObject>): Change<BlockCache> =>
  (cache) => ({
    object(key, backing, o) {
      const inside = cache.object(key, backing, o);
      return passOn(inside, change(inside));
    },
  });

/** Every backing is told something else. */
const told =
  (lastDirty: boolean): Change<BlockCache> =>
  (cache) => ({
    object: (key, backing, o) =>
      cache.object(
        key,
        passOn(backing, { writeBack: (block, bytes) => backing.writeBack(block, bytes, { lastDirty }) }),
        o,
      ),
  });

const cacheDefects: readonly (readonly [string, Change<BlockCache>, RegExp])[] = [
  ['never tells of the last dirty block', told(false), /^lastDirty/],
  ['tells of it always', told(true), /^lastDirty/],
  ['flushes nothing', caching(() => ({ *flush(): Task<void> {} })), /^flush returns when/],
  [
    'drops dirty blocks with the clean ones',
    caching((o) => ({ drop: (_, from) => o.drop('all', from) })),
    /^drop:/,
  ],
  [
    'fetches nothing before it writes',
    caching((o) => ({ write: (n, at, b) => o.write(n, at, b, { fetchFirst: false }) })),
    /^a write puts bytes/,
  ],
  [
    'forgets what is released',
    caching((o) => ({ release: () => o.drop('all') })),
    /^an object has the blocks/,
  ],
  [
    'tries to write without what it would have to fetch',
    caching((o) => ({ tryWrite: (n, at, b) => o.tryWrite?.(n, at, b, { fetchFirst: false }) ?? false })),
    /^tryWrite does and charges/,
  ],
  ['says that it has written, and has not', caching(() => ({ tryWrite: () => true })), /^tryWrite does and/],
  [
    'is paid twice for what it writes at once',
    caching((o) => ({
      tryWrite: (n, at, b, how) => o.tryWrite?.(n, at, b, how) === true && o.tryWrite(n, at, b, how),
    })),
    /^tryWrite does and charges/,
  ],
  [
    'says that it has written where there is no place',
    caching(() => ({ tryWrite: () => true })),
    /^tryWrite says no/,
  ],
  ['says that everything is stored', caching(() => ({ tryFlush: () => true })), /^tryFlush says yes/],
  ['makes nothing oldest', caching(() => ({ makeOldest: () => {} })), /^blocks that were used lately/],
  [
    'never lets dirty blocks go by themselves',
    (cache) => ({ object: (key, backing) => cache.object(key, backing, { writeDelayNs: 'never' }) }),
    /^dirty blocks leave by themselves/,
  ],
  [
    'hides errors',
    (cache) => ({
      *flushAll() {
        try {
          yield* cache.flushAll();
        } catch {}
      },
    }),
    /^flushAll/,
  ],
];

const trading = (change: Change<MemoryPolicy>, names: RegExp): readonly string[] =>
  failedBy(
    conformsToMemoryPolicy({
      boards: { memoryPolicy: defective(negotiatedMemory(), change) },
      trades: true,
      courses: 4,
    }),
    names,
  );

const untraded = (change: Change<MemoryPolicy>, names: RegExp): readonly string[] =>
  failedBy(
    conformsToMemoryPolicy({
      boards: { memoryPolicy: defective(fixedMemory(), change) },
      trades: false,
      courses: 4,
    }),
    names,
  );

const policyDefects: readonly (readonly [string, typeof trading, Change<MemoryPolicy>, RegExp])[] = [
  [
    'takes frames of everybody’s without a question',
    trading,
    (p) => ({ tryClaim: (by) => p.tryClaim({ ...by, name: 'check' }) }),
    /^tryClaim gives free frames/,
  ],
  [
    'never trades',
    trading,
    (p) => ({
      *claim(by) {
        return p.tryClaim(by);
      },
    }),
    /^trades: the holder of the oldest page/,
  ],
  [
    'takes from others whoever has the oldest page',
    trading,
    (p) => {
      const all: FrameHolder[] = [];
      return {
        register(holder) {
          all.push(holder);
          return p.register(holder);
        },
        *claim(by) {
          for (const other of all) if (other !== by && p.tryClaim(by) === undefined) yield* other.giveUp();
          return p.tryClaim(by);
        },
      };
    },
    /^trades: who has the oldest page himself/,
  ],
  [
    'takes nobody back',
    trading,
    (p) => ({ register: (h) => (p.register(h) ? () => {} : () => {}) }),
    /^trades: a holder that was taken back/,
  ],
  [
    'gives all to who comes first',
    untraded,
    (p) => ({
      tryClaim: (by) => p.tryClaim(by) ?? p.tryClaim({ ...by, name: by.name === 'vm' ? 'files' : 'vm' }),
    }),
    /^no trades: what a holder can have/,
  ],
];

const scheduler = (change: Change<Scheduler>, names: RegExp): readonly string[] =>
  failedBy(
    conformsToScheduler({
      boards: { scheduler: defective(spriteScheduler(), change) },
      priorities: [1, -1],
      courses: 4,
    }),
    names,
  );

const schedulerDefects: readonly (readonly [string, Change<Scheduler>, RegExp])[] = [
  ['pays at once', () => ({ execute: (_t, _ns, _c, paid) => paid() }), /^execute calls paid later/],
  [
    'gives every thread a processor of its own',
    (_, { scope }) => ({ execute: (_t, ns, _c, paid) => new Timer(scope, 'free', paid).set(ns) }),
    /^a processor does one thing at a time/,
  ],
  ['knows no priorities', () => ({ setPriority: () => {} }), /^of two threads .* better priority/],
  ['counts nobody', () => ({ runnable: 0 }), /^runnable counts/],
  [
    'accounts everything to the user',
    (s) => ({ execute: (t, ns, _c, paid) => s.execute(t, ns, 0, paid) }),
    /^every nanosecond/,
  ],
];

const recovery = (change: Change<Recovery>, names: RegExp): readonly string[] =>
  failedBy(conformsToRecovery({ boards: { recovery: defective(reopenRecovery(), change) } }), names);

const recoveryDefects: readonly (readonly [string, Change<Recovery>, RegExp])[] = [
  [
    'has one pass',
    (r) => ({ register: (p) => r.register({ ...p, pass: 'handles' }) }),
    /^after a reboot of a watched server/,
  ],
  [
    'tells who waits at once',
    () => ({
      *await() {
        return 'retry';
      },
    }),
    /^await returns retry when/,
  ],
  ['admits everybody', () => ({ admits: () => true }), /^a server admits/],
  ['admits nobody', () => ({ admits: () => false }), /^a client that crashes/],
  [
    'takes silence in a pass for its end',
    (r) => ({
      register: (p) =>
        r.register({
          name: p.name,
          pass: p.pass,
          *reopen(server) {
            try {
              yield* p.reopen(server);
            } catch {}
          },
        }),
    }),
    /^a server that goes down during a pass/,
  ],
  [
    'never gives up',
    (r) => ({
      *await(server) {
        for (;;) if ((yield* r.await(server)) === 'retry') return 'retry';
      },
    }),
    /^a server that nobody expects back/,
  ],
];

const impatient = (change: Change<Recovery>, names: RegExp): readonly string[] => {
  const boards = { recovery: defective(reopenRecovery({ giveUpSeconds: 20 }), change) };
  return failedBy(conformsToRecovery({ boards, impatient: { boards, seconds: 20 } }), names);
};

const kits = {
  blockCache: [blockCache, cacheDefects],
  scheduler: [scheduler, schedulerDefects],
} as const;

describe('the kit of the slot blockCache', () => {
  it('finds nothing wrong with a cache that is passed on unchanged', () => {
    expect(kits.blockCache[0](() => ({}), /./)).toEqual([]);
  });

  for (const [what, change, names] of cacheDefects)
    it(`refuses one that ${what}`, () => {
      expect(blockCache(change, names)).toHaveLength(1);
    });
});

describe('the kit of the slot memoryPolicy', () => {
  it('finds nothing wrong with policies that are passed on unchanged', () => {
    expect([...trading(() => ({}), /./), ...untraded(() => ({}), /./)]).toEqual([]);
  });

  for (const [what, kit, change, names] of policyDefects)
    it(`refuses one that ${what}`, () => {
      expect(kit(change, names)).toHaveLength(1);
    });
});

describe('the kit of the slot scheduler', () => {
  it('finds nothing wrong with a scheduler that is passed on unchanged', () => {
    expect(scheduler(() => ({}), /./)).toEqual([]);
  });

  for (const [what, change, names] of schedulerDefects)
    it(`refuses one that ${what}`, () => {
      expect(scheduler(change, names)).toHaveLength(1);
    });
});

describe('the kit of the slot recovery', () => {
  it('finds nothing wrong with a recovery that is passed on unchanged', () => {
    expect(recovery(() => ({}), /./)).toEqual([]);
    expect(impatient(() => ({}), /^a server that nobody expects back/)).toEqual([]);
  });

  for (const [what, change, names] of recoveryDefects)
    it(`refuses one that ${what}`, () => {
      expect((what === 'never gives up' ? impatient : recovery)(change, names)).toHaveLength(1);
    });
});
