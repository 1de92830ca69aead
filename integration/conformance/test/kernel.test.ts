/** The boards inside one kernel: page frames and blocks, processors, streams, recovery. */
import { lruBlockCache } from '@backplane/block-cache-lru';
import { fixedMemory } from '@backplane/memory-policy-fixed';
import { negotiatedMemory } from '@backplane/memory-policy-negotiated';
import { pipes } from '@backplane/objects-pipe';
import { reopenRecovery } from '@backplane/recovery-reopen';
import { spriteScheduler } from '@backplane/scheduler-sprite';
import { vScheduler } from '@backplane/scheduler-v';
import { streams } from '@backplane/streams';
import {
  type Check,
  conformsToBlockCache,
  conformsToMemoryPolicy,
  conformsToObjects,
  conformsToRecovery,
  conformsToScheduler,
  conformsToStreams,
} from '@backplane/testkit';
import { priorityOf } from '@backplane/v-operations';
import { describe, it } from 'vitest';

const kits: Readonly<Record<string, readonly Check[]>> = {
  'a block cache that keeps what was used last': conformsToBlockCache({
    boards: { blockCache: lruBlockCache() },
  }),
  'fixed shares of memory': conformsToMemoryPolicy({
    boards: { memoryPolicy: fixedMemory({ filesShare: 0.3 }) },
    trades: false,
  }),
  'negotiated memory': conformsToMemoryPolicy({ boards: { memoryPolicy: negotiatedMemory() }, trades: true }),
  "Sprite's time sharing": conformsToScheduler({
    boards: { scheduler: spriteScheduler() },
    priorities: [1, -1],
  }),

  "V's dispatcher": conformsToScheduler({
    boards: { scheduler: vScheduler({ balanceMs: 20 }) },
    priorities: [priorityOf('foreground'), priorityOf('background')],
    unfairSeconds: Number.POSITIVE_INFINITY,
    restSeconds: 0.03,
  }),
  'the stream table': conformsToStreams({ boards: { streams: streams() } }),
  pipes: conformsToObjects({ boards: { objects: pipes() }, kind: 'pipe' }),
  'recovery by reopening': conformsToRecovery({
    boards: { recovery: reopenRecovery() },
    impatient: { boards: { recovery: reopenRecovery({ giveUpSeconds: 30 }) }, seconds: 30 },
  }),
};

for (const [name, checks] of Object.entries(kits))
  describe(name, () => {
    for (const check of checks) it(check.name, check.run);
  });
