import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { RoundTrips, type RoundTripSummary } from '../../src/core/round-trips.ts';
import { hostileNumber, impossible } from '../support/hostile.ts';

const KEPT = 100;

describe('round trips', () => {
  test('are unknown before the first', () => {
    expect(new RoundTrips().summary).toBeNull();
  });

  test('are all the first one, which varies by half of itself', () => {
    expect(summaryOf(40)).toEqual({
      lastMs: 40,
      smoothedMs: 40,
      variationMs: 20,
      minMs: 40,
      maxMs: 40,
      p50Ms: 40,
      p95Ms: 40,
      p99Ms: 40,
      jitterMs: 0,
      samples: 1,
    });
  });

  test('are smoothed as RFC 6298 has it: the variation first, from the estimate of before', () => {
    // variation: 3/4 · 20 + 1/4 · |40 - 80| = 25; smoothed: 7/8 · 40 + 1/8 · 80 = 45
    expect(summaryOf(40, 80)).toMatchObject({ smoothedMs: 45, variationMs: 25 });
    // variation: 3/4 · 25 + 1/4 · |45 - 5| = 28.75; smoothed: 7/8 · 45 + 1/8 · 5 = 40
    expect(summaryOf(40, 80, 5)).toMatchObject({ smoothedMs: 40, variationMs: 28.75 });
  });

  test('settle on what they are when they no longer vary', () => {
    expect(summaryOf(2_000, ...repeated(40, 300))).toMatchObject({ smoothedMs: 40, variationMs: 0, jitterMs: 0 });
  });

  test('have percentiles by nearest rank: each is a round trip that was', () => {
    expect(summaryOf(...countedTo(20))).toMatchObject({ p50Ms: 10, p95Ms: 19, p99Ms: 20 });
    expect(summaryOf(...countedTo(100).reverse())).toMatchObject({ p50Ms: 50, p95Ms: 95, p99Ms: 99 });
    expect(summaryOf(9, 10)).toMatchObject({ p50Ms: 9, p95Ms: 10 });
  });

  test('have the mean difference of one to the next as jitter, in the order they came', () => {
    expect(summaryOf(10, 30, 20)).toMatchObject({ jitterMs: 15 });
    expect(summaryOf(10, 20, 30)).toMatchObject({ jitterMs: 10 });
  });

  test('forget all but the last hundred for percentiles and jitter, and none for the extremes and the number', () => {
    const steps = [9_000, 1, 8_000, ...countedTo(KEPT).map((ms) => ms + 100)];
    const summary = summaryOf(...steps);
    expect(summary).toMatchObject({ p50Ms: 150, p99Ms: 199, jitterMs: 1, lastMs: 200 });
    expect(summary).toMatchObject({ minMs: 1, maxMs: 9_000, samples: 103 });
  });

  test('keep the order of the last hundred when the ring has turned', () => {
    expect(summaryOf(...repeated(7, 30), ...countedTo(KEPT)).jitterMs).toBe(1);
    expect(summaryOf(...countedTo(KEPT), 101, 102).jitterMs).toBe(1);
  });

  test('are told to a hundredth of a millisecond', () => {
    expect(summaryOf(0.123456)).toMatchObject({ lastMs: 0.12, minMs: 0.12, p50Ms: 0.12, smoothedMs: 0.12 });
  });

  test.each([NaN, Infinity, -Infinity, -1, -0.001, 3_600_001, Number.MAX_VALUE])(
    'of %d ms cannot be true, and are ignored',
    (ms) => {
      const trips = new RoundTrips();
      trips.add(ms);
      expect(trips.summary).toBeNull();
      trips.add(40);
      trips.add(ms);
      expect(trips.summary).toEqual(summaryOf(40));
    },
  );

  test('of nothing and of an hour can be true', () => {
    expect(summaryOf(0, 3_600_000)).toMatchObject({ minMs: 0, maxMs: 3_600_000, samples: 2 });
  });

  test('give a copy, which later samples leave alone', () => {
    const trips = new RoundTrips();
    trips.add(10);
    const before = trips.summary;
    trips.add(500);
    expect(before).toMatchObject({ lastMs: 10, samples: 1 });
  });

  test('are possible and in order, whatever is added', () => {
    const anySample = fc.oneof(hostileNumber, fc.double({ min: 0, max: 5_000, noNaN: true }), fc.constant(12.345));
    fc.assert(
      fc.property(fc.array(anySample, { maxLength: 250 }), (samples) => {
        const trips = new RoundTrips();
        for (const ms of samples) trips.add(ms);
        const summary = trips.summary;
        const believed = samples.filter((ms) => ms >= 0 && ms <= 3_600_000);
        expect(summary?.samples ?? 0).toBe(believed.length);
        if (!summary) return;
        expect(impossible(summary)).toEqual([]);
        const { minMs, p50Ms, p95Ms, p99Ms, maxMs, lastMs, smoothedMs } = summary;
        expect([minMs, p50Ms, p95Ms, p99Ms, maxMs]).toEqual([minMs, p50Ms, p95Ms, p99Ms, maxMs].toSorted(ascending));
        for (const within of [lastMs, smoothedMs]) {
          expect(within).toBeGreaterThanOrEqual(minMs);
          expect(within).toBeLessThanOrEqual(maxMs);
        }
        expect(summary.jitterMs).toBeLessThanOrEqual(maxMs - minMs + 0.01);
      }),
    );
  });
});

function summaryOf(...samples: number[]): RoundTripSummary {
  const trips = new RoundTrips();
  for (const ms of samples) trips.add(ms);
  return trips.summary ?? expect.fail('there is a summary');
}

const ascending = (one: number, other: number): number => one - other;
const countedTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
const repeated = (ms: number, times: number): number[] => Array.from({ length: times }, () => ms);
