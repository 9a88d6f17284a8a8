import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { STRATEGIES } from '../src/core/recovery.ts';
import type { ServiceEvents } from '../src/events.ts';
import type { EnhancedWebSocketOptions, RetryOptions } from '../src/options.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { FakeSocket, FakeSockets } from './support/fake-socket.ts';
import { Rig, TERMINAL } from './support/service.ts';

const MINUTE_MS = 60_000;
const STABLE_MS = 2_000;
// more than any minute here may hold
const HOT = 1_000;

/** How an attempt goes: its provider fails, it never opens, or it opens and ends after so many ms. */
type Course = 'no credentials' | 'refused' | { openMs: number };
/** What the application decides on a failure. */
type Decided = ReturnType<NonNullable<NonNullable<EnhancedWebSocketOptions['services'][string]['decide']>>>;

interface Life {
  retry: Required<Pick<RetryOptions, 'baseMs' | 'capMs' | 'promptMs' | 'offlineMs' | 'hiddenMs'>>;
  wire: 'plain' | 'prefer';
  network: 'online' | 'offline';
  random: number;
  courses: Course[];
  decisions: Decided[];
}

/** Takes what a list gives over and over. */
function over<Value>(list: readonly Value[]): () => Value {
  let taken = 0;
  return () => list[taken++ % list.length] as Value;
}

/** A service that goes through a life of failures, for a minute. */
async function minuteOf({
  retry,
  wire,
  network,
  random,
  courses,
  decisions,
}: Life): Promise<{ r: Rig; stableTimes: number }> {
  const clock = new SimulatedClock();
  const [course, decision] = [over(courses), over(decisions)];
  let failures = 0;
  let going: Course = 'refused';
  let stableTimes = 0;
  class Doomed extends FakeSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols);
      const openMs = typeof going === 'object' ? going.openMs : 0;
      if (openMs >= STABLE_MS) stableTimes += 1;
      clock.setTimeout(() => {
        if (typeof going === 'object') this.opens();
      }, 0);
      clock.setTimeout(() => {
        this.ends(1006);
      }, openMs);
    }
  }
  const r = new Rig(new FakeSockets(Doomed), {
    clock,
    random: () => random,
    terminal: {
      wire,
      retry: { ...retry, stableMs: STABLE_MS },
      // a loop comes to an end, and is seen
      decide: () => (++failures > HOT ? 'manual' : decision()),
      credentials: {
        get: () => {
          going = course();
          if (going === 'no credentials') throw new Error(going);
          return 'token';
        },
        maxRejections: Number.MAX_SAFE_INTEGER,
      },
    },
  });
  void r.service.connect(TERMINAL);
  if (network === 'offline') r.signals.send('network.offline');
  await clock.advanceAsync(MINUTE_MS);
  return { r, stableTimes };
}

const anyRetry = fc
  .record({
    baseMs: fc.integer({ min: 200, max: 5_000 }),
    capMs: fc.integer({ min: 200, max: 60_000 }),
    promptMs: fc.integer({ min: 0, max: 1_000 }),
    offlineMs: fc.integer({ min: 1, max: 60_000 }),
    hiddenMs: fc.integer({ min: 1, max: 60_000 }),
  })
  .map(({ capMs, ...retry }) => ({ ...retry, capMs: Math.max(capMs, retry.baseMs, retry.promptMs) }));
const anyWait = fc.constantFrom(Number.NaN, -1, 0, 1, 700, 5_000, Infinity);
// `manual` is the end at once
const anyStrategy = fc.constantFrom(...STRATEGIES.filter((strategy) => strategy !== 'manual'));
const trial = fc.constantFrom('reauthenticate', 'renegotiate', 'new_session');
const anyDecision: fc.Arbitrary<Decided> = fc.oneof(
  anyStrategy,
  trial,
  fc.record({ strategy: trial, retryAfterMs: anyWait }),
  fc.record({ strategy: anyStrategy, retryAfterMs: anyWait }),
  fc.constant(undefined),
);
const anyCourse: fc.Arbitrary<Course> = fc.constantFrom<Course>(
  'no credentials',
  'refused',
  { openMs: 0 },
  { openMs: 100 },
  { openMs: STABLE_MS + 1 },
);
const anyLife: fc.Arbitrary<Life> = fc.record({
  retry: anyRetry,
  wire: fc.constantFrom('plain', 'prefer'),
  network: fc.constantFrom('online', 'offline'),
  random: fc.integer({ min: 0, max: 999 }).map((drawn) => drawn / 1_000),
  courses: fc.array(anyCourse, { minLength: 1, maxLength: 6 }),
  decisions: fc.array(anyDecision, { minLength: 1, maxLength: 6 }),
});

const startsOf = (r: Rig): ServiceEvents['status'][] =>
  r.of('status').filter(({ current }) => current === 'connecting');

describe('whatever the application decides on whatever failures', () => {
  // the first attempt, and one for each of the three strategies that need no wait; after a stable connection those again, and the prompt retry;
  // between all others at least the base
  test('a minute holds no more than 4 + minute/base attempts, and 4 more for each stable connection; none comes sooner than was asked for (trap 7)', async () => {
    await fc.assert(
      fc.asyncProperty(anyLife, async (life) => {
        const { r, stableTimes } = await minuteOf(life);
        const most = 4 + MINUTE_MS / life.retry.baseMs + 4 * stableTimes;
        expect(startsOf(r).length).toBeLessThanOrEqual(most);
        const retries = r.of('retrying');
        // the first wait after a failure is the one that was asked for; without a network another follows
        const waits = new Map(retries.toReversed().map(({ error, delayMs }) => [error, delayMs]));
        for (const [error, delayMs] of waits) expect(delayMs).toBeGreaterThanOrEqual(error?.retryAfterMs ?? 0);
        const short = retries.filter(({ delayMs }) => delayMs < life.retry.baseMs);
        expect(short.length).toBeLessThanOrEqual(3 + 4 * stableTimes);
        // a wait that was asked for is spread by up to the base
        const prompt = short.filter(({ error }) => error?.retryAfterMs === undefined);
        const { promptMs, offlineMs } = life.retry;
        const promptest = life.network === 'offline' ? Math.max(promptMs, offlineMs) : promptMs;
        for (const { delayMs } of prompt) expect(delayMs).toBeLessThanOrEqual(promptest);
        // but for the nonsense that it decides
        expect(r.bugs.filter(({ cause }) => !String(cause).includes('retryAfterMs'))).toEqual([]);
        await r.destroy();
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  test.each(STRATEGIES.filter((strategy) => strategy !== 'manual'))(
    'the defaults make it fewer than 125 a minute with %s at every failure and the least of chances',
    async (strategy) => {
      const retry = { baseMs: 500, capMs: 30_000, promptMs: 200, offlineMs: 30_000, hiddenMs: 30_000 };
      const { r } = await minuteOf({
        retry,
        wire: 'prefer',
        network: 'online',
        random: 0,
        courses: ['refused'],
        decisions: [strategy],
      });
      expect(startsOf(r).length).toBeGreaterThan(3);
      expect(startsOf(r).length).toBeLessThanOrEqual(124);
      await r.destroy();
    },
  );
});
