import { describe, expect, test } from 'vitest';

import type { ConnectionStateName } from '../machines/facts.ts';
import type { HealthEvent } from '../machines/health.ts';
import { ConnectionError, InboundError, MessageError, type ErrorCode } from '../src/errors.ts';
import { Monitor } from '../src/monitor.ts';

const SOURCE = { connectionId: 'c', serviceType: 's' };
const EPOCH_MS = 1_700_000_000_000;

/** A monitor that the test tells of everything, with both of its clocks. */
class Bench {
  /** On the monotonic clock. */
  at = 1_000;
  wallMs = EPOCH_MS;
  received = 0;
  lastError: ConnectionError | null = null;
  load: { waiting: number; waitingBytes: number; oldestAt: number | null } = {
    waiting: 0,
    waitingBytes: 0,
    oldestAt: null,
  };
  readonly limits = { slowMs: 500, maxMessages: 10, maxBytes: 1_000 };
  /** What the chart of the link is told. */
  readonly samples: HealthEvent[] = [];
  readonly emitted: [type: string, event: unknown][] = [];
  readonly monitor: Monitor;

  constructor(windowMs = 3_600_000) {
    this.monitor = new Monitor({
      source: SOURCE,
      clock: {
        now: () => this.wallMs,
        monotonicNow: () => this.at,
        setTimeout: () => {
          throw new Error('A monitor sets no timer.');
        },
        clearTimeout: () => undefined,
      },
      limits: () => this.limits,
      windowMs,
      load: () => this.load,
      received: () => this.received,
      lastError: () => this.lastError,
      emit: (type, event) => this.emitted.push([type, event]),
    });
  }

  passes(ms: number): this {
    this.at += ms;
    this.wallMs += ms;
    return this;
  }

  moves(current: ConnectionStateName): this {
    this.monitor.noted('status', { ...SOURCE, previous: 'idle', current });
    return this;
  }

  opens({ canMeasure = true } = {}): this {
    this.moves('connecting');
    this.monitor.linked({ canMeasure });
    this.monitor.follow((event) => this.samples.push(event));
    return this.moves('open');
  }

  /** An open connection is gone. */
  loses(code: ErrorCode = 'CONNECTION_LOST'): this {
    const error = new ConnectionError(code, SOURCE);
    this.lastError = error;
    this.moves('backoff');
    this.monitor.noted('closed', {
      ...SOURCE,
      code: 1006,
      reason: '',
      wasClean: false,
      initiator: 'network',
      error,
      inDoubt: 0,
    });
    this.monitor.noted('error', error);
    return this;
  }

  grades(): unknown[] {
    return this.emitted
      .filter(([type]) => type === 'health')
      .map(([, event]) => (event as { current: string }).current);
  }

  get scores(): number[] {
    return this.samples.flatMap((event) => (event.type === 'sampled' ? [event.score] : []));
  }
}

