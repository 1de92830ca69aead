import { defineConfig } from 'vitest/config';

/** One process over every package: `npx vitest run --project @backplane/engine` runs one of them. */
export default defineConfig({
  test: {
    // By itself it leaves a processor free, which on a machine with two is half of them.
    maxWorkers: '100%',
    projects: [
      'packages/*/vitest.config.ts',
      'hosts/*/vitest.config.ts',
      'integration/*/vitest.config.ts',
      'scripts/vitest.config.ts',
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**', 'hosts/*/src/**'],
      reporter: ['text-summary', 'json-summary'],
    },
  },
});
