import { describe, expect, test } from 'vitest';

import { within } from '../../src/audit/within.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

describe('within a deadline', () => {
  test('something is over, or it is not, and no timer is left', async () => {
    const clock = new SimulatedClock();
    expect(await within(clock, 100, () => Promise.resolve())).toBe(true);
    expect(clock.pending()).toBe(0);
    const late = within(clock, 100, () => new Promise(() => undefined));
    await clock.advanceAsync(100);
    expect(await late).toBe(false);
    expect(clock.pending()).toBe(0);
  });

  test('what something rejects with goes on', async () => {
    const clock = new SimulatedClock();
    await expect(within(clock, 100, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(clock.pending()).toBe(0);
  });
});
