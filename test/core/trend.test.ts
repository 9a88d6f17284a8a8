import { describe, expect, test } from 'vitest';

import { Trend } from '../../src/core/trend.ts';

describe('a trend', () => {
  test('has no points before the first', () => {
    expect(new Trend(60_000).points(0, 60_000)).toEqual([]);
  });
});
