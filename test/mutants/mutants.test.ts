import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';

import { MASKED, MUTANTS, type Break } from './index.ts';

const root = new URL('../../', import.meta.url);
const cases = MUTANTS.map((mutant) => [mutant.what, mutant] as const);
const breaks: Break[] = [...MUTANTS, ...MASKED.flatMap(({ guards }) => guards)];

describe('what is broken to see that the tests see it', () => {
  test.each(breaks.map((each) => [each.what, each] as const))(
    'is there to be broken: %s',
    (_what, { file, from, to }) => {
      expect(readFileSync(new URL(file, root), 'utf8').split(from)).toHaveLength(2);
      expect(to).not.toBe(from);
    },
  );

  test.each(cases)('has tests to be seen by: %s', (_what, { tests }) => {
    for (const test of tests) {
      const names = readdirSync(new URL(`${test}/..`, root)).map((name) => `${dirname(test)}/${name}`);
      expect(names.filter((name) => name.startsWith(test) && name.endsWith('.test.ts'))).not.toEqual([]);
    }
  });

  test('has names of its own', () => {
    expect(new Set(MUTANTS.map(({ what }) => what)).size).toBe(MUTANTS.length);
  });

  test.each(MASKED.map((masked) => [masked.hazard.title, masked] as const))(
    'has several guards, and a test of its own: %s',
    (title, { hazard: { file }, guards }) => {
      expect(guards.length).toBeGreaterThan(1);
      expect(readFileSync(new URL(file, root), 'utf8').split(`test('${title}'`)).toHaveLength(2);
    },
  );
});
