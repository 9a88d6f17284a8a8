import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  CLOSE_RULES,
  closeRule,
  failure,
  failureOfClosure,
  ownClosure,
  type CloseRule,
  type Closure,
  type Verdict,
} from '../../src/core/recovery.ts';
import { ERRORS, type CloseInitiator, type ErrorCategory, type ErrorCode } from '../../src/errors.ts';

type Row = readonly [code: number, verdict: Verdict, category: ErrorCategory, floorMs: number];

const table: Row[] = [
  [1000, 'retry', 'connection_failed', 0],
  [1001, 'retry', 'connection_failed', 0],
  [1002, 'stop', 'protocol_error', 0],
  [1003, 'stop', 'protocol_error', 0],
  [1005, 'retry', 'network_error', 0],
  [1006, 'retry', 'network_error', 0],
  [1007, 'stop', 'invalid_message', 0],
  [1008, 'stop', 'permission_denied', 0],
  [1009, 'stop', 'protocol_error', 0],
  [1010, 'stop', 'protocol_error', 0],
  [1011, 'retry', 'service_unavailable', 0],
  [1012, 'retry', 'service_unavailable', 1_000],
  [1013, 'retry', 'rate_limited', 5_000],
  [1014, 'retry', 'service_unavailable', 0],
  [1015, 'retry', 'connection_failed', 0],
  [4000, 'stop', 'permission_denied', 0],
  [4001, 'stop', 'permission_denied', 0],
  [4099, 'stop', 'permission_denied', 0],
  [4400, 'stop', 'protocol_error', 0],
  [4401, 'stop', 'authentication_failed', 0],
  [4403, 'stop', 'permission_denied', 0],
  [4404, 'stop', 'resource_not_found', 0],
  [4408, 'retry', 'timeout', 0],
  [4425, 'retry', 'rate_limited', 0],
  [4429, 'retry', 'rate_limited', 5_000],
  [4499, 'stop', 'protocol_error', 0],
  [4500, 'retry', 'service_unavailable', 0],
  [4503, 'retry', 'service_unavailable', 0],
  [4599, 'retry', 'service_unavailable', 0],
];

function closure(code: number, initiator: CloseInitiator = 'peer'): Closure {
  return { code, reason: '', wasClean: initiator !== 'network', initiator };
}

describe('the rule for a close code', () => {
  test.each(table)('says of %i: %s, as %s, after at least %i ms', (code, ...said) => {
    const { verdict, category, floorMs = 0 } = closeRule(code);
    expect([verdict, category, floorMs]).toEqual(said);
  });

  test.each([1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014])(
    'retries %i, so that a restart of the server strands nobody (original fault 21) (pain 29)',
    (code) => {
      expect(closeRule(code).verdict).toBe('retry');
    },
  );

  test.each([1002, 1003, 1007, 1008, 1009, 1010, 4001, 4401, 4403])('stops at %i (original fault 20)', (code) => {
    expect(closeRule(code).verdict).toBe('stop');
  });

  test.each([999, 1004, 1016, 2999, 3000, 3999, 4100, 4399, 4600, 4999, 0, 65_535])(
    'retries %i, which no line lists',
    (code) => {
      expect(closeRule(code)).toMatchObject({ verdict: 'retry', category: 'connection_failed' });
    },
  );

  test('has only two verdicts: no platform is reloaded, and nobody is asked (original fault 36)', () => {
    expect(new Set(CLOSE_RULES.map(({ verdict }) => verdict))).toEqual(new Set(['retry', 'stop']));
  });

  test('tells closures apart by their category (original fault 33)', () => {
    const categories = new Set(table.map(([code]) => closeRule(code).category));
    expect([...categories].sort()).toEqual([
      'authentication_failed',
      'connection_failed',
      'invalid_message',
      'network_error',
      'permission_denied',
      'protocol_error',
      'rate_limited',
      'resource_not_found',
      'service_unavailable',
      'timeout',
    ]);
  });

  test('exists for every number', () => {
    fc.assert(
      fc.property(fc.integer(), (code) => {
        expect(['retry', 'stop']).toContain(closeRule(code).verdict);
      }),
    );
  });

  test('is reached in every line: none stands behind one that covers it', () => {
    const first = ({ codes }: CloseRule): number => (typeof codes === 'number' ? codes : codes[0]);
    const last = ({ codes }: CloseRule): number => (typeof codes === 'number' ? codes : codes[1]);
    const dead = CLOSE_RULES.filter((rule) => {
      const covered = Array.from({ length: last(rule) - first(rule) + 1 }, (_, index) => first(rule) + index);
      return !covered.some((code) => closeRule(code) === rule);
    });
    expect(dead).toEqual([]);
  });
});

