import { describe, expect, test } from 'vitest';

import { msAfter, msBetween, msSum } from '../../src/audit/moments.ts';

const instant = (at: number, mono: number | null, run = 1) => ({ at, mono, run });

describe('a duration', () => {
  test('is that of the clock that never runs backwards, within a run', () => {
    expect(msBetween(instant(1_000, 5), instant(9_000, 7.5))).toBe(2.5);
  });

  test('is that of the wall where the other clock is not known or has begun anew, and never negative', () => {
    expect(msBetween(instant(1_000, 5), instant(9_000, 7.5, 2))).toBe(8_000);
    expect(msBetween(instant(1_000, null), instant(9_000, 7.5))).toBe(8_000);
    expect(msBetween(instant(9_000, null), instant(1_000, null))).toBe(0);
  });

  test('of parts is as exact as they are', () => {
    expect([0.1, 0.2, 0.3].reduce(msSum, 0)).toBe(0.6);
  });

  test('is cut to the time asked about', () => {
    const [one, other] = [instant(1_000, 0), instant(9_000, 8_000)];
    expect([null, 500, 4_000, 9_000].map((from) => msAfter(from, one, other))).toEqual([8_000, 8_000, 5_000, 0]);
  });
});
