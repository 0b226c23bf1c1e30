import { defineConfig } from 'vitest/config';

/** The real editor: one server and one browser at a time. */
export default defineConfig({
  test: {
    include: ['test/editor/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    sequence: { concurrent: false },
    bail: 1,
    testTimeout: 180_000,
    hookTimeout: 600_000,
  },
});
