import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  hiddenDelayMs,
  offlineDelayMs,
  promptDelayMs,
  retryDelayMs,
  type BackoffPolicy,
  type RetryFacts,
} from '../../src/core/backoff.ts';

const MAX_DELAY_MS = 2 ** 31 - 1;
const ALMOST_ONE = 1 - 2 ** -32;

const policy: BackoffPolicy = { baseMs: 500, capMs: 30_000, promptMs: 200, offlineMs: 30_000, hiddenMs: 30_000 };
const facts: RetryFacts = { retry: 1, wasStable: false, retryAfterMs: 0 };

const delay = fc.integer({ min: 1, max: MAX_DELAY_MS });
const anyPolicy: fc.Arbitrary<BackoffPolicy> = fc
  .record({ baseMs: delay, capMs: delay, promptMs: fc.nat(MAX_DELAY_MS), offlineMs: delay, hiddenMs: delay })
  .map(({ baseMs, capMs, ...rest }) => ({ ...rest, baseMs: Math.min(baseMs, capMs), capMs: Math.max(baseMs, capMs) }));
const anyDraw = fc.nat(2 ** 32 - 1).map((drawn) => drawn / 2 ** 32);
const anyRetry = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));
const anyFacts: fc.Arbitrary<RetryFacts> = fc.record({
  retry: anyRetry,
  wasStable: fc.boolean(),
  retryAfterMs: fc.oneof(fc.constant(0), fc.nat(MAX_DELAY_MS)),
});

const isPrompt = ({ retry, wasStable }: RetryFacts): boolean => wasStable && retry === 1;

/** The window of the nth retry that is not prompt, counted from 1. */
function ceilingMs({ baseMs, capMs }: BackoffPolicy, step: number): number {
  return Math.min(capMs, baseMs * 2 ** step);
}

describe('the wait before a retry', () => {
  test.each([
    { retry: 1, draw: 0, waitMs: 500 },
    { retry: 1, draw: ALMOST_ONE, waitMs: 1_000 },
    { retry: 2, draw: ALMOST_ONE, waitMs: 2_000 },
    { retry: 5, draw: 0.5, waitMs: 8_250 },
    { retry: 6, draw: ALMOST_ONE, waitMs: 30_000 },
    { retry: 1_000, draw: 0, waitMs: 500 },
    { retry: 1_000, draw: ALMOST_ONE, waitMs: 30_000 },
  ])('is $waitMs ms for retry $retry and the draw $draw', ({ retry, draw, waitMs }) => {
    expect(retryDelayMs(policy, draw, { ...facts, retry })).toBe(waitMs);
  });

  test.each([
    { retry: 1, draw: 0, waitMs: 0 },
    { retry: 1, draw: ALMOST_ONE, waitMs: 200 },
    { retry: 2, draw: 0, waitMs: 500 },
    { retry: 2, draw: ALMOST_ONE, waitMs: 1_000 },
  ])('is $waitMs ms after a stable connection, for retry $retry and the draw $draw', ({ retry, draw, waitMs }) => {
    expect(retryDelayMs(policy, draw, { ...facts, retry, wasStable: true })).toBe(waitMs);
  });

  test('is never below the base, unless it is prompt', () => {
    fc.assert(
      fc.property(anyPolicy, anyDraw, anyFacts, (given, draw, about) => {
        fc.pre(!isPrompt(about));
        expect(retryDelayMs(given, draw, about)).toBeGreaterThanOrEqual(given.baseMs);
      }),
    );
  });

  test('is never above its window, unless the peer asks for more', () => {
    fc.assert(
      fc.property(anyPolicy, anyDraw, anyFacts, (given, draw, about) => {
        fc.pre(!isPrompt(about));
        const windowMs = ceilingMs(given, about.wasStable ? about.retry - 1 : about.retry);
        const spreadMs = Math.max(given.baseMs, Math.min(given.capMs, about.retryAfterMs));
        const flooredMs = about.retryAfterMs > 0 ? about.retryAfterMs + spreadMs : 0;
        expect(retryDelayMs(given, draw, about)).toBeLessThanOrEqual(Math.max(windowMs, flooredMs));
      }),
    );
  });

  test('is never above the cap without a floor', () => {
    fc.assert(
      fc.property(anyPolicy, anyDraw, anyRetry, (given, draw, retry) => {
        expect(retryDelayMs(given, draw, { ...facts, retry })).toBeLessThanOrEqual(given.capMs);
      }),
    );
  });

  test('is at most the prompt time for the first retry after a stable connection', () => {
    fc.assert(
      fc.property(anyPolicy, anyDraw, (given, draw) => {
        const waitMs = retryDelayMs(given, draw, { ...facts, wasStable: true });
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThanOrEqual(given.promptMs);
      }),
    );
  });

  test('is never below what the peer asks for, prompt or not', () => {
    fc.assert(
      fc.property(anyPolicy, anyDraw, anyFacts, (given, draw, about) => {
        expect(retryDelayMs(given, draw, about)).toBeGreaterThanOrEqual(about.retryAfterMs);
      }),
    );
  });

  test('spreads clients that the peer told to stay away for the same time (pain 33)', () => {
    const waits = (retryAfterMs: number): number[] =>
      [0, 0.5, ALMOST_ONE].map((draw) => retryDelayMs(policy, draw, { ...facts, wasStable: true, retryAfterMs }));
    // over as long a time again, for all of them were told the same; no less than the base, and no more than the cap
    expect(waits(5_000)).toEqual([5_000, 7_500, 10_000]);
    expect(waits(100)).toEqual([100, 350, 600]);
    expect(waits(60_000)).toEqual([60_000, 75_000, 90_000]);
  });

  test('still spreads clients at the cap (pain 33) (trap 7)', () => {
    const capped = { ...facts, retry: 40 };
    expect([0, 0.25, 0.75].map((draw) => retryDelayMs(policy, draw, capped))).toEqual([500, 7_875, 22_625]);
  });

  test('grows with the draw and never shrinks with the retries', () => {
    fc.assert(
      fc.property(anyPolicy, fc.tuple(anyDraw, anyDraw), anyFacts, (given, [one, other], about) => {
        fc.pre(about.retry < Number.MAX_SAFE_INTEGER && !isPrompt(about));
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(retryDelayMs(given, low, about)).toBeLessThanOrEqual(retryDelayMs(given, high, about));
        const next = { ...about, retry: about.retry + 1 };
        expect(retryDelayMs(given, one, about)).toBeLessThanOrEqual(retryDelayMs(given, one, next));
      }),
    );
  });

  test('is a whole number that a timer can hold, for every allowed policy and floor', () => {
    fc.assert(
      fc.property(anyPolicy, anyDraw, anyFacts, (given, draw, about) => {
        const waits = [
          retryDelayMs(given, draw, about),
          promptDelayMs(given, draw, about),
          offlineDelayMs(given, draw, about),
          hiddenDelayMs(given, draw, about),
        ];
        expect(waits.filter((ms) => !(Number.isInteger(ms) && ms >= 0 && ms <= MAX_DELAY_MS))).toEqual([]);
      }),
    );
  });

  test('does not become a timer that fires at once when a close rule asks for the longest floor', () => {
    expect(retryDelayMs(policy, 0.5, { ...facts, retryAfterMs: MAX_DELAY_MS })).toBe(MAX_DELAY_MS);
  });
});

