import { describe, expect, test } from 'vitest';

import { Postmark } from '../src/postmark.ts';

/** A postmark on a clock that counts how often it is read. */
class Desk {
  at = 1_000;
  isTimed = true;
  readonly readings = { wall: 0, monotonic: 0 };
  readonly postmark = new Postmark({
    clock: {
      now: () => ((this.readings.wall += 1), 1_700_000_000_000),
      monotonicNow: () => ((this.readings.monotonic += 1), this.at),
      setTimeout: () => 0,
      clearTimeout: () => undefined,
    },
    isTimed: () => this.isTimed,
    cancel: () => true,
  });

  since(isLeaving = true): number | undefined {
    return this.postmark.next({}, isLeaving).since;
  }
}

describe('what an outbox puts on a message', () => {
  test('is a number that none had before, how to take it back, and what travels with it', () => {
    const { postmark } = new Desk();
    const meta = { r: 'q1' };
    const marks = [postmark.next({}, true), postmark.next({}, true, meta)];
    expect(marks.map(({ number }) => number)).toEqual([1, 2]);
    expect(marks.map((mark) => mark.meta)).toEqual([undefined, meta]);
    expect(marks[0]?.cancel(undefined as never)).toBe(true);
  });

  test('is the time of day only where a time to live is held against it', () => {
    const desk = new Desk();
    expect(desk.postmark.next({}, true).now).toBe(0);
    expect(desk.readings.wall).toBe(0);
    expect(desk.postmark.next({ ttlMs: 5 }, true).now).toBe(1_700_000_000_000);
  });

  test('is since when it waits, on the monotonic clock, in whole milliseconds', () => {
    const desk = new Desk();
    desk.at = 1_000.9;
    expect(desk.since()).toBe(1_000);
  });

  test('is no time where nobody asks how long it waits', () => {
    const desk = new Desk();
    desk.isTimed = false;
    expect([desk.since(), desk.readings]).toEqual([0, { wall: 0, monotonic: 0 }]);
  });

  test('is read once for all of a turn that leaves, and anew for the next', () => {
    const desk = new Desk();
    const first = [desk.since(), desk.since()];
    desk.at = 1_005;
    first.push(desk.since() ?? 0);
    desk.postmark.turned();
    expect([first, desk.since(), desk.readings.monotonic]).toEqual([[1_000, 1_000, 1_000], 1_005, 2]);
  });

  test('is its own for each message that has to wait', () => {
    const desk = new Desk();
    const marks = [1_000, 2_000, 3_000].map((at) => {
      desk.at = at;
      return desk.since(false);
    });
    expect(marks).toEqual([1_000, 2_000, 3_000]);
  });
});
