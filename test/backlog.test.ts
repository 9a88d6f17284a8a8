import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Backlog, DEFAULT_QUEUE, OVERFLOW_POLICIES, type BacklogLimits, type OverflowPolicy } from '../src/backlog.ts';
import { PRIORITIES, type Priority } from '../src/core/queue.ts';
import { OutboundMessage } from '../src/message.ts';
import type { SendOptions } from '../src/receipt.ts';
import { SimulatedClock } from '../src/testing/clock.ts';

interface Kept {
  backlog: Backlog;
  /** Places a message of so many bytes, named by its text. @returns Whether it was placed. */
  put: (text: string, options?: SendOptions) => boolean;
  /** What was dropped, as `text CODE`. */
  dropped: string[];
  overflows: () => number;
  limits: BacklogLimits;
  clock: SimulatedClock;
}

function backlogOf(given: Partial<BacklogLimits> = {}, canLeave = (): boolean => false): Kept {
  const clock = new SimulatedClock();
  const limits = { ...DEFAULT_QUEUE, ...given };
  const dropped: string[] = [];
  let overflows = 0;
  let number = 0;
  const backlog: Backlog = new Backlog({
    clock,
    limits: () => limits,
    taken: { messages: 0 },
    dropped: (message, code) => {
      dropped.push(`${message.data as string} ${code}`);
      message.ended('dropped');
    },
    overflowed: () => {
      overflows += 1;
    },
  });
  const put = (text: string, options: SendOptions = {}): boolean =>
    backlog.place(
      new OutboundMessage({ data: text, bytes: text.length, form: 'text' }, options, {
        number: ++number,
        now: clock.now(),
        cancel: (message) => backlog.withdraw(message, 'SEND_CANCELLED'),
      }),
      canLeave,
    );
  return { backlog, put, dropped, overflows: () => overflows, limits, clock };
}

function texts(backlog: Backlog): string {
  return [...backlog].map(({ data }) => data as string).join(' ');
}

const priority = (wanted: Priority): SendOptions => ({ priority: wanted });

describe('a full backlog', () => {
  test.each<[OverflowPolicy, Priority, placed: boolean, kept: string, dropped: string[]]>([
    ['reject', 'critical', false, 'high normal low', []],
    ['drop-oldest', 'high', true, 'high new normal', ['low DROPPED_FOR_ROOM']],
    ['drop-oldest', 'low', true, 'high normal new', ['low DROPPED_FOR_ROOM']],
    ['drop-lowest', 'normal', true, 'high normal new', ['low DROPPED_FOR_ROOM']],
    ['drop-lowest', 'low', false, 'high normal low', []],
    ['wait', 'critical', true, 'high normal low new', []],
  ])('with the policy %s, given a %s message, answers %s and keeps %s', (overflow, wanted, placed, kept, dropped) => {
    const b = backlogOf({ maxMessages: 3, overflow });
    for (const lane of ['high', 'normal', 'low'] as const) b.put(lane, priority(lane));
    expect(b.put('new', priority(wanted))).toBe(placed);
    expect([texts(b.backlog), b.dropped, b.overflows()]).toEqual([kept, dropped, 1]);
  });

  test.each(['drop-oldest', 'drop-lowest'] as const)(
    'with the policy %s never drops a stronger message for a weaker one',
    (overflow) => {
      const b = backlogOf({ maxMessages: 2, overflow });
      b.put('a', priority('high'));
      b.put('b', priority('critical'));
      expect([b.put('c'), b.dropped]).toEqual([false, []]);
    },
  );

  test.each(['drop-oldest', 'drop-lowest'] as const)(
    'with the policy %s drops nothing for a message that would not fit all the same',
    (overflow) => {
      const b = backlogOf({ maxBytes: 10, overflow });
      b.put('aaaa', priority('high'));
      b.put('bbbb', priority('low'));
      expect([b.put('ccccccccc'), b.dropped]).toEqual([false, []]);
      expect([b.put('ccccccc'), b.dropped]).toEqual([false, []]);
      expect([b.put('cccccc'), b.dropped]).toEqual([true, ['bbbb DROPPED_FOR_ROOM']]);
    },
  );

  test('drops the oldest of a lane, or its newest, as its policy says', () => {
    const oldest = backlogOf({ maxMessages: 2, overflow: 'drop-oldest' });
    const lowest = backlogOf({ maxMessages: 2, overflow: 'drop-lowest' });
    for (const b of [oldest, lowest]) {
      for (const text of ['a', 'b']) b.put(text, priority('low'));
      b.put('c');
    }
    expect([oldest.dropped, lowest.dropped]).toEqual([['a DROPPED_FOR_ROOM'], ['b DROPPED_FOR_ROOM']]);
  });

  test('asks first whether something can leave, and takes what has room then', () => {
    const b: Kept = backlogOf({ maxMessages: 1 }, () => b.backlog.take() !== undefined);
    expect([b.put('a'), b.put('b'), texts(b.backlog), b.overflows()]).toEqual([true, true, 'b', 0]);
  });

  test('on a line that takes messages takes one larger than all its room, alone', () => {
    const b = backlogOf({ maxBytes: 3 }, () => true);
    expect(b.put('long')).toBe(true);
  });
});