describe('the other waits', () => {
  test('are prompt when good news sets them off', () => {
    expect([0, 0.5, ALMOST_ONE].map((draw) => promptDelayMs(policy, draw, facts))).toEqual([0, 100, 200]);
  });

  test('let a peer that asked for time have it, whatever sets the retry off', () => {
    const asked = { ...facts, retryAfterMs: 50_000 };
    const waits = [promptDelayMs, offlineDelayMs, hiddenDelayMs].map((delayMs) => delayMs(policy, 0, asked));
    expect(waits).toEqual([50_000, 50_000, 50_000]);
  });

  test('never come before what the peer asked for, for every allowed policy', () => {
    fc.assert(
      fc.property(anyPolicy, anyDraw, anyFacts, (given, draw, about) => {
        const waits = [promptDelayMs, offlineDelayMs, hiddenDelayMs].map((delayMs) => delayMs(given, draw, about));
        expect(Math.min(...waits)).toBeGreaterThanOrEqual(about.retryAfterMs);
      }),
    );
  });

  test('are in the upper half of the offline time while the network is absent, or as long as with a network', () => {
    fc.assert(
      fc.property(anyPolicy, anyDraw, anyFacts, (given, draw, about) => {
        const waitMs = offlineDelayMs(given, draw, about);
        const onlineMs = retryDelayMs(given, draw, about);
        expect(waitMs).toBeGreaterThanOrEqual(Math.max(Math.floor(given.offlineMs / 2), onlineMs));
        expect(waitMs).toBeLessThanOrEqual(Math.max(given.offlineMs, onlineMs));
      }),
    );
  });

  test('are in the upper half of the hidden time for a hidden page, or as long as a visible page waits', () => {
    fc.assert(
      fc.property(anyPolicy, anyDraw, anyFacts, (given, draw, about) => {
        const waitMs = hiddenDelayMs(given, draw, about);
        const visibleMs = retryDelayMs(given, draw, about);
        expect(waitMs).toBeGreaterThanOrEqual(Math.max(Math.floor(given.hiddenMs / 2), visibleMs));
        expect(waitMs).toBeLessThanOrEqual(Math.max(given.hiddenMs, visibleMs));
      }),
    );
  });
});
