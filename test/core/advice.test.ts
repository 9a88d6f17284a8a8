import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { adviceOn, type Advice, type AdviceFacts, type AdviceId } from '../../src/core/advice.ts';
import type { RoundTripSummary } from '../../src/core/round-trips.ts';
import type { Backlog, Troubles } from '../../src/core/score.ts';
import { hostileNumber, impossible } from '../support/hostile.ts';

const roundTrips: RoundTripSummary = {
  lastMs: 20,
  smoothedMs: 20,
  variationMs: 2,
  minMs: 18,
  maxMs: 25,
  p50Ms: 20,
  p95Ms: 25,
  p99Ms: 25,
  jitterMs: 2,
  samples: 5,
};
const troubles: Troubles = { losses: 0, missedPongs: 0, failedAttempts: 0, errors: 0 };
const backlog: Backlog = { messages: 0, bytes: 0, maxMessages: 1_000, maxBytes: 1_000_000, oldestMs: 0 };

/** Open and well for an hour. */
const well: AdviceFacts = {
  roundTrips,
  slowMs: 500,
  troubles,
  backlog,
  isOpen: true,
  hasEvidence: true,
  dropped: 0,
  openMs: 3_600_000,
  downMs: 0,
  canPing: true,
  grade: 'healthy',
  uptimeRatio: 1,
};
const away: AdviceFacts = { ...well, isOpen: false, openMs: 0, downMs: 5_000 };

const tripping = (change: Partial<RoundTripSummary>): AdviceFacts => ({
  ...well,
  roundTrips: { ...roundTrips, ...change },
});
const troubled = (change: Partial<Troubles>, facts = well): AdviceFacts => ({
  ...facts,
  troubles: { ...troubles, ...change },
});
const waiting = (change: Partial<Backlog>, facts = well): AdviceFacts => ({
  ...facts,
  backlog: { ...backlog, ...change },
});
const unmeasured: AdviceFacts = { ...well, roundTrips: null, canPing: false };

interface Case {
  id: AdviceId;
  /** Facts that make it appear, how severe it is then, and what its reason is. */
  given: AdviceFacts;
  severity: Advice['severity'];
  because: Advice['because'];
  /** Facts that are just not enough. */
  not: AdviceFacts[];
}

