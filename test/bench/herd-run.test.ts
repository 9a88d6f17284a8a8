import { describe, expect, test } from 'vitest';

import { stampede, type Outage } from '../../bench/herd-run.ts';
import { OWN, PEERS, type Way } from '../../bench/herd-ways.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';

const outage: Outage = { name: '', clients: 1_000, seed: 7, backAfterMs: 0, retryAfterMs: 0 };
const { promptMs, baseMs } = DEFAULT_POLICY.backoff;

/** A client that waits for these times, one after the other, and then no more. */
function waiting(...waits: number[]): Way {
  return {
    name: '',
    source: '',
    client: () =>
      (
        (left) => () =>
          left.shift() ?? null
      )([...waits]),
  };
}

describe('a herd', () => {
  test('is counted by the 100 ms in which it returns, its failed attempts beside it', () => {
    const seen = stampede(waiting(50, 100, 250), { ...outage, clients: 10, backAfterMs: 300 });
    expect(seen).toMatchObject({ peak: 10, peakOfAttempts: 10, halfMs: 100, mostMs: 100, allMs: 100 });
    expect(seen.returned).toEqual([0, 0, 0, 0, 10]);
  });

  test('has its failed attempts of one 100 ms added up', () => {
    expect(stampede(waiting(10, 20, 30), { ...outage, clients: 5, backAfterMs: 60 }).peakOfAttempts).toBe(15);
  });

  test('that gives up never returns', () => {
    const { peak, returned, halfMs } = stampede(waiting(10, 20), { ...outage, backAfterMs: 1_000 });
    expect([peak, returned, halfMs]).toEqual([0, [], null]);
  });

  test.each([...OWN, ...PEERS].map((way) => [way.name, way] as const))(
    'of %s returns in the same way for the same seed',
    (_name, way) => {
      const seen = stampede(way, outage);
      expect(stampede(way, outage)).toEqual(seen);
      expect(seen.returned.reduce((all, those) => all + those, 0)).toBe(outage.clients);
    },
  );
});

describe('our own way', () => {
  // enough that an even spread is seen to be one
  const crowd = { ...outage, clients: 10_000 };
  const [stable, unstable, restarting] = OWN.map((way) => stampede(way, crowd));

  test('is back within the prompt time after a stable connection, half of it sooner (pain 33)', () => {
    expect(stable?.allMs).toBeLessThanOrEqual(promptMs);
    expect(stable?.halfMs).toBeLessThanOrEqual(0.55 * promptMs);
  });

  test('has nowhere more than its even share of the time that it takes (pain 33)', () => {
    const even = 1.15 * crowd.clients * 100;
    expect(stable?.peak).toBeLessThan(even / promptMs);
    expect(unstable?.peak).toBeLessThan(even / baseMs);
    expect(restarting?.peak).toBeLessThan(even / 1_000);
  });

  test.each(OWN.map((way) => [way.name, way] as const))(
    '%s stays away for as long as it was asked to, and spreads over as long again',
    (_name, way) => {
      const seen = stampede(way, { ...crowd, backAfterMs: 5_000, retryAfterMs: 5_000 });
      expect(seen.peakOfAttempts).toBe(seen.peak);
      expect(seen.peak).toBeLessThan((1.25 * crowd.clients * 100) / 5_000);
    },
  );
});
