import { defineConfig } from 'vitest/config';
import './tools/compile-cache.ts';

export default defineConfig({
  // The failpoints and sabotage switches of test/support are chosen by this condition; the published package holds none.
  resolve: { conditions: ['evergrant-test', 'node', 'import', 'module', 'default'] },
  ssr: { resolve: { conditions: ['evergrant-test', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['test/**/*.test.ts'],
    // SQLite's locks belong to a process, so test files must not share one.
    pool: 'forks',
    // By default one less, so that on two cores one stands idle.
    maxWorkers: '100%',
    // Days pass in some tests, and a machine may be several times slower than another, or busy.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    restoreMocks: true,
  },
});
