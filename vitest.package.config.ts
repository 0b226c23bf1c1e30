import { defineConfig } from 'vitest/config';

/** The packaged extension, built, installed and run as a user has it. */
export default defineConfig({
  test: {
    include: ['test/package/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    bail: 1,
    testTimeout: 300_000,
    hookTimeout: 900_000,
  },
});
