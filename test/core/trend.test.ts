import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Trend, type TrendPoint } from '../../src/core/trend.ts';
import { hostileNumber, hostileTimes, impossible } from '../support/hostile.ts';

// a slot is a minute
const WINDOW_MS = 3_600_000;
const MINUTE_MS = 60_000;
const START = Date.UTC(2026, 0, 1);

const minute = (count: number): number => START + count * MINUTE_MS;
const point = (at: number, overall: number | null): TrendPoint => ({
  at,
  overall,
  latency: overall,
  stability: 100,
  capacity: 90,
});

describe('the points of a trend', () => {
  test('are none before the first, and none where the time asked for is no date', () => {
    expect(new Trend(WINDOW_MS).points(START, WINDOW_MS)).toEqual([]);
    expect(trendOf([minute(0), 80]).points(NaN, WINDOW_MS)).toEqual([]);
  });

  test('are what was added, with their times (original fault 43)', () => {
    const trend = trendOf([minute(0), null], [minute(1), 80], [minute(2), 70]);
    expect(trend.points(minute(3), WINDOW_MS)).toEqual([
      { at: minute(0), overall: null, latency: null, stability: 100, capacity: 90 },
      { at: minute(1), overall: 80, latency: 80, stability: 100, capacity: 90 },
      { at: minute(2), overall: 70, latency: 70, stability: 100, capacity: 90 },
    ]);
  });

  test('are those of the range that is asked for; the first is what held when it began (original fault 43)', () => {
    const trend = trendOf([minute(0), 90], [minute(10), 80], [minute(20), 70], [minute(30), 60]);
    expect(seen(trend, minute(30), 15 * MINUTE_MS)).toEqual([
      [15, 80],
      [20, 70],
      [30, 60],
    ]);
    expect(seen(trend, minute(30), 10 * MINUTE_MS)).toEqual([
      [20, 70],
      [30, 60],
    ]);
    expect(seen(trend, minute(30), 0)).toEqual([[30, 60]]);
    expect(seen(trend, minute(30), Infinity)).toHaveLength(4);
    expect(seen(trend, minute(30), NaN)).toEqual([[30, 60]]);
  });

  test('end with the time that is asked for', () => {
    const trend = trendOf([minute(0), 90], [minute(10), 80], [minute(20), 70]);
    expect(seen(trend, minute(15), WINDOW_MS)).toEqual([
      [0, 90],
      [10, 80],
    ]);
  });

  test('leave out what only repeats the one before', () => {
    const trend = trendOf([minute(0), 90], [minute(1), 90], [minute(2), 90], [minute(3), 80]);
    expect(seen(trend, minute(4), WINDOW_MS)).toEqual([
      [0, 90],
      [3, 80],
    ]);
  });

  test('tell apart what differs in one part only', () => {
    const trend = new Trend(WINDOW_MS);
    const before = point(minute(0), 90);
    const after = [
      { ...before, at: minute(1), latency: 89 },
      { ...before, at: minute(2), stability: 99 },
      { ...before, at: minute(3), capacity: 91 },
      { ...before, at: minute(4), latency: null },
    ];
    for (const each of [before, ...after]) trend.add(each);
    expect(trend.points(minute(4), WINDOW_MS)).toEqual([before, ...after]);
  });

  test('are the worst of a slot, so that a short dip is seen; what held at its end holds in the next', () => {
    const trend = trendOf([minute(0), 90], [minute(0.2), 30], [minute(0.3), 50], [minute(0.4), 95]);
    expect(seen(trend, minute(0.5), WINDOW_MS)).toEqual([[0, 30]]);
    expect(seen(trend, minute(1), WINDOW_MS)).toEqual([
      [0, 30],
      [1, 95],
    ]);
    trend.add(point(minute(5), 94));
    expect(seen(trend, minute(9), WINDOW_MS)).toEqual([
      [0, 30],
      [1, 95],
      [5, 94],
    ]);
  });

  test('hold the worst when the slot ends with it', () => {
    const trend = trendOf([minute(0), 90], [minute(0.2), 95], [minute(0.3), 30]);
    expect(seen(trend, minute(9), WINDOW_MS)).toEqual([[0, 30]]);
    trend.add(point(minute(0.4), 30));
    expect(seen(trend, minute(9), WINDOW_MS)).toEqual([[0, 30]]);
  });

  test('take two of one time as two of one slot', () => {
    expect(seen(trendOf([minute(0), 30], [minute(0), 95]), minute(2), WINDOW_MS)).toEqual([
      [0, 30],
      [1, 95],
    ]);
  });

  test('prefer in a slot what is known to what is not', () => {
    expect(seen(trendOf([minute(0), null], [minute(0.5), 100]), minute(2), WINDOW_MS)).toEqual([[0, 100]]);
  });

  test('are as many as there may be, and no more, the newest of them', () => {
    const trend = new Trend(WINDOW_MS, 10);
    for (let count = 0; count < 500; count++) trend.add(point(minute(count), (count * 37) % 101));
    const points = trend.points(minute(499), Infinity);
    expect(points).toHaveLength(10);
    // slots are of six minutes
    expect(points.at(-1)?.at).toBeGreaterThan(minute(499 - 6));
    expect(points[0]?.at).toBeLessThan(minute(499 - 48));
  });

  test('do not repeat each other where each slot has the same dip', () => {
    const trend = new Trend(WINDOW_MS, 10);
    for (let count = 0; count < 500; count++) trend.add(point(minute(count), count % 2 === 0 ? 90 : 40));
    expect(trend.points(minute(499), Infinity).map(({ overall }) => overall)).toEqual([40]);
    trend.add(point(minute(500), 90));
    expect(trend.points(minute(500), Infinity).map(({ overall }) => overall)).toEqual([40, 90]);
  });

  test('are forgotten with the window, but for the one that held when it began', () => {
    const trend = trendOf([minute(0), 90], [minute(5), 80], [minute(65), 70]);
    expect(seen(trend, minute(65), Infinity)).toEqual([
      [5, 80],
      [65, 70],
    ]);
  });

  test('from the future are dropped when the clock was set back', () => {
    const trend = trendOf([minute(0), 90], [minute(10), 80], [minute(10.5), 85]);
    trend.add(point(minute(5), 60));
    expect(seen(trend, minute(30), WINDOW_MS)).toEqual([
      [0, 90],
      [5, 60],
    ]);
  });

  test('go on when the clock is set back by years, and when it jumps ahead by as many', () => {
    const trend = trendOf([minute(0), 90], [minute(1), 80]);
    trend.add(point(1_000, 70));
    expect(trend.points(2_000, WINDOW_MS)).toEqual([point(1_000, 70)]);
    trend.add(point(minute(0), 60));
    expect(seen(trend, minute(0), WINDOW_MS)).toEqual([
      [-60, 70],
      [0, 60],
    ]);
  });

  test.each([NaN, Infinity, -Infinity, -1, 8.65e15])('at %d are ignored: that is no date', (at) => {
    const trend = trendOf([minute(0), 90], [at, 10]);
    expect(seen(trend, minute(1), WINDOW_MS)).toEqual([[0, 90]]);
  });
});

