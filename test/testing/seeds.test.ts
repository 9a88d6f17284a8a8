import { expect, test } from 'vitest';

import { simulate } from '../../src/testing/index.ts';

// so many seeds show what most broken rules come to; `test/simulation` runs many more
const SEEDS = 100;

test(`with the first ${SEEDS} seeds every promise is kept`, { timeout: 120_000 }, async () => {
  const breaches: string[] = [];
  for (let seed = 1; seed <= SEEDS && breaches.length === 0; seed++) {
    const { breach } = await simulate({ seed, shrinkRuns: 0 });
    if (breach !== null) breaches.push(`seed ${seed}: ${breach}`);
  }
  expect(breaches).toEqual([]);
});
