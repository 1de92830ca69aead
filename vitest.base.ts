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
    isolate: true,
    sequence: { shuffle: false },
    testTimeout: 30_000,
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary', 'json-summary'] },
  },
});