describe('the direction of a trend', () => {
  test('is unknown before there is anything to compare', () => {
    const unknown = { direction: 'unknown', change: 0 };
    expect(new Trend(WINDOW_MS).directionAt(START, WINDOW_MS)).toEqual(unknown);
    expect(trendOf([minute(0), null], [minute(5), null]).directionAt(minute(9), WINDOW_MS)).toEqual(unknown);
    expect(trendOf([minute(0), null], [minute(5), 90]).directionAt(minute(9), WINDOW_MS)).toEqual(unknown);
    expect(trendOf([minute(0), 90]).directionAt(minute(9), WINDOW_MS)).toEqual(unknown);
    expect(trendOf([minute(0), 90], [minute(0), 90]).directionAt(minute(0), WINDOW_MS)).toEqual(unknown);
  });

  test('is unknown where one half of the range is', () => {
    const trend = trendOf([minute(0), 90], [minute(1), 80], [minute(2), null]);
    expect(trend.directionAt(minute(20), WINDOW_MS).direction).toBe('unknown');
  });

  test('is stable where the same is found again and again', () => {
    const trend = trendOf([minute(0), 90], [minute(1), 90], [minute(2), 90]);
    expect(trend.directionAt(minute(3), WINDOW_MS)).toEqual({ direction: 'stable', change: 0 });
  });

  test.each([
    [70, 90, 'improving', 20],
    [90, 70, 'degrading', -20],
    [80, 86, 'improving', 6],
    [80, 74, 'degrading', -6],
    [80, 85, 'stable', 5],
    [80, 75, 'stable', -5],
  ])('from %i to %i is %s', (older, newer, direction, change) => {
    const trend = trendOf([minute(0), older], [minute(10), newer]);
    expect(trend.directionAt(minute(20), WINDOW_MS)).toEqual({ direction, change });
  });

  test('weighs each point by the time it held', () => {
    // newer half: nine minutes at 90, one at 40
    const trend = trendOf([minute(0), 90], [minute(10), 40], [minute(11), 90]);
    expect(trend.directionAt(minute(20), WINDOW_MS)).toEqual({ direction: 'stable', change: -5 });
  });

  test('is that of the range that is asked for (original fault 43)', () => {
    const trend = trendOf([minute(0), 90], [minute(30), 30], [minute(50), 60]);
    expect(trend.directionAt(minute(60), WINDOW_MS)).toEqual({ direction: 'degrading', change: -50 });
    expect(trend.directionAt(minute(60), 20 * MINUTE_MS)).toEqual({ direction: 'improving', change: 30 });
    expect(trend.directionAt(minute(60), 5 * MINUTE_MS)).toEqual({ direction: 'stable', change: 0 });
  });

  test('compares from where there is something known on', () => {
    const trend = trendOf([minute(0), null], [minute(40), 50], [minute(50), 90]);
    expect(trend.directionAt(minute(60), WINDOW_MS)).toEqual({ direction: 'improving', change: 40 });
  });
});

