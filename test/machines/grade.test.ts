import { describe, expect, test } from 'vitest';

import {
  gradeOf,
  GRADING,
  isFine,
  isGood,
  isLessThanCritical,
  showsCritical,
  showsDegraded,
  showsHealthy,
  showsLessThanCritical,
  withSample,
  worse,
} from '../../machines/grade.ts';

describe('a sample', () => {
  test('is judged by two thresholds for each grade, so that none of them is a hair’s breadth', () => {
    expect([59, 60, 69, 70].map(isFine)).toEqual([false, true, true, true]);
    expect([59, 60, 69, 70].map(isGood)).toEqual([false, false, false, true]);
    expect([24, 25, 39, 40].map(isLessThanCritical)).toEqual([false, false, false, true]);
  });

  test('is kept with the four before it', () => {
    expect(withSample([1, 2, 3, 4, 5], 6)).toEqual([2, 3, 4, 5, 6]);
    expect(withSample([], 6)).toEqual([6]);
    expect(GRADING.samples).toBe(5);
  });
});

describe('the last samples', () => {
  test.each([
    ['call for degraded', showsDegraded, [59, 100, 59], 59, true],
    ['do not, where they are two', showsDegraded, [59, 100, 100], 59, false],
    ['do not, where the third is too long ago', showsDegraded, [59, 100, 100, 100, 59], 59, false],
    ['do not, where the last one speaks against it', showsDegraded, [59, 59, 59], 60, false],
    ['call for critical', showsCritical, [24, 24], 24, true],
    ['do not, where they are only poor', showsCritical, [24, 25], 24, false],
    ['allow to leave critical, where they are all', showsLessThanCritical, [0, 40, 40, 40, 40], 40, true],
    ['do not, at the score at which it was given', showsLessThanCritical, [40, 40, 40, 39], 40, false],
    ['allow healthy, where they are all', showsHealthy, [0, 70, 70, 70, 70], 70, true],
    ['do not, where one of them is poor', showsHealthy, [70, 70, 69, 70], 70, false],
    ['do not, where they are too few', showsHealthy, [70, 70, 70], 70, false],
  ])('%s', (_what, shows, recent, score, expected) => {
    expect(shows(recent, score)).toBe(expected);
  });
});

describe('a grade', () => {
  test('of a score that changes slowly is told by where that begins', () => {
    expect([100, 60, 59, 25, 24, 0].map(gradeOf)).toEqual([
      'healthy',
      'healthy',
      'degraded',
      'degraded',
      'critical',
      'critical',
    ]);
  });

  test('of two is the worse', () => {
    expect([worse('healthy', 'critical'), worse('degraded', 'healthy'), worse('critical', 'degraded')]).toEqual([
      'critical',
      'degraded',
      'critical',
    ]);
  });
});