const cases: Case[] = [
  {
    id: 'slow-round-trips',
    given: tripping({ p50Ms: 812, samples: 3 }),
    severity: 'warning',
    because: { measure: 'p50Ms', value: 812, threshold: 500, unit: 'ms' },
    not: [tripping({ p50Ms: 500 }), tripping({ p50Ms: 812, samples: 2 }), { ...tripping({ p50Ms: 812 }), slowMs: 812 }],
  },
  {
    id: 'slow-round-trips',
    given: tripping({ p50Ms: 2_000 }),
    severity: 'critical',
    because: { measure: 'p50Ms', value: 2_000, threshold: 500, unit: 'ms' },
    not: [],
  },
  {
    id: 'slow-round-trips',
    given: tripping({ p50Ms: 1_999 }),
    severity: 'warning',
    because: { measure: 'p50Ms', value: 1_999, threshold: 500, unit: 'ms' },
    not: [],
  },
  {
    id: 'unsteady-round-trips',
    given: tripping({ jitterMs: 30.5 }),
    severity: 'warning',
    because: { measure: 'jitterMs', value: 30.5, threshold: 30, unit: 'ms' },
    not: [tripping({ jitterMs: 30 }), tripping({ jitterMs: 30.5, samples: 4 })],
  },
  {
    id: 'unsteady-round-trips',
    given: tripping({ smoothedMs: 200, jitterMs: 101 }),
    severity: 'warning',
    because: { measure: 'jitterMs', value: 101, threshold: 100, unit: 'ms' },
    not: [tripping({ smoothedMs: 200, jitterMs: 100 })],
  },
  {
    id: 'missed-pongs',
    given: troubled({ missedPongs: 1.5 }),
    severity: 'warning',
    because: { measure: 'missedPongs', value: 1.5, threshold: 1.5, unit: 'count' },
    not: [troubled({ missedPongs: 1.49 })],
  },
  {
    id: 'frequent-losses',
    given: troubled({ losses: 2 }),
    severity: 'warning',
    because: { measure: 'losses', value: 2, threshold: 2, unit: 'count' },
    not: [troubled({ losses: 1.99 })],
  },
  {
    id: 'frequent-losses',
    given: troubled({ losses: 3.99 }),
    severity: 'warning',
    because: { measure: 'losses', value: 3.99, threshold: 2, unit: 'count' },
    not: [],
  },
  {
    id: 'frequent-losses',
    given: troubled({ losses: 4 }),
    severity: 'critical',
    because: { measure: 'losses', value: 4, threshold: 2, unit: 'count' },
    not: [],
  },
  {
    id: 'frequent-errors',
    given: troubled({ errors: 3 }),
    severity: 'warning',
    because: { measure: 'errors', value: 3, threshold: 3, unit: 'count' },
    not: [troubled({ errors: 2.99 }), troubled({ losses: 3 })],
  },
  {
    id: 'failed-attempts',
    given: troubled({ failedAttempts: 3 }, away),
    severity: 'warning',
    because: { measure: 'failedAttempts', value: 3, threshold: 3, unit: 'count' },
    not: [troubled({ failedAttempts: 2.99 }, away), troubled({ failedAttempts: 3 })],
  },
  {
    id: 'backlog-old',
    given: waiting({ messages: 1, oldestMs: 5_001 }),
    severity: 'warning',
    because: { measure: 'oldestMs', value: 5_001, threshold: 5_000, unit: 'ms' },
    not: [waiting({ messages: 1, oldestMs: 5_000 }), waiting({ messages: 1, oldestMs: 60_000 }, away)],
  },
  {
    id: 'queue-nearly-full',
    given: waiting({ messages: 800 }),
    severity: 'warning',
    because: { measure: 'fill', value: 0.8, threshold: 0.8, unit: 'ratio' },
    not: [waiting({ messages: 799, bytes: 799_999 }), waiting({ messages: 1e9, maxMessages: Infinity })],
  },
  {
    id: 'queue-nearly-full',
    given: waiting({ bytes: 1_000_000 }, away),
    severity: 'critical',
    because: { measure: 'fill', value: 1, threshold: 0.8, unit: 'ratio' },
    not: [],
  },
  {
    id: 'messages-dropped',
    given: { ...well, dropped: 0.5 },
    severity: 'warning',
    because: { measure: 'dropped', value: 0.5, threshold: 0.5, unit: 'count' },
    not: [{ ...well, dropped: 0.49 }],
  },
  {
    id: 'down',
    given: { ...away, downMs: 30_001 },
    severity: 'critical',
    because: { measure: 'downMs', value: 30_001, threshold: 30_000, unit: 'ms' },
    not: [
      { ...away, downMs: 30_000 },
      { ...well, downMs: 30_001 },
      { ...away, downMs: 0 },
    ],
  },
  {
    id: 'unmeasured',
    given: { ...unmeasured, openMs: 60_001 },
    severity: 'info',
    because: { measure: 'openMs', value: 60_001, threshold: 60_000, unit: 'ms' },
    not: [
      { ...unmeasured, openMs: 60_000 },
      { ...unmeasured, canPing: true },
      { ...unmeasured, roundTrips },
      { ...unmeasured, isOpen: false },
    ],
  },
  {
    id: 'performing-well',
    given: well,
    severity: 'info',
    because: { measure: 'samples', value: 5, threshold: 5, unit: 'count' },
    not: [
      tripping({ samples: 4 }),
      { ...well, roundTrips: null },
      { ...well, hasEvidence: false },
      { ...well, grade: 'unknown' },
      { ...well, grade: 'degraded' },
      { ...well, isOpen: false },
      { ...well, uptimeRatio: 0.989 },
      troubled({ losses: 2 }),
    ],
  },
];