describe('a trend', () => {
  test('is possible, bounded and in order, whatever is added and whenever', () => {
    const anyScore = fc.oneof(fc.integer({ min: 0, max: 100 }), hostileNumber);
    const someScores = fc.array(fc.option(anyScore), { minLength: 1, maxLength: 9 });
    const anySize = fc.record({
      windowMs: fc.constantFrom(7, 1_000, 100_000, 1e13),
      maxPoints: fc.integer({ min: 2, max: 30 }),
    });
    fc.assert(
      fc.property(hostileTimes, someScores, anySize, (times, scores, { windowMs, maxPoints }) => {
        const trend = new Trend(windowMs, maxPoints);
        for (const [index, at] of times.entries()) {
          const score = scores[index % scores.length] ?? null;
          trend.add({ at, overall: score, latency: score, stability: score ?? 0, capacity: score ?? 0 });
          const now = times[(index * 31) % times.length] ?? 0;
          for (const points of [trend.points(at, Infinity), trend.points(now, windowMs)]) {
            expect(impossible(points)).toEqual([]);
            expect(points.length).toBeLessThanOrEqual(maxPoints);
            expect(points.map((each) => each.at)).toEqual(points.map((each) => each.at).toSorted((a, b) => a - b));
            for (const { overall, stability } of points)
              expect(Math.max(overall ?? 0, stability)).toBeLessThanOrEqual(100);
          }
          expect(Math.abs(trend.directionAt(now, windowMs).change)).toBeLessThanOrEqual(100);
        }
      }),
      { numRuns: 60 },
    );
  });
});

function trendOf(...points: [at: number, overall: number | null][]): Trend {
  const trend = new Trend(WINDOW_MS);
  for (const [at, overall] of points) trend.add(point(at, overall));
  return trend;
}

/** Minutes since the start, and the overall score from then on. */
function seen(trend: Trend, at: number, rangeMs: number): [minute: number, overall: number | null][] {
  return trend.points(at, rangeMs).map(({ at: from, overall }) => [(from - START) / MINUTE_MS, overall]);
}
