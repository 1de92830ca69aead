import { defineConfig } from 'vitest/config';

const own = process.env['TEST_DIST'] ? [] : ['@backplane/source'];
const conditions = [...own, 'module', 'node', 'development|production'];

/** Shared test settings: workspace packages resolve to their TypeScript sources unless TEST_DIST is set. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    pool: 'threads',
    // Files of one package share their modules, which hold no state: loading them anew took as long as the tests.
    isolate: false,
    sequence: { shuffle: false },
    // Whole campaigns take minutes.
    testTimeout: process.env['BACKPLANE_FULL'] === undefined ? 30_000 : 600_000,
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary', 'json-summary'] },
  },
});
