import { defineConfig } from 'vitest/config';

/** Pictures of the real editor for the docs: `npm run screenshots`. */
export default defineConfig({
  test: {
    include: ['test/editor/**/*.shots.ts'],
    pool: 'forks',
    fileParallelism: false,
    sequence: { concurrent: false },
    testTimeout: 400_000,
    hookTimeout: 600_000,
  },
});
