import { expect, test } from 'vitest';

import { fallen } from '../../bench/quick.ts';

test('a ratio has fallen that is worse by more than a quarter, whichever way is worse', () => {
  const before = { 'a, capacity': 4, 'b, p50': 1.2, 'c, perSecond': 2 };
  expect(fallen(before, { 'a, capacity': 3, 'b, p50': 1.59, 'c, perSecond': 9 })).toEqual([]);
  expect(fallen(before, { 'a, capacity': 2.99, 'b, p50': 1.61, 'c, perSecond': 2 })).toEqual([
    'a, capacity was 4.00 of raw, and is 2.99',
    'b, p50 was 1.20 of raw, and is 1.61',
  ]);
});

test('what is measured no more has fallen', () => {
  expect(fallen({ 'a, capacity': 4 }, {})).toEqual(['a, capacity was 4.00 of raw, and is NaN']);
});
