import { describe, expect, test } from 'vitest';

import { ConnectionError, FaultError, MessageError, type ErrorCode } from '../src/errors.ts';
import { Troubles } from '../src/troubles.ts';

const HALF_LIFE_MS = 300_000;
const NONE = { recent: 0, total: 0 };
const ONE = { recent: 1, total: 1 };
const CALM = { losses: NONE, missedPongs: NONE, failedAttempts: NONE, errors: NONE, droppedMessages: NONE };

const lost = (): ConnectionError => new ConnectionError('CONNECTION_LOST');
const undelivered = (code: ErrorCode): MessageError => new MessageError(code, { outcome: 'not_sent' });

describe('the troubles of a connection', () => {
  test('are none at first', () => {
    const troubles = new Troubles();
    expect([troubles.counts(0), troubles.dropped(0)]).toEqual([CALM, 0]);
    expect(troubles.recent(0)).toEqual({ losses: 0, missedPongs: 0, failedAttempts: 0, errors: 0 });
  });

  test('count a loss once, though it is told as the end of a socket and as an error (original fault 40)', () => {
    const troubles = new Troubles();
    const error = lost();
    troubles.lost(error, 0);
    troubles.failed(error, { at: 0, isOpen: false });
    expect(troubles.counts(0)).toEqual({ ...CALM, losses: ONE });
    troubles.failed(lost(), { at: 0, isOpen: false });
    expect(troubles.counts(0)).toEqual({ ...CALM, losses: ONE, failedAttempts: ONE });
  });

  test('tell an error of an open connection from an attempt that failed', () => {
    const troubles = new Troubles();
    troubles.failed(lost(), { at: 0, isOpen: true });
    expect(troubles.counts(0)).toEqual({ ...CALM, errors: ONE });
    troubles.failed(lost(), { at: 0, isOpen: false });
    expect(troubles.counts(0)).toEqual({ ...CALM, errors: ONE, failedAttempts: ONE });
  });

  test('are not the bugs of the application', () => {
    const troubles = new Troubles();
    for (const isOpen of [true, false]) troubles.failed(new FaultError('LISTENER_THREW'), { at: 0, isOpen });
    expect(troubles.counts(0)).toEqual(CALM);
  });

  test('are half as many after five minutes, and as many in all', () => {
    const troubles = new Troubles();
    troubles.lost(lost(), 0);
    troubles.missed(0);
    troubles.failed(lost(), { at: 0, isOpen: true });
    troubles.failed(lost(), { at: 0, isOpen: false });
    troubles.undelivered(undelivered('EXPIRED'), 0);
    const half = { recent: 0.5, total: 1 };
    expect(troubles.counts(HALF_LIFE_MS)).toEqual({
      losses: half,
      missedPongs: half,
      failedAttempts: half,
      errors: half,
      droppedMessages: half,
    });
    expect([troubles.recent(HALF_LIFE_MS), troubles.dropped(HALF_LIFE_MS)]).toEqual([
      { losses: 0.5, missedPongs: 0.5, failedAttempts: 0.5, errors: 0.5 },
      0.5,
    ]);
  });

  test.each<[ErrorCode, number]>([
    ['QUEUE_FULL', 1],
    ['DROPPED_FOR_ROOM', 1],
    ['EXPIRED', 1],
    ['MESSAGE_REJECTED', 1],
    ['OUTCOME_UNKNOWN', 1],
    ['SEND_FAILED', 1],
    ['SEND_ABORTED', 0],
    ['SEND_CANCELLED', 0],
    ['PURGED', 0],
    ['SUPERSEDED', 0],
    ['VOLATILE_DROPPED', 0],
    ['CONNECTION_ENDED', 0],
    ['NOT_ENCODABLE', 0],
  ])('of a message that ended with %s are %d: what the application itself disposed is none', (code, count) => {
    const troubles = new Troubles();
    troubles.undelivered(undelivered(code), 0);
    expect(troubles.dropped(0)).toBe(count);
  });
});
