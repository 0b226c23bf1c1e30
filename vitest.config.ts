import { defineConfig } from 'vitest/config';

// Two files at a time on two cores: every test runs its model with one thread, since threads that outnumber cores starve each other.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/vscode/**', 'test/editor/**', 'test/package/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    restoreMocks: true,
  },
});
