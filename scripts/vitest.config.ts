import { defineConfig } from 'vitest/config';

/** The repository's own rules are code, and tested as such. */
export default defineConfig({
  test: { name: 'scripts', include: ['test/**/*.test.ts'], pool: 'threads', testTimeout: 30_000 },
});