describe('a monitor', () => {
  test('knows nothing before the connection is open and measured', () => {
    const b = new Bench();
    expect(b.monitor.info()).toMatchObject({ ...SOURCE, at: EPOCH_MS, grade: 'unknown', state: 'idle', because: null });
    b.opens().passes(10_000);
    expect([b.monitor.grade, b.monitor.overall, b.monitor.info().uptimeRatio]).toEqual(['unknown', null, 1]);
    b.monitor.answered(20);
    expect([b.monitor.overall, b.monitor.info().roundTrips?.samples]).toEqual([100, 1]);
  });

  test('tells the chart how good each measurement is, by itself: the chart does the smoothing', () => {
    const b = new Bench().opens();
    for (const rttMs of [20, 500, 1_000, 20]) b.monitor.answered(rttMs);
    expect(b.scores).toEqual([100, 70, 40, 100]);
    b.load = { waiting: 10, waitingBytes: 0, oldestAt: 1_000 };
    b.monitor.answered(20);
    expect(b.scores.at(-1)).toBe(0);
  });

  test('tells nobody once nobody follows, nor a follower that has been replaced', () => {
    const b = new Bench().opens();
    const second: HealthEvent[] = [];
    const first = b.monitor.follow(() => undefined);
    const end = b.monitor.follow((event) => second.push(event));
    first();
    b.monitor.answered(20);
    b.monitor.unanswered({ lateMs: 1, timeoutMs: 2 });
    end();
    b.monitor.answered(20);
    expect([second, b.samples]).toEqual([
      [
        { type: 'sampled', score: 100 },
        { type: 'link.unanswered', lateMs: 1, timeoutMs: 2 },
      ],
      [],
    ]);
  });

  test('tells of each round trip that can be told', () => {
    const b = new Bench().opens();
    b.monitor.answered(20);
    b.monitor.answered(null);
    expect(b.emitted.filter(([type]) => type === 'roundTrip')).toEqual([['roundTrip', { ...SOURCE, rttMs: 20 }]]);
    expect([b.scores.length, b.monitor.roundTrips?.samples]).toEqual([2, 1]);
  });

  test('measures a link that cannot be asked by its traffic: not by the first frame, and not by each', () => {
    const b = new Bench().opens({ canMeasure: false });
    b.passes(1_999).monitor.received('x');
    expect(b.scores).toEqual([]);
    for (let frame = 0; frame < 10; frame++) b.passes(1).monitor.received('x');
    expect(b.scores).toEqual([100]);
    b.passes(49_990).monitor.received('x');
    expect(b.scores).toEqual([100]);
    b.passes(10).monitor.received('x');
    expect(b.scores).toEqual([100, 100]);
  });

  test('takes nothing that comes before a link is open for a measurement of it', () => {
    const b = new Bench().opens().loses();
    b.passes(60_000).monitor.received('x');
    expect(b.scores).toEqual([]);
  });

  test('forgets the round trips of a link with the next one, and its grade as soon as it is gone', () => {
    const b = new Bench().opens();
    b.monitor.answered(20);
    b.monitor.graded('healthy');
    b.loses();
    expect([b.monitor.grade, b.monitor.roundTrips?.lastMs]).toEqual(['critical', 20]);
    b.opens();
    expect([b.monitor.grade, b.monitor.overall, b.monitor.roundTrips]).toEqual(['unknown', null, null]);
    expect(b.grades()).toEqual(['healthy', 'critical', 'unknown']);
  });

  test('tells of a grade once, with the score and the reason of that moment', () => {
    const b = new Bench().opens();
    for (let sample = 0; sample < 3; sample++) b.monitor.answered(1_000);
    b.monitor.graded('degraded');
    b.monitor.graded('degraded');
    expect(b.emitted.filter(([type]) => type === 'health')).toEqual([
      [
        'health',
        {
          ...SOURCE,
          previous: 'unknown',
          current: 'degraded',
          score: 40,
          because: expect.stringContaining('1000 ms') as string,
        },
      ],
    ]);
  });

  test('takes the worse of how the link is and of how often it was lost', () => {
    const b = new Bench();
    for (let loss = 0; loss < 3; loss++) b.opens().loses();
    b.opens().monitor.answered(20);
    b.monitor.graded('healthy');
    expect(b.monitor.grade).toBe('degraded');
    b.monitor.graded('critical');
    expect(b.monitor.grade).toBe('critical');
    b.monitor.graded('healthy');
    b.passes(1_800_000).monitor.answered(20);
    expect(b.monitor.grade).toBe('healthy');
  });
});

describe('what a monitor counts', () => {
  test('is a loss once, a frozen page never, and an error of an open connection as such (original fault 40)', () => {
    const b = new Bench().opens();
    b.monitor.noted('error', new InboundError('NOT_DECODABLE', 'x', SOURCE));
    b.loses();
    b.opens().loses('PAGE_FROZEN');
    b.monitor.missed();
    const { troubles } = b.monitor.info();
    const totals = Object.entries(troubles).map(([kind, { total }]) => [kind, total]);
    expect(Object.fromEntries(totals)).toEqual({
      losses: 1,
      missedPongs: 1,
      failedAttempts: 0,
      errors: 1,
      droppedMessages: 0,
    });
  });

  test('is no loss where the application closed', () => {
    const b = new Bench().opens();
    b.moves('closed');
    b.monitor.noted('closed', {
      ...SOURCE,
      code: 1000,
      reason: '',
      wasClean: true,
      initiator: 'local',
      error: null,
      inDoubt: 0,
    });
    expect([b.monitor.info().troubles.losses.total, b.monitor.grade]).toEqual([0, 'unknown']);
  });

  test('is each message that was lost', () => {
    const b = new Bench();
    b.monitor.undelivered(new MessageError('EXPIRED', { ...SOURCE, outcome: 'not_sent' }));
    expect(b.monitor.info().troubles.droppedMessages).toEqual({ recent: 1, total: 1 });
  });

  test('is bytes as they travel, messages as they are, both ways', () => {
    const b = new Bench().opens();
    b.monitor.sent(2);
    for (const data of ['ü', new Uint8Array(3)]) b.monitor.wrote(data);
    b.monitor.received('ünï');
    b.monitor.received(new ArrayBuffer(4));
    b.received = 7;
    expect(b.monitor.totals).toEqual({ messagesOut: 2, messagesIn: 7, bytesOut: 5, bytesIn: 9 });
    b.passes(9_000);
    expect(b.monitor.info().rates).toEqual({ messagesOut: 2 / 9, messagesIn: 7 / 9, bytesOut: 5 / 9, bytesIn: 1 });
  });
});

