import { describe, expect, test } from 'vitest';

import { Timekeeper } from '../src/timekeeper.ts';
import { SimulatedClock } from '../src/testing/clock.ts';

describe('a timekeeper', () => {
  test('passes time and timers on', () => {
    const clock = new SimulatedClock();
    const keeper = new Timekeeper(clock);
    const fired: string[] = [];
    keeper.setTimeout(() => fired.push('late'), 20);
    keeper.setTimeout(() => fired.push('early'), 10);
    keeper.clearTimeout(keeper.setTimeout(() => fired.push('never'), 15));
    clock.advance(30);
    expect([fired, keeper.now()]).toEqual([['early', 'late'], clock.now()]);
  });

  test('clears what is pending when it stops, and only that (pain 54)', () => {
    const clock = new SimulatedClock();
    const keeper = new Timekeeper(clock);
    const fired: string[] = [];
    keeper.setTimeout(() => fired.push('before'), 10);
    clock.setTimeout(() => fired.push("somebody else's"), 30);
    clock.advance(10);
    keeper.setTimeout(() => fired.push('after'), 10);
    keeper.stop();
    clock.advance(100);
    expect([fired, clock.pending()]).toEqual([['before', "somebody else's"], 0]);
  });

  test.each([NaN, Infinity, -Infinity, -5e12])(
    'tells the last time that can be true where its clock says %s',
    (nonsense) => {
      let now = 1_000;
      const time = new Timekeeper({
        now: () => now,
        monotonicNow: () => now,
        setTimeout: () => undefined,
        clearTimeout: () => undefined,
      });
      expect([time.now(), time.monotonicNow()]).toEqual([1_000, 1_000]);
      now = nonsense;
      expect([time.now(), time.monotonicNow()]).toEqual([1_000, 1_000]);
    },
  );
});