describe('what waits outside a full queue', () => {
  const outside = (): Kept => {
    const b = backlogOf({ maxMessages: 2, maxBytes: 4, overflow: 'wait' });
    for (const text of ['a', 'b', 'c', 'd']) expect(b.put(text)).toBe(true);
    return b;
  };

  test('comes in, in order, as soon as there is room', () => {
    const { backlog } = outside();
    expect([backlog.size, backlog.bytes]).toEqual([4, 4]);
    expect(backlog.take()?.data).toBe('a');
    backlog.admit();
    expect([backlog.take()?.data, backlog.take()?.data]).toEqual(['b', 'c']);
    backlog.admit();
    expect([backlog.take()?.data, backlog.take()]).toEqual(['d', undefined]);
  });

  test('is bounded as well: once as much again, and no more', () => {
    const b = outside();
    expect([b.put('e'), texts(b.backlog)]).toEqual([false, 'a b c d']);
  });

  test('never holds what could not come in at all', () => {
    expect(outside().put('large')).toBe(false);
    expect(backlogOf({ maxBytes: 4, overflow: 'wait' }).put('large')).toBe(false);
  });

  test('is not overtaken by who comes later and is small enough', () => {
    const b = backlogOf({ maxBytes: 4, overflow: 'wait' });
    for (const text of ['aaa', 'bbb']) b.put(text);
    expect(b.backlog.take()?.data).toBe('aaa');
    b.put('d');
    b.backlog.admit();
    expect(texts(b.backlog)).toBe('bbb d');
  });

  test('can be taken back, can expire, and is dropped with the rest', () => {
    const b = outside();
    const [, , c] = [...b.backlog];
    expect([c?.cancel(), b.dropped]).toEqual([true, ['c SEND_CANCELLED']]);
    b.put('e', { ttlMs: 5 });
    b.clock.advance(5);
    b.backlog.clear('CONNECTION_ENDED');
    expect(b.dropped.slice(1)).toEqual(['e EXPIRED', 'a CONNECTION_ENDED', 'b CONNECTION_ENDED', 'd CONNECTION_ENDED']);
    expect([b.backlog.size, b.backlog.bytes, b.clock.pending()]).toEqual([0, 0, 0]);
  });
});

describe('what was taken and comes back', () => {
  test('stands before those that waited, whatever the bounds', () => {
    const b = backlogOf({ maxMessages: 2 });
    for (const text of ['a', 'b']) b.put(text);
    const first = b.backlog.take();
    b.put('c');
    if (first) b.backlog.restore(first);
    expect(texts(b.backlog)).toBe('a b c');
  });

  test('and was followed by a newer one of its key is not found by that key', () => {
    const b = backlogOf();
    b.put('old', { coalesceKey: 'k' });
    const old = b.backlog.take();
    b.put('new', { coalesceKey: 'k' });
    if (old) b.backlog.restore(old);
    b.put('newest', { coalesceKey: 'k' });
    expect(b.dropped).toEqual(['old SUPERSEDED']);
  });
});

describe('the bounds', () => {
  test('hold at every moment, in and outside, whatever comes and goes', () => {
    const step = fc.record({
      kind: fc.constantFrom('put', 'put', 'put', 'take', 'withdraw', 'pass'),
      lane: fc.constantFrom(...PRIORITIES),
      bytes: fc.nat(12),
      key: fc.constantFrom(undefined, 'k'),
      ttlMs: fc.constantFrom(undefined, 5),
      at: fc.nat(),
    });
    fc.assert(
      fc.property(fc.constantFrom(...OVERFLOW_POLICIES), fc.array(step, { maxLength: 80 }), (overflow, steps) => {
        const b = backlogOf({ maxMessages: 4, maxBytes: 30, overflow });
        let gone = 0;
        let placed = 0;
        for (const { kind, lane, bytes, key, ttlMs, at } of steps) {
          const options = { priority: lane, ...(key && { coalesceKey: key }), ...(ttlMs && { ttlMs }) };
          if (kind === 'put') placed += Number(b.put('x'.repeat(bytes), options));
          else if (kind === 'take') {
            gone += Number(b.backlog.take() !== undefined);
            b.backlog.admit();
          } else if (kind === 'withdraw') [...b.backlog][at % (b.backlog.size || 1)]?.cancel();
          else b.clock.advance(at % 4);
          const room = overflow === 'wait' ? 2 : 1;
          expect(b.backlog.size).toBeLessThanOrEqual(4 * room);
          expect(b.backlog.bytes).toBeLessThanOrEqual(30 * room);
          expect(b.backlog.size).toBe(placed - gone - b.dropped.length);
          expect(b.backlog.bytes).toBe([...b.backlog].reduce((sum, message) => sum + message.bytes, 0));
        }
      }),
      { numRuns: 400 },
    );
  });
});
