import { expect, test } from 'vitest';

import { fallen, ratiosOf } from '../../bench/quick.ts';

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

test('a ratio is that of the best rounds, for what is better when it is less as well', () => {
  const between = (least: number, most: number) => ({ least, median: (least + most) / 2, most });
  const raw = { capacity: between(50, 100), perSecond: between(40, 90) };
  const own = { capacity: between(100, 300), perSecond: between(1, 2) };
  const sections = [
    {
      title: 'load',
      results: [
        { name: 'raw ws', values: raw, ratios: {} },
        { name: 'own', values: own, ratios: {} },
      ],
    },
    {
      title: 'trips',
      results: [
        { name: 'raw ws', values: { p50: between(40, 80), p99: between(1, 2) }, ratios: {} },
        { name: 'own', values: { p50: between(60, 200), p99: between(1, 2) }, ratios: {} },
      ],
    },
  ];
  // the clock's figure of a load is not looked at, nor is the tail
  expect(ratiosOf(sections)).toEqual({ 'own, load, capacity': 3, 'own, trips, p50': 1.5 });
});
