import { costBenefitCleaner } from '@backplane/cleaner-cost-benefit';
import { greedyCleaner } from '@backplane/cleaner-greedy';
import { noCleaner } from '@backplane/cleaner-none';
import { conformsToCleaner } from '@backplane/testkit';
import { describe, it } from 'vitest';

const cleaners = {
  'the emptiest first': greedyCleaner(),
  'the emptiest first, however full they are': greedyCleaner({ liveShareMax: 1 }),
  'benefit over cost': costBenefitCleaner(),
  'benefit over cost, half empty ones only': costBenefitCleaner({ liveShareMax: 0.5 }),
  'no cleaning': noCleaner(),
};

for (const [name, cleaner] of Object.entries(cleaners))
  describe(name, () => {
    for (const check of conformsToCleaner({ cleaner })) it(check.name, check.run);
  });
