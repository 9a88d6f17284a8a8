import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { StateTimes } from '../../src/core/state-times.ts';
import { hostileTimes, impossible } from '../support/hostile.ts';

const WINDOW_MS = 3_600_000;
const KEPT = 100;

describe('the times in states', () => {
  test('are none before the first state', () => {
    expect(new StateTimes(WINDOW_MS).summary(5_000)).toEqual({ byState: {}, uptimeRatio: null, windowMs: WINDOW_MS });
  });

  test('are those from entering one state to entering the next, and of the last until now', () => {
    const times = entered(['idle', 0], ['connecting', 1_000], ['open', 1_500]);
    expect(times.summary(10_000).byState).toEqual({ idle: 1_000, connecting: 500, open: 8_500 });
  });

  test('add up over several stays, and do not begin anew when a state is entered again', () => {
    const times = entered(['open', 0], ['open', 1_000], ['backoff', 2_000], ['open', 2_500]);
    expect(times.summary(4_000).byState).toEqual({ open: 3_500, backoff: 500 });
  });

  test('are whole milliseconds', () => {
    expect(entered(['open', 0.4], ['failed', 7.3]).summary(9.9).byState).toEqual({ open: 7, failed: 3 });
  });

  test('are those within the window', () => {
    const times = entered(['failed', 0], ['open', 1_000_000]);
    expect(times.summary(WINDOW_MS).byState).toEqual({ failed: 1_000_000, open: 2_600_000 });
    expect(times.summary(WINDOW_MS + 400_000).byState).toEqual({ failed: 600_000, open: 3_000_000 });
    expect(times.summary(WINDOW_MS * 3).byState).toEqual({ open: WINDOW_MS });
  });

  test('are not changed by being looked at', () => {
    const times = entered(['failed', 0], ['open', 1_000]);
    times.summary(WINDOW_MS * 3);
    expect(times.summary(2_000).byState).toEqual({ failed: 1_000, open: 1_000 });
  });

  test('have a state by any name', () => {
    expect(Object.entries(entered(['__proto__', 0]).summary(7).byState)).toEqual([['__proto__', 7]]);
  });

  test.each([
    ['open', 1],
    ['degraded', 1],
    ['connecting', 0],
    ['backoff', 0],
    ['failed', 0],
    ['idle', null],
    ['closing', null],
    ['closed', null],
  ])('count %s as an uptime of %j', (state, uptimeRatio) => {
    expect(entered([state, 0]).summary(1_000).uptimeRatio).toBe(uptimeRatio);
  });

  test('make an uptime of the time in which a connection was wanted, which a new one has at once (original fault 38)', () => {
    const times = entered(['idle', 0], ['connecting', 50_000], ['open', 50_020], ['degraded', 50_050]);
    expect(times.summary(50_100).uptimeRatio).toBe(0.8);
    times.enter('closed', 50_100);
    expect(times.summary(900_000).uptimeRatio).toBe(0.8);
  });

  test('make no uptime of no time', () => {
    expect(entered(['open', 5_000]).summary(5_000).uptimeRatio).toBeNull();
  });

  test('stay exact beyond a hundred stays, while all of them are in the window', () => {
    const times = new StateTimes(WINDOW_MS);
    for (let stay = 0; stay < KEPT * 5; stay++) times.enter(stay % 2 === 0 ? 'open' : 'backoff', stay * 1_000);
    expect(times.summary(500_000)).toMatchObject({ byState: { open: 250_000, backoff: 250_000 }, uptimeRatio: 0.5 });
  });

  test('count older stays as spread evenly once the window leaves them, and forget them with it', () => {
    const times = entered(['failed', 0], ['open', 100_000]);
    // the last hundred begin at 1_000_000: what is older becomes one span
    for (let stay = 0; stay < KEPT; stay++) times.enter(stay % 2 === 0 ? 'closing' : 'closed', 1_000_000 + stay);
    expect(times.summary(WINDOW_MS).byState).toMatchObject({ failed: 100_000, open: 900_000 });
    expect(times.summary(WINDOW_MS + 500_000).byState).toMatchObject({ failed: 50_000, open: 450_000 });
    expect(times.summary(WINDOW_MS + 1_000_000).byState).not.toHaveProperty('open');
  });

  test('count a state that is entered again and again as one stay, which stays exact', () => {
    const times = entered(['failed', 0]);
    for (let at = 100_000; at < 1_000_000; at += 1_000) times.enter('open', at);
    expect(times.summary(WINDOW_MS + 50_000).byState).toEqual({ failed: 50_000, open: WINDOW_MS - 50_000 });
  });

  test('hold a stay that began before the window to what is left of it when it is merged', () => {
    const times = entered(['failed', 0], ['open', WINDOW_MS]);
    for (let stay = 0; stay < KEPT; stay++)
      times.enter(stay % 2 === 0 ? 'closing' : 'closed', WINDOW_MS * 2 - 10_000 + stay);
    // the hour that failed lasted is over but for the 9,901 ms that were in the window at the merge
    const { failed = 0, open = 0 } = times.summary(WINDOW_MS * 2).byState;
    expect(failed).toBeLessThanOrEqual(9_901);
    expect(failed + open).toBeCloseTo(WINDOW_MS - 10_000, -1);
  });

  test('keep so many stays that a connection which comes and goes all day costs no more than its window', () => {
    const times = new StateTimes(WINDOW_MS);
    for (let stay = 0; stay < 10_000; stay++) times.enter(stay % 4 === 0 ? 'backoff' : 'open', stay * 1_000 + 0.5);
    const { byState, uptimeRatio } = times.summary(10_000_000);
    expect((byState['open'] ?? 0) + (byState['backoff'] ?? 0)).toBeCloseTo(WINDOW_MS, -1);
    expect(uptimeRatio).toBeCloseTo(0.75, 2);
  });

  test('go on when the clock was set back: what is to come has not been', () => {
    const times = entered(['open', 0], ['backoff', 10_000], ['failed', 20_000]);
    times.enter('connecting', 5_000);
    expect(times.summary(6_000).byState).toEqual({ open: 5_000, connecting: 1_000 });
  });

  test('drop what was merged in a future that has not been', () => {
    const times = new StateTimes(WINDOW_MS);
    for (let stay = 0; stay < KEPT * 2; stay++)
      times.enter(stay % 2 === 0 ? 'open' : 'backoff', 1_000_000 + stay * 100);
    times.enter('open', 500);
    expect(times.summary(1_500).byState).toEqual({ open: 1_000 });
  });

  test.each([NaN, Infinity, -Infinity])('take a time that is %d for the last', (at) => {
    const times = entered(['open', 0], ['backoff', 1_000], ['failed', at]);
    expect(times.summary(at).byState).toEqual({ open: 1_000 });
    expect(times.summary(3_000).byState).toEqual({ open: 1_000, failed: 2_000 });
  });

  test('are possible, and no more than the window, whatever the clock does', () => {
    const anyState = fc.constantFrom('idle', 'connecting', 'open', 'degraded', 'backoff', 'failed', 'closed');
    const anyStates = fc.array(anyState, { minLength: 1, maxLength: 13 });
    fc.assert(
      fc.property(hostileTimes, anyStates, fc.constantFrom(1_000, WINDOW_MS, 1e12), (moments, states, windowMs) => {
        const times = new StateTimes(windowMs);
        for (const [index, at] of moments.entries()) {
          times.enter(states[index % states.length] ?? 'idle', at);
          for (const now of [at, at + 1_000, moments[(index * 31) % moments.length] ?? 0]) {
            const { byState, uptimeRatio } = times.summary(now);
            expect(impossible({ byState, uptimeRatio })).toEqual([]);
            expect(uptimeRatio ?? 0).toBeLessThanOrEqual(1);
            const spent = Object.values(byState);
            expect(spent.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(windowMs + spent.length);
          }
        }
      }),
      { numRuns: 40, examples: [[[999, 3.1e26], ['idle'], 1e12]] },
    );
  });
});

function entered(...stays: [state: string, at: number][]): StateTimes {
  const times = new StateTimes(WINDOW_MS);
  for (const [state, at] of stays) times.enter(state, at);
  return times;
}
