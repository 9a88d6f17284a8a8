import { expect, test } from 'vitest';

import { simulate } from '../../src/testing/index.ts';

// so many seeds show what most broken rules come to; `test/simulation` runs many more
const SEEDS = 100;
// each of these shows what none of the first does
const MORE = [187, 282];

test(`with the first ${SEEDS} seeds every promise is kept`, { timeout: 120_000 }, async () => {
  const breaches: string[] = [];
  for (const seed of [...Array.from({ length: SEEDS }, (_, index) => index + 1), ...MORE]) {
    if (breaches.length > 0) break;
    const { breach } = await simulate({ seed, shrinkRuns: 0 });
    if (breach !== null) breaches.push(`seed ${seed}: ${breach}`);
  }
  expect(breaches).toEqual([]);
});