describe('a monitor whose connection is down', () => {
  test('is so from the loss on, over all attempts, until it is open, closed or frozen', () => {
    const b = new Bench().opens().loses();
    const down = (): unknown[] => [b.monitor.grade, b.monitor.recommendations().some(({ id }) => id === 'down')];
    b.passes(20_000).moves('connecting').passes(11_000);
    expect(down()).toEqual(['critical', true]);
    b.moves('failed');
    expect(down()).toEqual(['critical', true]);
    b.moves('closed');
    expect(down()).toEqual(['unknown', false]);
    b.moves('connecting');
    expect(down()).toEqual(['unknown', false]);
    b.moves('backoff').passes(31_000);
    expect(down()).toEqual(['critical', true]);
    b.lastError = new ConnectionError('PAGE_FROZEN', SOURCE);
    b.moves('connecting').moves('backoff');
    expect(down()).toEqual(['unknown', false]);
  });
});

describe('the trend of a monitor', () => {
  test('has a point for each measurement and each state, by the wall clock, and no more than the window', () => {
    const b = new Bench(60_000).opens();
    b.passes(10_000).monitor.answered(20);
    b.passes(10_000).monitor.answered(2_000);
    b.passes(10_000).loses();
    const { points, rangeMs } = b.monitor.trend(3_600_000);
    expect(rangeMs).toBe(60_000);
    expect(points.map(({ at, overall }) => [at - EPOCH_MS, overall])).toEqual([
      [0, null],
      [10_000, 100],
      [20_000, expect.any(Number)],
      [30_000, 0],
    ]);
    expect(b.monitor.trend(5_000).points.map(({ at }) => at - EPOCH_MS)).toEqual([25_000, 30_000]);
  });
});

describe('a monitor on a clock that is set back', () => {
  test('goes on from where it was: what decays decays, and rates are those of the time that has passed', () => {
    const b = new Bench().opens().loses();
    b.opens();
    b.at -= 3_600_000;
    b.monitor.received('x');
    b.passes(300_000);
    expect(b.monitor.info().troubles.losses.recent).toBeCloseTo(0.5, 5);
    for (let second = 0; second < 60; second++) {
      b.passes(1_000).monitor.sending();
      b.monitor.sent(1);
    }
    expect(b.monitor.info().rates.messagesOut).toBeCloseTo(1, 1);
  });

  test('ages what waits by the clock that it was dated by', () => {
    const b = new Bench().opens();
    b.monitor.info();
    b.at -= 3_600_000;
    b.load = { waiting: 1, waitingBytes: 1, oldestAt: b.at };
    b.passes(2_000);
    expect(b.monitor.info().queue.oldestMs).toBe(2_000);
    // dated before it was set back
    b.load.oldestAt = b.at + 1_000;
    expect(b.monitor.info().queue.oldestMs).toBe(0);
  });

  test('does not mind one that shows no time for a moment', () => {
    const b = new Bench().opens();
    for (const at of [NaN, Infinity, -Infinity]) {
      b.at = at;
      b.monitor.received('x');
      b.monitor.answered(5);
    }
    b.at = 11_000;
    expect([b.monitor.info().states, b.monitor.info().uptimeRatio]).toEqual([{ open: 10_000 }, 1]);
  });
});