describe('advice', () => {
  test.each(cases)('is $id, $severity, because of $because', ({ id, given, severity, because }) => {
    const advice = adviceOn(given);
    expect(advice).toEqual([{ id, severity, text: expect.any(String) as string, because }]);
  });

  test.each(cases.flatMap(({ id, not }) => not.map((facts, index) => ({ id, index, facts }))))(
    'is not $id where that is just not so ($index)',
    ({ id, facts }) => {
      expect(adviceOn(facts).map((advice) => advice.id)).not.toContain(id);
    },
  );

  test('has each of its kinds tried both ways', () => {
    const ids = new Set(cases.map(({ id }) => id));
    expect(ids.size).toBe(12);
    expect(new Set(cases.filter(({ not }) => not.length > 0).map(({ id }) => id))).toEqual(ids);
  });

  test('is none on a perfect new connection: too little is known to praise it, and nothing to blame (original fault 38)', () => {
    const fresh: AdviceFacts = {
      ...well,
      openMs: 1_000,
      hasEvidence: false,
      grade: 'unknown',
      roundTrips: { ...roundTrips, samples: 1 },
    };
    expect(adviceOn(fresh)).toEqual([]);
    expect(adviceOn({ ...fresh, roundTrips: null, uptimeRatio: null })).toEqual([]);
  });

  test('takes uptime that is not known for no reason to doubt', () => {
    expect(adviceOn({ ...well, uptimeRatio: null }).map(({ id }) => id)).toEqual(['performing-well']);
  });

  test('is never about little traffic: none is told to batch (original fault 42)', () => {
    const told = cases.flatMap(({ given }) => adviceOn(given)).map(({ text }) => text);
    expect(told.filter((text) => /batch/i.test(text))).toEqual([]);
  });

  test('names what was measured, and what would be fine', () => {
    expect(adviceOn(tripping({ p50Ms: 812.46 }))[0]?.text).toBe(
      'Half of the round trips take 812.5 ms or more; up to 500 ms is fine. Connect to a nearer server, or see what keeps this one busy.',
    );
    expect(adviceOn({ ...away, downMs: 93_400 })[0]?.text).toMatch(/^The connection has been down for 93 s\./);
    expect(adviceOn(waiting({ messages: 996 }))[0]?.text).toMatch(/^The queue is 99 % full/);
    expect(adviceOn(waiting({ messages: 1_000 }))[0]?.text).toMatch(/^The queue is full: further messages/);
    expect(adviceOn(troubled({ losses: 2.04 }))[0]?.text).toMatch(
      /^The connection is lost again and again, 2 of late \(older ones count less\)\./,
    );
  });

  test('is the most severe first', () => {
    const facts = {
      ...unmeasured,
      troubles: { ...troubles, losses: 5, missedPongs: 2 },
      backlog: { ...backlog, messages: 1_000, oldestMs: 9_000 },
      dropped: 3,
    };
    expect(adviceOn(facts).map(({ id, severity }) => [severity, id])).toEqual([
      ['critical', 'frequent-losses'],
      ['critical', 'queue-nearly-full'],
      ['warning', 'messages-dropped'],
      ['warning', 'backlog-old'],
      ['warning', 'missed-pongs'],
      ['info', 'unmeasured'],
    ]);
  });

  test('does not change what it is given, and says the same again', () => {
    const facts = Object.freeze({ ...troubled({ losses: 3 }) });
    expect(adviceOn(facts)).toEqual(adviceOn(facts));
  });

  test('is possible and of numbers that exist, whatever the facts', () => {
    const fields = <Key extends string>(...keys: Key[]): fc.Arbitrary<Record<Key, number>> =>
      fc.record(Object.fromEntries(keys.map((key) => [key, hostileNumber])));
    const anyTrips = fields(...(Object.keys(roundTrips) as (keyof RoundTripSummary)[]));
    const anyFacts: fc.Arbitrary<AdviceFacts> = fc.record({
      roundTrips: fc.option(anyTrips),
      slowMs: hostileNumber,
      troubles: fields('losses', 'missedPongs', 'failedAttempts', 'errors'),
      backlog: fields('messages', 'bytes', 'maxMessages', 'maxBytes', 'oldestMs'),
      isOpen: fc.boolean(),
      hasEvidence: fc.boolean(),
      dropped: hostileNumber,
      openMs: hostileNumber,
      downMs: hostileNumber,
      canPing: fc.boolean(),
      grade: fc.constantFrom('unknown', 'healthy', 'degraded', 'critical'),
      uptimeRatio: fc.option(hostileNumber),
    });
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const advice = adviceOn(facts);
        expect(impossible(advice)).toEqual([]);
        expect(new Set(advice.map(({ id }) => id)).size).toBe(advice.length);
        for (const { text } of advice) expect(text).not.toMatch(/NaN|Infinity|undefined|null|-\d/);
      }),
      { numRuns: 1_000 },
    );
  });
});
