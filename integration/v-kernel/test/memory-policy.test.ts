/** The policy with one pool keeps the contract of its slot. */
import { unifiedMemory } from '@backplane/memory-policy-unified';
import { conformsToMemoryPolicy } from '@backplane/testkit';
import { describe, it } from 'vitest';

describe('one pool of page frames', () => {
  for (const check of conformsToMemoryPolicy({ boards: { memoryPolicy: unifiedMemory() }, trades: true }))
    it(check.name, check.run);
});
