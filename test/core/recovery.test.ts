import { describe, expect, test } from 'vitest';

import {
  clampRetryAfter,
  classified,
  closureErrorCode,
  failure,
  MAX_RETRY_AFTER_MS,
  ownClosure,
  ruleFor,
  type Closure,
  type FailureFacts,
  type RecoveryRule,
} from '../../src/core/recovery.ts';
import type { CloseInitiator, ErrorCode } from '../../src/errors.ts';

function closure(code: number, initiator: CloseInitiator = 'peer', status?: number): Closure {
  return { code, reason: '', wasClean: initiator !== 'network', initiator, ...(status !== undefined && { status }) };
}

function closedWith(code: number, wire: 'plain' | 'holdfast.v1' | null = 'plain'): FailureFacts {
  return { code: 'CLOSED_BY_PEER', closure: closure(code), wire };
}

const refusedWith = (status: number): FailureFacts => ({
  code: 'HANDSHAKE_FAILED',
  closure: closure(1006, 'network', status),
  wire: null,
});

describe('rules of the application', () => {
  const patient: RecoveryRule = { codes: 4401, strategy: 'wait', category: 'authentication_failed', retryAfterMs: 100 };
  const strict: RecoveryRule = { codes: [1000, 1015], strategy: 'manual', category: 'lifecycle' };

  test('come before the default ones, for a code and for a band (pain 26) (pain 27)', () => {
    expect(ruleFor(closedWith(4401), [patient])).toBe(patient);
    expect([1000, 1006, 1015].map((code) => ruleFor(closedWith(code), [strict]))).toEqual([strict, strict, strict]);
  });

  test('leave everything alone that they do not cover (pain 26)', () => {
    for (const code of [4403, 999, 1016])
      expect(ruleFor(closedWith(code), [patient, strict])).toBe(ruleFor(closedWith(code)));
    expect(ruleFor({ code: 'LINK_DEAD' }, [patient, strict])).toBe(ruleFor({ code: 'LINK_DEAD' }));
  });

  test('are asked in their order', () => {
    const lenient: RecoveryRule = { codes: 1008, strategy: 'reconnect', category: 'permission_denied' };
    expect(ruleFor(closedWith(1008), [lenient, strict])).toBe(lenient);
    expect(ruleFor(closedWith(1008), [strict, lenient])).toBe(strict);
  });

  test('may cover failures by their code, by who closed, by the wire and by the status', () => {
    const rule = (conditions: Partial<RecoveryRule>): RecoveryRule[] => [
      { category: 'lifecycle', strategy: 'manual', ...conditions },
    ];
    const covers = (conditions: Partial<RecoveryRule>, facts: FailureFacts): boolean =>
      ruleFor(facts, rule(conditions)).category === 'lifecycle';
    expect(covers({ failure: 'LINK_DEAD' }, { code: 'LINK_DEAD' })).toBe(true);
    expect(covers({ failure: ['URL_FAILED', 'URL_TIMEOUT'] }, { code: 'URL_TIMEOUT' })).toBe(true);
    expect(covers({ failure: ['URL_FAILED', 'URL_TIMEOUT'] }, { code: 'LINK_DEAD' })).toBe(false);
    expect(covers({ initiator: 'network' }, closedWith(1000))).toBe(false);
    expect(covers({ initiator: 'peer', codes: 1000 }, closedWith(1000))).toBe(true);
    expect(covers({ wire: 'plain' }, closedWith(1000, null))).toBe(false);
    expect(covers({ wire: 'plain' }, closedWith(1000))).toBe(true);
    expect(covers({ status: [400, 499] }, refusedWith(404))).toBe(true);
    expect(covers({ status: 404 }, closedWith(1006))).toBe(false);
    expect(covers({}, { code: 'GREETING_FAILED' })).toBe(true);
  });
});

describe('a failure', () => {
  test.each<[ErrorCode, CloseInitiator, boolean]>([
    ['CLOSED_BY_PEER', 'peer', true],
    ['CONNECTION_LOST', 'network', true],
    ['CLOSED_LOCALLY', 'local', true],
    ['HANDSHAKE_FAILED', 'peer', false],
    ['HANDSHAKE_FAILED', 'network', false],
    ['HANDSHAKE_FAILED', 'local', false],
  ])('is %s when its socket is ended by: %s, was open: %s (original fault 33)', (code, initiator, wasOpen) => {
    expect(closureErrorCode(closure(1006, initiator), wasOpen)).toBe(code);
  });

  test('takes category, strategy and wait from the rule, and keeps the closure', () => {
    expect(classified(closedWith(1013), [], { detail: 'busy' })).toEqual({
      code: 'CLOSED_BY_PEER',
      category: 'rate_limited',
      strategy: 'wait',
      retryAfterMs: 5_000,
      detail: 'busy',
      closure: closure(1013),
    });
  });

  test.each([60_000, 2_000])('waits for the %i ms that the peer asked for, not for what the defaults assume', (ms) => {
    expect(classified(closedWith(1013), [], { retryAfterMs: ms }).retryAfterMs).toBe(ms);
  });

  test.each([0, -1, Number.NaN])('waits as the defaults assume where the peer said nothing, or %d', (ms) => {
    expect(classified(closedWith(1013), [], { retryAfterMs: ms }).retryAfterMs).toBe(5_000);
  });

  test('waits for the longer of what the peer and the application’s own rule ask for', () => {
    const own: RecoveryRule[] = [{ codes: 1013, category: 'rate_limited', strategy: 'wait', retryAfterMs: 10_000 }];
    const waits = [2_000, 60_000].map((ms) => classified(closedWith(1013), own, { retryAfterMs: ms }).retryAfterMs);
    expect(waits).toEqual([10_000, 60_000]);
  });

  test('without a closure carries its code, and what is known beside', () => {
    expect(failure('URL_TIMEOUT')).toEqual({
      code: 'URL_TIMEOUT',
      category: 'timeout',
      strategy: 'reconnect',
      retryAfterMs: 0,
      detail: null,
      closure: null,
    });
    expect(failure('INVALID_URL', 'not a URL').detail).toBe('not a URL');
  });

  test('of its own making is left to the application, is not clean, and says what the application said', () => {
    expect(ownClosure({ code: 4000, reason: 'shift over' })).toEqual({
      code: 'CLOSED_LOCALLY',
      category: 'lifecycle',
      strategy: 'manual',
      retryAfterMs: 0,
      detail: null,
      closure: { code: 4000, reason: 'shift over', wasClean: false, initiator: 'local' },
    });
  });
});

test.each<[unknown, number]>([
  [0, 0],
  [0.4, 1],
  [1_500, 1_500],
  [Number.NaN, 0],
  [-5, 0],
  [Infinity, MAX_RETRY_AFTER_MS],
  [31_536_000_000, MAX_RETRY_AFTER_MS],
  ['3', 0],
  [undefined, 0],
  [null, 0],
])('a wait of %o that somebody asks for is one of %i ms', (asked, ms) => {
  expect(clampRetryAfter(asked)).toBe(ms);
});