describe('rules of the application', () => {
  const reauthenticate: CloseRule = { codes: 4401, verdict: 'retry', category: 'authentication_failed', floorMs: 100 };
  const strict: CloseRule = { codes: [1000, 1015], verdict: 'stop', category: 'lifecycle' };

  test('come before the default ones, for a code and for a band (pain 26)', () => {
    expect(closeRule(4401, [reauthenticate])).toBe(reauthenticate);
    expect([1000, 1006, 1015].map((code) => closeRule(code, [strict]))).toEqual([strict, strict, strict]);
  });

  test('leave every code alone that they do not cover (pain 26)', () => {
    expect(closeRule(4403, [reauthenticate, strict])).toBe(closeRule(4403));
    expect(closeRule(999, [strict])).toBe(closeRule(999));
    expect(closeRule(1016, [strict])).toBe(closeRule(1016));
  });

  test('are asked in their order', () => {
    const lenient: CloseRule = { codes: 1008, verdict: 'retry', category: 'permission_denied' };
    expect(closeRule(1008, [lenient, strict])).toBe(lenient);
    expect(closeRule(1008, [strict, lenient])).toBe(strict);
  });
});

describe('the failure that a closure amounts to', () => {
  test.each<[ErrorCode, CloseInitiator, boolean]>([
    ['CLOSED_BY_PEER', 'peer', true],
    ['CONNECTION_LOST', 'network', true],
    ['CLOSED_LOCALLY', 'local', true],
    ['HANDSHAKE_FAILED', 'peer', false],
    ['HANDSHAKE_FAILED', 'network', false],
    ['HANDSHAKE_FAILED', 'local', false],
  ])('is %s when it is ended by: %s, was open: %s (original fault 33)', (code, initiator, wasOpen) => {
    expect(failureOfClosure(closure(1006, initiator), { wasOpen }).code).toBe(code);
  });

  test('is retried when the server refuses the connection (pain 28)', () => {
    expect(failureOfClosure(closure(1006, 'network'), { wasOpen: false }).verdict).toBe('retry');
  });

  test('takes verdict and floor from the rule, and keeps the closure', () => {
    expect(failureOfClosure(closure(1013), { wasOpen: true, detail: 'busy' })).toEqual({
      code: 'CLOSED_BY_PEER',
      verdict: 'retry',
      floorMs: 5_000,
      detail: 'busy',
      closure: closure(1013),
    });
  });

  test('has no floor and no detail unless there is one', () => {
    expect(failureOfClosure(closure(1000), { wasOpen: true })).toMatchObject({ floorMs: 0, detail: null });
  });

  test('follows the rules of the application (pain 26)', () => {
    const rules: CloseRule[] = [{ codes: 1000, verdict: 'stop', category: 'lifecycle', floorMs: 7 }];
    expect(failureOfClosure(closure(1000), { wasOpen: true, rules })).toMatchObject({ verdict: 'stop', floorMs: 7 });
  });
});

describe('a failure without a closure', () => {
  test('carries its code, its verdict and what is known beside', () => {
    expect(failure('URL_TIMEOUT', 'retry')).toEqual({
      code: 'URL_TIMEOUT',
      verdict: 'retry',
      floorMs: 0,
      detail: null,
      closure: null,
    });
    expect(failure('INVALID_URL', 'stop', 'not a URL').detail).toBe('not a URL');
  });

  test('has a row in the table of errors', () => {
    expect(ERRORS).toHaveProperty(failure('LINK_DEAD', 'retry').code);
  });
});

describe('a closure of its own', () => {
  test('stops, is not clean, and says what the application said', () => {
    expect(ownClosure({ code: 4000, reason: 'shift over' })).toEqual({
      code: 'CLOSED_LOCALLY',
      verdict: 'stop',
      floorMs: 0,
      detail: null,
      closure: { code: 4000, reason: 'shift over', wasClean: false, initiator: 'local' },
    });
  });
});
