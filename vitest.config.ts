import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/registry.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
