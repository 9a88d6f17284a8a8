import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { fillOf, latencyScore, scoresOf, type Backlog, type ScoreFacts, type Troubles } from '../../src/core/score.ts';
import { hostileNumber, impossible } from '../support/hostile.ts';

const noTroubles: Troubles = { losses: 0, missedPongs: 0, failedAttempts: 0, errors: 0 };
const noBacklog: Backlog = { messages: 0, bytes: 0, maxMessages: 1_000, maxBytes: 1_000_000, oldestMs: 0 };
const perfect: ScoreFacts = {
  roundTrips: { smoothedMs: 20, jitterMs: 2 },
  slowMs: 500,
  troubles: noTroubles,
  backlog: noBacklog,
  isOpen: true,
  hasEvidence: true,
};

const stabilityWith = (troubles: Partial<Troubles>): number =>
  scoresOf({ ...perfect, troubles: { ...noTroubles, ...troubles } }).stability;
const capacityWith = (backlog: Partial<Backlog>, isOpen = true): number =>
  scoresOf({ ...perfect, isOpen, backlog: { ...noBacklog, ...backlog } }).capacity;

describe('the latency score', () => {
  test.each([
    [0, 100],
    [100, 100],
    [175, 95],
    [250, 90],
    [375, 80],
    [500, 70],
    [750, 55],
    [1_000, 40],
    [1_500, 25],
    [2_000, 10],
    [3_000, 5],
    [4_000, 0],
    [3_600_000, 0],
    [Infinity, 0],
    [NaN, 100],
    [-1, 100],
  ])('of %d ms is %i', (ms, score) => {
    expect(latencyScore(ms)).toBe(score);
    expect(latencyScore(ms, 500)).toBe(score);
  });

  test('is held against what is slow for this connection', () => {
    expect([latencyScore(50, 50), latencyScore(100, 50), latencyScore(50, 5_000)]).toEqual([70, 40, 100]);
  });

  test('never rises with the round trip', () => {
    const anyMs = fc.double({ min: 0, max: 10_000, noNaN: true });
    fc.assert(
      fc.property(anyMs, anyMs, (one, other) => {
        expect(latencyScore(Math.min(one, other))).toBeGreaterThanOrEqual(latencyScore(Math.max(one, other)));
      }),
    );
  });
});

describe('the scores of a connection', () => {
  test('are perfect on a perfect new connection: idle, without errors, at 20 ms (original fault 38)', () => {
    expect(scoresOf(perfect)).toEqual({ overall: 100, latency: 100, stability: 100, capacity: 100, weakest: null });
  });

  test('are unknown as a whole without evidence, whatever the parts are', () => {
    const troubled = { ...perfect, hasEvidence: false, troubles: { ...noTroubles, losses: 2 } };
    expect(scoresOf(troubled)).toMatchObject({ overall: null, weakest: null, stability: 50 });
  });

  test('have no latency without a round trip, and leave it out', () => {
    expect(scoresOf({ ...perfect, roundTrips: null })).toMatchObject({ overall: 100, latency: null, weakest: null });
  });

  test('count an unsteady round trip as a longer one', () => {
    const roundTrips = { smoothedMs: 300, jitterMs: 200 };
    expect(scoresOf({ ...perfect, roundTrips })).toMatchObject({ latency: 70, overall: 70, weakest: 'latency' });
  });

  test('are as a whole the lowest part, which is named', () => {
    const slow = { ...perfect, roundTrips: { smoothedMs: 1_000, jitterMs: 0 } };
    const lost = { ...slow, troubles: { ...noTroubles, losses: 4 } };
    const full = { ...lost, backlog: { ...noBacklog, messages: 1_000 } };
    expect(scoresOf(slow)).toMatchObject({ overall: 40, weakest: 'latency' });
    expect(scoresOf(lost)).toMatchObject({ overall: 25, weakest: 'stability' });
    expect(scoresOf(full)).toMatchObject({ overall: 0, weakest: 'capacity', latency: 40, stability: 25 });
  });

  test.each<[Partial<Troubles>, number]>([
    [{ losses: 1 }, 71],
    [{ losses: 2 }, 50],
    [{ losses: 4 }, 25],
    [{ missedPongs: 2 }, 71],
    [{ failedAttempts: 2 }, 71],
    [{ errors: 4 }, 71],
    [{ errors: 1 }, 92],
    [{ losses: 1, missedPongs: 1, failedAttempts: 1 }, 50],
    [{ losses: 1e9 }, 0],
  ])('have with %j a stability of %i', (troubles, score) => {
    expect(stabilityWith(troubles)).toBe(score);
  });

  test('recover as trouble is forgotten (original fault 40)', () => {
    const history = [1, 0.5, 0.25, 0.125, 0.01].map((losses) => stabilityWith({ losses }));
    expect(history).toEqual([71, 84, 92, 96, 100]);
  });

  test.each<[Partial<Backlog>, number]>([
    [{ messages: 100 }, 100],
    [{ messages: 325 }, 75],
    [{ messages: 550 }, 50],
    [{ messages: 1_000 }, 0],
    [{ messages: 2_000 }, 0],
    [{ bytes: 550_000 }, 50],
    [{ messages: 550, bytes: 775_000 }, 25],
    [{ oldestMs: 1_000 }, 100],
    [{ oldestMs: 5_500 }, 50],
    [{ oldestMs: 60_000 }, 0],
    [{ messages: 1e9, bytes: 1e12, maxMessages: Infinity, maxBytes: Infinity }, 100],
    [{ messages: 0, maxMessages: 0 }, 100],
    [{ messages: 1, maxMessages: 0 }, 0],
  ])('have with a backlog of %j a capacity of %i', (backlog, score) => {
    expect(capacityWith(backlog)).toBe(score);
  });

  test('do not count the age of what waits for a connection, which is what a queue is for', () => {
    expect(capacityWith({ oldestMs: 60_000, messages: 550 }, false)).toBe(50);
  });

  test('are as perfect where nothing is sent as where much is (original fault 42)', () => {
    const silent = { ...perfect, roundTrips: null };
    const busy = { ...perfect, backlog: { ...noBacklog, messages: 90, bytes: 90_000, oldestMs: 900 } };
    expect([scoresOf(silent).overall, scoresOf(busy).overall]).toEqual([100, 100]);
  });

  test('are whole numbers from 0 to 100, whatever the facts', () => {
    const anyFacts: fc.Arbitrary<ScoreFacts> = fc.record({
      roundTrips: fc.option(fc.record({ smoothedMs: hostileNumber, jitterMs: hostileNumber })),
      slowMs: hostileNumber,
      troubles: fc.record({
        losses: hostileNumber,
        missedPongs: hostileNumber,
        failedAttempts: hostileNumber,
        errors: hostileNumber,
      }),
      backlog: fc.record({
        messages: hostileNumber,
        bytes: hostileNumber,
        maxMessages: hostileNumber,
        maxBytes: hostileNumber,
        oldestMs: hostileNumber,
      }),
      isOpen: fc.boolean(),
      hasEvidence: fc.boolean(),
    });
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { overall, latency, stability, capacity, weakest } = scoresOf(facts);
        for (const score of [overall ?? 0, latency ?? 0, stability, capacity]) {
          expect(Number.isInteger(score) && score >= 0 && score <= 100).toBe(true);
        }
        const known = [latency ?? 100, stability, capacity];
        expect(overall).toBe(facts.hasEvidence ? Math.min(...known) : null);
        expect(weakest === null).toBe(overall === null || overall === 100);
        expect(impossible(fillOf(facts.backlog))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});
