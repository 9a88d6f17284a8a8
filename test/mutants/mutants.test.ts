import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';

import { MUTANTS } from './index.ts';

const root = new URL('../../', import.meta.url);
const cases = MUTANTS.map((mutant) => [mutant.what, mutant] as const);

describe('what is broken to see that the tests see it', () => {
  test.each(cases)('is there to be broken: %s', (_what, { file, from, to }) => {
    expect(readFileSync(new URL(file, root), 'utf8').split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
  });

  test.each(cases)('has tests to be seen by: %s', (_what, { tests }) => {
    for (const test of tests) {
      const names = readdirSync(new URL(`${test}/..`, root)).map((name) => `${dirname(test)}/${name}`);
      expect(names.filter((name) => name.startsWith(test) && name.endsWith('.test.ts'))).not.toEqual([]);
    }
  });

  test('has names of its own', () => {
    expect(new Set(MUTANTS.map(({ what }) => what)).size).toBe(MUTANTS.length);
  });
});
