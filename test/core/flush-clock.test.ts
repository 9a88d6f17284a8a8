import { describe, expect, test } from 'vitest';

import { FlushClock } from '../../src/core/flush-clock.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { microtasks } from '../support/service.ts';

function flushing({ lingerMs = 0 } = {}): {
  flushClock: FlushClock;
  clock: SimulatedClock;
  /** Something waits to be flushed, and flushing is asked for. */
  give: () => void;
  /** The same of a question. */
  ask: () => void;
  /** Called within each flush. */
  onFlush: () => void;
  flushes: () => number;
} {
  const clock = new SimulatedClock();
  let waiting = 0;
  let flushes = 0;
  const flushClock = new FlushClock({
    clock,
    lingerMs: () => lingerMs,
    flush: () => {
      const hadSome = waiting > 0;
      waiting = 0;
      if (hadSome) flushes += 1;
      f.onFlush();
      return hadSome;
    },
  });
  const give = (): void => {
    waiting += 1;
    flushClock.request();
  };
  const ask = (): void => {
    flushClock.asking();
    give();
  };
  const f = { flushClock, clock, give, ask, onFlush: (): void => undefined, flushes: () => flushes };
  return f;
}

describe('the flush clock', () => {
  test('flushes at the end of the microtask turn, once for all that was asked for in it', async () => {
    const f = flushing();
    for (let count = 0; count < 5; count++) f.give();
    expect(f.flushes()).toBe(0);
    await microtasks();
    expect([f.flushes(), f.clock.pending()]).toEqual([1, 0]);
  });

  test('flushes 25 questions of one turn when the next is asked, and what is left at its end', async () => {
    const f = flushing();
    for (let count = 0; count < 60; count++) {
      f.ask();
      expect(f.flushes()).toBe(Math.floor(count / 25));
    }
    await microtasks();
    expect([f.flushes(), f.clock.pending()]).toEqual([3, 0]);
    // each turn counts its own
    for (let count = 0; count < 25; count++) f.ask();
    expect(f.flushes()).toBe(3);
    await microtasks();
    expect(f.flushes()).toBe(4);
  });

  test('counts no message among the questions that nobody waits for an answer to', async () => {
    const f = flushing();
    for (let count = 0; count < 100; count++)
      if (count % 5 === 0) f.ask();
      else f.give();
    expect(f.flushes()).toBe(0);
    await microtasks();
    expect(f.flushes()).toBe(1);
  });

  test('lets questions wait that a timer is set for: a linger, or what a new line is given to prove itself', async () => {
    const f = flushing({ lingerMs: 5 });
    for (let count = 0; count < 100; count++) f.ask();
    await microtasks();
    expect(f.flushes()).toBe(0);
    await f.clock.advanceAsync(5);
    expect(f.flushes()).toBe(1);
    const other = flushing();
    other.flushClock.defer(0);
    for (let count = 0; count < 100; count++) other.ask();
    expect(other.flushes()).toBe(0);
    await other.clock.advanceAsync(0);
    expect(other.flushes()).toBe(1);
  });

  test('what a flush within the turn put off waits for its timer, although the turn ends before that', async () => {
    const f = flushing();
    f.onFlush = () => {
      f.onFlush = () => undefined;
      f.flushClock.defer(10);
      f.give();
    };
    for (let count = 0; count < 26; count++) f.ask();
    await microtasks();
    expect([f.flushes(), f.clock.untilNextMs()]).toEqual([1, 10]);
    await f.clock.advanceAsync(10);
    expect(f.flushes()).toBe(2);
  });

  test('called off, forgets the questions as well', () => {
    const f = flushing();
    for (let count = 0; count < 25; count++) f.ask();
    f.flushClock.cancel();
    f.give();
    f.ask();
    expect(f.flushes()).toBe(0);
  });

  test('gathers for a millisecond at a time once eight flushes fell into one, and nothing was received', async () => {
    const f = flushing();
    for (let turn = 0; turn < 8; turn++) {
      f.give();
      await microtasks();
    }
    expect([f.flushes(), f.clock.pending()]).toEqual([8, 0]);
    f.give();
    await microtasks();
    expect([f.flushes(), f.clock.untilNextMs()]).toEqual([8, 1]);
    f.give();
    await f.clock.advanceAsync(1);
    expect(f.flushes()).toBe(9);
  });

  test('stops gathering after a window in which nothing came', async () => {
    const f = flushing();
    for (let turn = 0; turn < 9; turn++) {
      f.give();
      await microtasks();
    }
    await f.clock.advanceAsync(1);
    expect([f.flushes(), f.clock.pending()]).toEqual([9, 1]);
    await f.clock.advanceAsync(1);
    expect(f.clock.pending()).toBe(0);
    f.give();
    await microtasks();
    expect(f.flushes()).toBe(10);
  });

  test('never gathers in a conversation: something is received between', async () => {
    const f = flushing();
    for (let turn = 0; turn < 100; turn++) {
      f.give();
      await microtasks();
      f.flushClock.received();
    }
    expect([f.flushes(), f.clock.pending()]).toEqual([100, 0]);
  });

  test('never gathers what comes slowly', async () => {
    const f = flushing();
    for (let turn = 0; turn < 100; turn++) {
      f.give();
      await f.clock.advanceAsync(1);
    }
    expect([f.flushes(), f.clock.pending()]).toEqual([100, 0]);
  });

  test('waits as long as it is told to, before each flush', async () => {
    const f = flushing({ lingerMs: 20 });
    f.give();
    await f.clock.advanceAsync(19);
    f.give();
    expect(f.flushes()).toBe(0);
    await f.clock.advanceAsync(1);
    expect([f.flushes(), f.clock.pending()]).toEqual([1, 0]);
  });

  test('puts a flush off, with whatever is asked for meanwhile', async () => {
    const f = flushing();
    f.flushClock.defer(10);
    f.give();
    await microtasks();
    expect(f.flushes()).toBe(0);
    await f.clock.advanceAsync(10);
    expect(f.flushes()).toBe(1);
  });

  test('cancelled, flushes nothing, in this turn or by a timer, and holds none', async () => {
    const f = flushing();
    f.give();
    f.flushClock.cancel();
    await microtasks();
    f.flushClock.defer(5);
    f.flushClock.cancel();
    await f.clock.advanceAsync(10);
    expect([f.flushes(), f.clock.pending()]).toEqual([0, 0]);
  });
});
