import { describe, expect, test } from 'vitest';

import { Expiry } from '../src/expiry.ts';
import { OutboundMessage } from '../src/message.ts';
import { SimulatedClock } from '../src/testing/clock.ts';

function expiring(): {
  expiry: Expiry<OutboundMessage>;
  clock: SimulatedClock;
  expired: string[];
  add: (ttlMs?: number) => void;
} {
  const clock = new SimulatedClock();
  const waiting = new Set<OutboundMessage>();
  const expired: string[] = [];
  const expiry = new Expiry({
    clock,
    now: () => clock.now(),
    waiting: () => waiting,
    expire: (message) => {
      waiting.delete(message);
      expired.push(message.id);
    },
  });
  let number = 0;
  const add = (ttlMs?: number): void => {
    const options = ttlMs === undefined ? {} : { ttlMs };
    const origin = { number: ++number, now: clock.now(), cancel: () => false };
    const message = new OutboundMessage({ data: '', bytes: 0, form: 'text' }, options, origin);
    waiting.add(message);
    if (ttlMs !== undefined) expiry.watch(message);
  };
  return { expiry, clock, expired, add };
}

describe('expiry', () => {
  test('drops each message when its time is up, with one timer for all', () => {
    const { clock, expired, add } = expiring();
    for (const ttlMs of [300, 100, undefined, 200]) add(ttlMs);
    const seen: string[] = [];
    for (let step = 0; step < 4; step++) {
      expect(clock.pending()).toBeLessThanOrEqual(1);
      clock.advance(100);
      seen.push(expired.join(' '));
    }
    expect([seen, clock.pending()]).toEqual([['m2', 'm2 m4', 'm2 m4 m1', 'm2 m4 m1'], 0]);
  });

  test('has no timer while nothing can expire', () => {
    const { clock, add } = expiring();
    add();
    expect(clock.pending()).toBe(0);
  });

  test('drops all that is overdue when the clock has jumped', () => {
    const { clock, expired, add } = expiring();
    for (const ttlMs of [100, 200, 60_000]) add(ttlMs);
    clock.sleep(3_000);
    clock.advance(0);
    expect([expired, clock.untilNextMs()]).toEqual([['m1', 'm2'], 57_000]);
  });

  test('leaves no timer behind when the end of one message is the end of all', () => {
    const clock = new SimulatedClock();
    const waiting = new Set([{ expiresAt: 100 }, { expiresAt: 60_000 }]);
    const expiry = new Expiry({
      clock,
      now: () => clock.now(),
      waiting: () => waiting,
      expire: () => {
        waiting.clear();
        expiry.stop();
      },
    });
    const from = clock.now();
    for (const item of waiting) {
      item.expiresAt += from;
      expiry.watch(item);
    }
    clock.advance(100);
    expect([waiting.size, clock.pending()]).toEqual([0, 0]);
  });

  test('takes a time that no timer can hold for what it is', () => {
    const { clock, expired, add } = expiring();
    add(2 ** 32);
    clock.advance(2 ** 31 - 1);
    expect(expired).toEqual([]);
    clock.advance(2 ** 32 - 2 ** 31 + 1);
    expect(expired).toEqual(['m1']);
  });

  test('drops at once what has no time at all', () => {
    const { clock, expired, add } = expiring();
    add(0);
    clock.advance(1);
    expect(expired).toEqual(['m1']);
  });

  test('stopped, holds no timer', () => {
    const { expiry, clock, expired, add } = expiring();
    add(100);
    expiry.stop();
    clock.advance(1_000);
    expect([clock.pending(), expired]).toEqual([0, []]);
    add(100);
    expect(clock.pending()).toBe(1);
  });
});
