import { describe, expect, test } from 'vitest';

import { ErrorHistory } from '../src/error-history.ts';
import { ConnectionError, HoldfastError, InboundError, MessageError, type ErrorCode } from '../src/errors.ts';

function history(limit = 100): { history: ErrorHistory; at: (ms: number) => void; keep: (limit: number) => void } {
  let now = 1_000;
  return {
    history: new ErrorHistory({ now: () => now, limit: () => limit }),
    at: (ms) => {
      now = ms;
    },
    keep: (newLimit) => {
      limit = newLimit;
    },
  };
}

const NOTHING = { total: 0, recoverable: 0, unrecoverable: 0, byCategory: {}, byCode: {}, byServiceType: {} };

describe('the statistics of errors', () => {
  test('are empty at first, and say since when', () => {
    expect(history().history.statistics).toEqual({ since: 1_000, ...NOTHING });
  });

  test('count by category, by code, by service, and by whether the library went on', () => {
    const { history: errors } = history();
    errors.record(new ConnectionError('CONNECTION_LOST', { serviceType: 'chat', retryable: true }));
    errors.record(new ConnectionError('CLOSED_BY_PEER', { serviceType: 'chat', category: 'network_error' }));
    errors.record(new MessageError('QUEUE_FULL', { serviceType: 'main' }));
    errors.record(new HoldfastError('INTERNAL_FAULT'));
    expect(errors.statistics).toEqual({
      since: 1_000,
      total: 4,
      recoverable: 1,
      unrecoverable: 3,
      byCategory: { network_error: 2, queue: 1, fault: 1 },
      byCode: { CONNECTION_LOST: 1, CLOSED_BY_PEER: 1, QUEUE_FULL: 1, INTERNAL_FAULT: 1 },
      byServiceType: { chat: 2, main: 1 },
    });
  });

  test.each<ErrorCode>([
    'CLOSED_LOCALLY',
    'SEND_CANCELLED',
    'SEND_ABORTED',
    'SUPERSEDED',
    'PURGED',
    'VOLATILE_DROPPED',
  ])('leave out what the application asked for: %s', (code) => {
    const { history: errors } = history();
    errors.record(new HoldfastError(code));
    expect([errors.statistics.total, errors.entries()]).toEqual([0, []]);
  });

  test('take the name of a service as it is', () => {
    const { history: errors } = history();
    errors.record(new HoldfastError('LINK_DEAD', { serviceType: '__proto__' }));
    expect(Object.entries(errors.statistics.byServiceType)).toEqual([['__proto__', 1]]);
  });

  test('begin anew when they are cleared', () => {
    const { history: errors, at } = history();
    errors.record(new HoldfastError('LINK_DEAD', { serviceType: 'chat', retryable: true }));
    at(2_000);
    errors.clear();
    expect([errors.statistics, errors.entries()]).toEqual([{ since: 2_000, ...NOTHING }, []]);
  });
});

describe('the history of errors', () => {
  test('has what happened and when, oldest first, as plain data', () => {
    const { history: errors, at } = history();
    errors.record(new ConnectionError('CONNECTION_LOST', { serviceType: 'chat', strategy: 'reconnect' }));
    at(3_000);
    errors.record(new InboundError('NOT_DECODABLE', 'a frame', { cause: new SyntaxError('a frame') }));
    expect(errors.entries()).toEqual([
      {
        at: 1_000,
        ...new ConnectionError('CONNECTION_LOST', { serviceType: 'chat', strategy: 'reconnect' }).toJSON(),
      },
      { at: 3_000, ...new HoldfastError('NOT_DECODABLE', { cause: new SyntaxError() }).toJSON(), name: 'InboundError' },
    ]);
    expect(JSON.stringify(errors.entries())).not.toContain('a frame');
  });

  test('keeps the last so many, and the statistics go on counting', () => {
    const { history: errors, at } = history(3);
    for (let time = 1; time <= 10; time++) {
      at(time);
      errors.record(new HoldfastError('LINK_DEAD'));
    }
    expect([errors.entries().map((entry) => entry.at), errors.statistics.total]).toEqual([[8, 9, 10], 10]);
  });

  test('keeps none with a limit of 0', () => {
    const { history: errors } = history(0);
    errors.record(new HoldfastError('LINK_DEAD'));
    expect([errors.entries(), errors.statistics.total]).toEqual([[], 1]);
  });

  test('holds to a limit that has changed', () => {
    const { history: errors, keep, at } = history();
    for (const time of [1, 2, 3]) {
      at(time);
      errors.record(new HoldfastError('LINK_DEAD'));
    }
    keep(1);
    expect(errors.entries().map((entry) => entry.at)).toEqual([3]);
  });

  test('can be asked by service, by category, and for the newest', () => {
    const { history: errors, at } = history();
    const codes: ErrorCode[] = ['LINK_DEAD', 'QUEUE_FULL', 'CONNECT_TIMEOUT', 'URL_TIMEOUT'];
    for (const [index, code] of codes.entries()) {
      at(index);
      errors.record(new HoldfastError(code, { serviceType: index === 2 ? 'main' : 'chat' }));
    }
    const times = (filter: Parameters<ErrorHistory['entries']>[0]): number[] =>
      errors.entries(filter).map((entry) => entry.at);
    expect(times({ serviceType: 'chat' })).toEqual([0, 1, 3]);
    expect(times({ category: 'timeout' })).toEqual([0, 2, 3]);
    expect(times({ category: 'timeout', serviceType: 'chat', limit: 1 })).toEqual([3]);
    expect(times({ limit: 0 })).toEqual([]);
    expect(times({ limit: 9 })).toEqual([0, 1, 2, 3]);
  });

  test('cannot be changed by whoever looks at it', () => {
    const { history: errors } = history();
    errors.record(new HoldfastError('LINK_DEAD'));
    const entries = errors.entries();
    expect(Object.isFrozen(entries[0])).toBe(true);
    entries.pop();
    expect(errors.entries()).toHaveLength(1);
  });
});
