import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.base.ts';

/**
 * The tests of all packages at once, as one project: what several packages import is loaded once for each processor, and not
 * once for each package. `npx vitest run packages/engine` runs those of one folder; so does `npx vitest run` in it.
 */
export default mergeConfig(
  base,
  defineConfig({
    test: {
      include: ['{packages,hosts,integration}/*/test/**/*.test.ts', 'scripts/test/**/*.test.ts'],
      // By itself it leaves a processor free, which on a machine with two is half of them.
      maxWorkers: '100%',
      coverage: { include: ['packages/*/src/**', 'hosts/*/src/**'] },
    },
  }),
);
