import { basename } from 'node:path';
import { expect, test } from 'vitest';

test('runs on the build of XState that NODE_ENV asks for', () => {
  const build = process.env['NODE_ENV'] === 'production' ? 'xstate.cjs.mjs' : 'xstate.development.cjs.mjs';
  expect(basename(import.meta.resolve('xstate'))).toBe(build);
});
