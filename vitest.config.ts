import { defineConfig } from 'vitest/config';

/** Suites that depend on what etcd answers. */
const ON_THE_WIRE = [
  'test/contracts/store*.test.ts',
  'test/store/etcd*.test.ts',
  'test/leases/remove.test.ts',
  'test/commands/{config,leases,leases-watch}.test.ts',
];

export default defineConfig({
  test: {
    pool: 'forks',
    // many suites wait for clusters and for time more than they work
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    globalSetup: ['test/support/registry.ts'],
    projects: [
      { extends: true, test: { name: 'all', include: ['test/**/*.test.ts'], env: { TEST_ETCD: '3.4' } } },
      {
        extends: true,
        test: {
          name: 'etcd 3.5',
          include: ON_THE_WIRE,
          env: { TEST_ETCD: '3.5' },
          globalSetup: ['test/support/etcd-35.ts'],
        },
      },
    ],
  },
});
