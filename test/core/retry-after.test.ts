import { expect, test } from 'vitest';

import { retryAfterMs } from '../../src/core/retry-after.ts';

const NOW = Date.parse('Wed, 25 Nov 2026 12:00:00 GMT');

test.each<[string | undefined, number]>([
  ['0', 0],
  ['120', 120_000],
  [' 5 ', 5_000],
  ['Wed, 25 Nov 2026 12:00:30 GMT', 30_000],
  ['Wed, 25 Nov 2026 11:59:00 GMT', 0],
  ['-5', 0],
  ['1.5', 0],
  ['soon', 0],
  ['', 0],
  [undefined, 0],
])('a refusal that says %j asks for %i ms', (field, ms) => {
  expect(retryAfterMs(field, NOW)).toBe(ms);
});
