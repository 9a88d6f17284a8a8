import { describe, expect, test } from 'vitest';
import { Histogram } from '../../src/metrics/histogram.ts';

const countsOf = (histogram: Histogram): number[] => histogram.buckets.map(({ count }) => count);

describe('a histogram', () => {
  test('counts a measurement in its bucket and in every one above, the last of which has no bound', () => {
    const histogram = new Histogram([0.1, 1]);
    for (const value of [0.05, 0.5, 0.6, 7]) histogram.add(value);
    expect(histogram.buckets).toEqual([
      { bound: 0.1, count: 1 },
      { bound: 1, count: 3 },
      { bound: Infinity, count: 4 },
    ]);
    expect(histogram.sum).toBe(0.05 + 0.5 + 0.6 + 7);
  });

  test('counts what is as large as a bound below it', () => {
    const histogram = new Histogram([0.1, 1]);
    histogram.add(0.1);
    expect(countsOf(histogram)).toEqual([1, 1, 1]);
  });

  test('is empty at first', () => {
    const histogram = new Histogram([0.1]);
    expect(countsOf(histogram)).toEqual([0, 0]);
    expect(histogram.sum).toBe(0);
  });
});
