import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { DecayingCount } from '../../src/core/decaying-count.ts';
import { hostileTimes, impossible } from '../support/hostile.ts';

const HALF_LIFE_MS = 300_000;
const YEAR_MS = 3.2e10;

describe('a decaying count', () => {
  test('is nothing before the first', () => {
    const count = new DecayingCount(HALF_LIFE_MS);
    expect([count.valueAt(0), count.valueAt(YEAR_MS), count.total]).toEqual([0, 0, 0]);
  });

  test.each([
    [0, 1],
    [HALF_LIFE_MS / 2, Math.SQRT1_2],
    [HALF_LIFE_MS, 0.5],
    [HALF_LIFE_MS * 3, 0.125],
  ])('of one is, %i ms later, %d', (laterMs, value) => {
    expect(countOf(1_000).valueAt(1_000 + laterMs)).toBeCloseTo(value, 12);
  });

  test('adds what comes to what is left', () => {
    expect(countOf(0, HALF_LIFE_MS, HALF_LIFE_MS).valueAt(HALF_LIFE_MS)).toBe(2.5);
  });

  test('decays to nothing: an error of this morning is no trouble now (original fault 40)', () => {
    const count = countOf(0);
    expect(count.valueAt(3_600_000)).toBeLessThan(0.001);
    expect(count.valueAt(YEAR_MS * 100)).toBe(0);
  });

  test('keeps the total, which does not decay', () => {
    expect(countOf(0, 0, YEAR_MS).total).toBe(3);
  });

  test('is not changed by being looked at', () => {
    const count = countOf(0);
    count.valueAt(YEAR_MS);
    expect(count.valueAt(0)).toBe(1);
  });

  test('gives and takes nothing when the clock is set back, and decays on from there', () => {
    const count = countOf(YEAR_MS, 1_000);
    expect(count.valueAt(1_000)).toBe(2);
    expect(count.valueAt(0)).toBe(2);
    expect(count.valueAt(1_000 + HALF_LIFE_MS)).toBe(1);
  });

  test.each([NaN, Infinity, -Infinity])('takes a time that is %d for the last', (at) => {
    const count = countOf(1_000, at);
    expect([count.valueAt(1_000), count.valueAt(at), count.total]).toEqual([2, 2, 2]);
  });

  test('is possible, no more than its total, and no more with time, whatever the clock does', () => {
    fc.assert(
      fc.property(hostileTimes, fc.constantFrom(1, HALF_LIFE_MS, 1e300), (times, halfLifeMs) => {
        const count = new DecayingCount(halfLifeMs);
        for (const at of times) {
          count.add(at);
          expect(count.valueAt(at)).toBeGreaterThanOrEqual(1);
          for (const later of times) {
            expect(impossible(count.valueAt(later))).toEqual([]);
            expect(count.valueAt(later)).toBeLessThanOrEqual(count.total);
          }
        }
        expect(count.total).toBe(times.length);
      }),
      { numRuns: 30 },
    );
  });
});

function countOf(...times: number[]): DecayingCount {
  const count = new DecayingCount(HALF_LIFE_MS);
  for (const at of times) count.add(at);
  return count;
}
