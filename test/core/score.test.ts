import { describe, expect, test } from 'vitest';

import { latencyScore } from '../../src/core/score.ts';

describe('the latency score', () => {
  test.each([
    [100, 100],
    [250, 90],
    [500, 70],
    [1_000, 40],
    [2_000, 10],
    [4_000, 0],
  ])('of %i ms is %i', (ms, score) => {
    expect(latencyScore(ms)).toBe(score);
  });
});
