import { describe, expect, test } from 'vitest';

import { failure, ownClosure, type Failure } from '../src/core/recovery.ts';
import { HoldfastError } from '../src/errors.ts';
import { LastFailure } from '../src/last-failure.ts';

function noting(): { last: LastFailure; note: (failed: Failure | null) => void; made: HoldfastError[] } {
  const last = new LastFailure();
  const made: HoldfastError[] = [];
  const note = (failed: Failure | null): void => {
    last.note({ failure: failed }, ({ code }) => {
      const error = new HoldfastError(code);
      made.push(error);
      return error;
    });
  };
  return { last, note, made };
}

describe('the last failure of a connection', () => {
  test('is none before anything went wrong', () => {
    const { last, note, made } = noting();
    note(null);
    expect([last.failure, last.error, made]).toEqual([null, null, []]);
  });

  test('is one error, however often the chart is looked at', () => {
    const { last, note, made } = noting();
    const failed = failure('CONNECTION_LOST');
    for (let turn = 0; turn < 3; turn++) note(failed);
    expect([last.failure, last.error, made.length]).toEqual([failed, made[0], 1]);
  });

  test('is another error for the same thing when it happens again', () => {
    const { last, note, made } = noting();
    note(failure('CONNECTION_LOST'));
    note(failure('CONNECTION_LOST'));
    expect([made.length, last.error === made[1], made[0] === made[1]]).toEqual([2, true, false]);
  });

  test('stays known when all is well again, and when the application closes, which is nothing that went wrong', () => {
    const { last, note, made } = noting();
    note(failure('CONNECTION_LOST'));
    note(null);
    expect([last.failure, last.error?.code]).toEqual([null, 'CONNECTION_LOST']);
    note(ownClosure({ code: 1000, reason: '' }));
    expect([last.failure?.code, last.error?.code, made.length]).toEqual(['CLOSED_LOCALLY', 'CONNECTION_LOST', 1]);
  });
});
