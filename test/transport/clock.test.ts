import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { monotonicNow, release, systemClock } from '../../src/transport/clock.ts';

test('time for measuring is that of the wall where a clock has no other', () => {
  expect([monotonicNow({ now: () => 5 }), monotonicNow({ now: () => 5, monotonicNow: () => 0 })]).toEqual([5, 0]);
});

interface Handle {
  hasRef(): boolean;
}

describe('the system clock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('tells the time of the wall, also after it jumped', () => {
    const clock = systemClock();
    vi.setSystemTime(1_000);
    expect(clock.now()).toBe(1_000);
    vi.setSystemTime(500);
    expect(clock.now()).toBe(500);
  });

  test('calls back once, when the time has come', () => {
    const callback = vi.fn();
    systemClock().setTimeout(callback, 100);
    vi.advanceTimersByTime(99);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(500);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test('never calls back what was taken back', () => {
    const clock = systemClock();
    const callback = vi.fn();
    clock.clearTimeout(clock.setTimeout(callback, 100));
    clock.clearTimeout(undefined);
    vi.advanceTimersByTime(500);
    expect(callback).not.toHaveBeenCalled();
  });

  test.each([
    { options: undefined, holds: true },
    { options: {}, holds: true },
    { options: { unref: false }, holds: true },
    { options: { unref: true }, holds: false },
  ])('made with $options holds the process while a timer is pending: $holds (pain 54)', ({ options, holds }) => {
    const handle = systemClock(options).setTimeout(() => undefined, 100) as Handle;
    expect(handle.hasRef()).toBe(holds);
  });

  test('looks at the platform when it is asked, not when it is made', () => {
    const clock = systemClock();
    const setTimeout = vi.spyOn(globalThis, 'setTimeout');
    clock.setTimeout(() => undefined, 1);
    expect(setTimeout).toHaveBeenCalledTimes(1);
  });
});

describe('releasing a timer', () => {
  test.each([undefined, null, 5, {}])('does nothing where it is %o', (handle) => {
    expect(() => release(handle)).not.toThrow();
  });
});
