import { defineConfig } from 'vitest/config';

const slow = ['test/integration/**/*.test.ts', 'test/faults/**/*.test.ts'];
const models = ['test/models/**/*.test.ts'];
const browser = ['test/browser/**/*.test.ts'];

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    // vitest leaves one core idle by default, which is half of a two-core machine
    maxWorkers: '100%',
    coverage: { provider: 'v8', include: ['src/**', 'machines/**'], reporter: ['text', 'html', 'json-summary'] },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...slow, ...models, ...browser] },
      },
      {
        extends: true,
        test: { name: 'models', include: models, testTimeout: 60_000 },
      },
      {
        extends: true,
        // real sockets and a real clock: one file at a time, after everything that could starve them
        test: {
          name: 'integration',
          include: [...slow, ...browser],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
