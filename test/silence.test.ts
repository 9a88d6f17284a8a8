import { describe, expect, test } from 'vitest';

import { Silence, Vigil, type Expectation } from '../src/silence.ts';
import { SimulatedClock } from '../src/testing/clock.ts';

/** A socket whose peer owes so many bytes. */
class Watched {
  readonly clock = new SimulatedClock();
  readonly told: { at: number; lateMs: number; timeoutMs: number }[] = [];
  owed: number | null = null;
  expected: Expectation = { smoothedMs: 20, variationMs: 5 };
  patience = 1;
  readonly #start = this.clock.now();
  readonly silence = new Silence({
    clock: this.clock,
    owed: () => this.owed,
    expected: () => this.expected,
    patience: () => this.patience,
    unanswered: (urgency) => this.told.push({ at: this.clock.now() - this.#start, ...urgency }),
  });

  asks(bytes = 100): void {
    this.owed = (this.owed ?? 0) + bytes;
    this.silence.asked();
  }
}

describe('a silence', () => {
  test('is told once, when the peer has owed an answer for a second and a half and said nothing', () => {
    const w = new Watched();
    w.asks();
    w.clock.advance(1_503);
    expect(w.told).toEqual([]);
    w.clock.advance(60_000);
    expect(w.told).toEqual([{ at: 1_504, lateMs: 252, timeoutMs: 504 }]);
    expect([w.silence.isTold, w.clock.pending()]).toEqual([true, 0]);
  });

  test('is none while nothing is owed, and sets no timer', () => {
    const w = new Watched();
    w.silence.heard();
    expect(w.clock.pending()).toBe(0);
    w.asks();
    w.owed = null;
    w.silence.heard();
    w.clock.advance(60_000);
    expect([w.told, w.clock.pending()]).toEqual([[], 0]);
  });

  test('begins anew with each frame, also one that acknowledges nothing, without a timer of its own', () => {
    const w = new Watched();
    w.asks();
    for (let frame = 0; frame < 20; frame++) {
      w.clock.advance(1_000);
      w.silence.heard();
      expect(w.clock.pending()).toBe(1);
    }
    expect(w.told).toEqual([]);
    w.clock.advance(1_504);
    expect(w.told.length).toBe(1);
  });

  test('is not put off by sending more into it', () => {
    const w = new Watched();
    for (let message = 0; message < 16; message++) {
      w.asks(1);
      w.clock.advance(100);
    }
    expect(w.told.map(({ at }) => at)).toEqual([1_501]);
  });

  test('is not put off by sending more into it than the slowest of links carries', () => {
    const w = new Watched();
    w.asks(3_200);
    for (let tick = 0; tick < 40; tick++) {
      w.clock.advance(100);
      w.asks(10_000);
    }
    expect(w.told).toEqual([{ at: 1_600, lateMs: 300, timeoutMs: 600 }]);
    expect(w.silence.owedBytes).toBe(3_200);
    w.owed = null;
    w.silence.heard();
    expect(w.silence.owedBytes).toBe(0);
  });

  test('is as short as ever after something large, whose timer is still set', () => {
    const w = new Watched();
    w.asks(1_000_000);
    w.clock.advance(300);
    w.owed = null;
    w.silence.heard();
    w.clock.advance(700);
    w.asks(100);
    expect(w.clock.pending()).toBe(1);
    w.clock.advance(60_000);
    expect(w.told.map(({ at }) => at)).toEqual([2_504]);
  });

  test('can be told again once something was heard', () => {
    const w = new Watched();
    w.asks();
    w.clock.advance(2_000);
    w.silence.heard();
    expect(w.silence.isTold).toBe(false);
    w.clock.advance(2_000);
    expect(w.told.length).toBe(2);
  });

  test.each<[string, Partial<Watched>, number, number]>([
    ['longer round trips', { expected: { smoothedMs: 2_000, variationMs: 500 } }, 4_054, 4_004],
    ['links that were given up before', { patience: 4 }, 6_004, 2_004],
    ['a clock that measured nothing yet', { expected: { smoothedMs: 0, variationMs: 0 } }, 1_504, 504],
  ])('is granted more time for %s', (_what, given, at, timeoutMs) => {
    const w = new Watched();
    Object.assign(w, given);
    w.asks();
    w.clock.advance(60_000);
    expect(w.told).toMatchObject([{ at, timeoutMs }]);
  });

  test('is granted the time that what is large takes to travel (pain 11)', () => {
    const w = new Watched();
    w.asks(1_000_000);
    w.clock.advance(32_749);
    expect(w.told).toEqual([]);
    w.clock.advance(1);
    expect(w.told).toMatchObject([{ at: 32_750, timeoutMs: 31_750 }]);
  });

  test('does not count the sleep of a machine: the peer gets its time after that', () => {
    const w = new Watched();
    w.asks();
    w.clock.sleep(3_600_000);
    w.clock.advance(0);
    expect(w.told).toEqual([]);
    w.clock.advance(1_504);
    expect(w.told.length).toBe(1);
  });

  test('is over with its socket', () => {
    const w = new Watched();
    w.asks();
    w.silence.end();
    w.clock.advance(60_000);
    expect([w.told, w.clock.pending()]).toEqual([[], 0]);
  });
});

describe('a vigil', () => {
  function keeping(roundTrips: Expectation | null = null) {
    const clock = new SimulatedClock();
    const told: number[] = [];
    const start = clock.now();
    const vigil = new Vigil({
      clock,
      roundTrips: () => roundTrips,
      isWatched: () => true,
      unanswered: () => told.push(clock.now() - start),
    });
    return { clock, told, vigil };
  }

  test('takes the time of the welcome for the first round trip', () => {
    const { clock, told, vigil } = keeping();
    vigil.introduced();
    clock.advance(3_000);
    vigil.begin(() => 0);
    vigil.asked();
    clock.advance(60_000);
    expect(told).toEqual([3_000 + 3_000 + 4 * 1_500 + 50]);
  });

  test('is more patient with each link that was given up in a silence, and less with each answer', () => {
    const { clock, told, vigil } = keeping({ smoothedMs: 0, variationMs: 0 });
    const waits: number[] = [];
    const silent = (): void => {
      vigil.begin(() => 0);
      vigil.asked();
      const before = clock.now();
      while (told.length === waits.length) clock.advance(1);
      waits.push(clock.now() - before);
      vigil.lost();
    };
    for (let link = 0; link < 6; link++) silent();
    expect(waits).toEqual([1_500, 3_000, 6_000, 12_000, 24_000, 24_000]);
    for (let ping = 0; ping < 10; ping++) vigil.answered();
    silent();
    expect(waits.at(-1)).toBe(1_500);
  });

  test('is no more patient after a loss without a silence, or one that was over', () => {
    const { clock, told, vigil } = keeping({ smoothedMs: 0, variationMs: 0 });
    vigil.begin(() => 0);
    vigil.asked();
    clock.advance(1_500);
    vigil.heard();
    vigil.lost();
    vigil.begin(() => 0);
    vigil.asked();
    clock.advance(1_500);
    expect(told).toEqual([1_500, 3_000]);
  });

  test('leaves a socket when another takes its place', () => {
    const { clock, told, vigil } = keeping();
    vigil.introduced();
    vigil.begin(() => 0);
    vigil.asked();
    vigil.begin(() => null);
    clock.advance(60_000);
    expect([told, clock.pending()]).toEqual([[], 0]);
    vigil.lost();
    vigil.asked();
    vigil.heard();
    expect(clock.pending()).toBe(0);
  });
});
