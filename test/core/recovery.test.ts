import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { DEFAULT_RULES } from '../../src/core/recovery-table.ts';
import {
  clampRetryAfter,
  classified,
  closureErrorCode,
  failure,
  MAX_RETRY_AFTER_MS,
  ownClosure,
  ruleFor,
  STRATEGIES,
  type Closure,
  type FailureFacts,
} from '../../src/core/recovery.ts';
import { CATEGORIES, ERRORS, type CloseInitiator, type ErrorCategory, type ErrorCode } from '../../src/errors.ts';
import type { RecoveryRule, RecoveryStrategy } from '../../src/protocol/recovery-rule.ts';

type Row = readonly [code: number, strategy: RecoveryStrategy, category: ErrorCategory, retryAfterMs: number];

const codes: Row[] = [
  [1000, 'reconnect', 'connection_failed', 0],
  [1001, 'reconnect', 'connection_failed', 0],
  [1002, 'manual', 'protocol_error', 0],
  [1003, 'manual', 'protocol_error', 0],
  [1005, 'reconnect', 'network_error', 0],
  [1006, 'reconnect', 'network_error', 0],
  [1007, 'manual', 'invalid_message', 0],
  [1008, 'manual', 'permission_denied', 0],
  [1009, 'manual', 'protocol_error', 0],
  [1010, 'manual', 'protocol_error', 0],
  [1011, 'reconnect', 'service_unavailable', 0],
  [1012, 'wait', 'service_unavailable', 1_000],
  [1013, 'wait', 'rate_limited', 5_000],
  [1014, 'reconnect', 'service_unavailable', 0],
  [1015, 'reconnect', 'connection_failed', 0],
  [4000, 'manual', 'permission_denied', 0],
  [4001, 'manual', 'permission_denied', 0],
  [4099, 'manual', 'permission_denied', 0],
  [4400, 'manual', 'protocol_error', 0],
  [4401, 'reauthenticate', 'authentication_failed', 0],
  [4403, 'manual', 'permission_denied', 0],
  [4404, 'manual', 'resource_not_found', 0],
  [4408, 'reconnect', 'timeout', 0],
  [4425, 'wait', 'rate_limited', 0],
  [4429, 'wait', 'rate_limited', 5_000],
  [4499, 'manual', 'protocol_error', 0],
  [4500, 'reconnect', 'service_unavailable', 0],
  [4503, 'reconnect', 'service_unavailable', 0],
  [4599, 'reconnect', 'service_unavailable', 0],
];

const wireCodes: Row[] = [
  [4000, 'manual', 'connection_failed', 0],
  [4001, 'manual', 'protocol_error', 0],
  [4002, 'renegotiate', 'protocol_error', 0],
  [4003, 'manual', 'permission_denied', 0],
  [4004, 'manual', 'connection_failed', 0],
  [4005, 'reauthenticate', 'authentication_failed', 0],
  [4006, 'manual', 'protocol_error', 0],
  [4007, 'manual', 'rate_limited', 0],
  [4100, 'reconnect', 'service_unavailable', 0],
  [4101, 'wait', 'rate_limited', 0],
  [4102, 'reconnect', 'service_unavailable', 0],
  [4103, 'reconnect', 'service_unavailable', 0],
  [4200, 'reconnect', 'service_unavailable', 0],
  [4201, 'reconnect', 'protocol_error', 0],
  [4202, 'reconnect', 'timeout', 0],
  [4203, 'reconnect', 'service_unavailable', 0],
  [4204, 'reconnect', 'timeout', 0],
  [4300, 'reauthenticate', 'authentication_failed', 0],
  [4301, 'new_session', 'resource_not_found', 0],
];

const statuses: Row[] = [
  [301, 'manual', 'protocol_error', 0],
  [400, 'renegotiate', 'protocol_error', 0],
  [401, 'reauthenticate', 'authentication_failed', 0],
  [403, 'manual', 'permission_denied', 0],
  [404, 'manual', 'resource_not_found', 0],
  [408, 'reconnect', 'timeout', 0],
  [410, 'manual', 'resource_not_found', 0],
  [418, 'manual', 'protocol_error', 0],
  [425, 'wait', 'rate_limited', 0],
  [426, 'renegotiate', 'protocol_error', 0],
  [429, 'wait', 'rate_limited', 5_000],
  [500, 'reconnect', 'service_unavailable', 0],
  [502, 'reconnect', 'service_unavailable', 0],
  [503, 'wait', 'service_unavailable', 1_000],
];

const steps: [code: ErrorCode, strategy: RecoveryStrategy, category: ErrorCategory][] = [
  ['CREDENTIALS_FAILED', 'reconnect', 'authentication_failed'],
  ['CREDENTIALS_TIMEOUT', 'reconnect', 'timeout'],
  ['URL_FAILED', 'reconnect', 'connection_failed'],
  ['URL_TIMEOUT', 'reconnect', 'timeout'],
  ['INVALID_URL', 'manual', 'configuration'],
  ['INVALID_PROTOCOLS', 'manual', 'configuration'],
  ['NO_WEBSOCKET', 'manual', 'configuration'],
  ['WEBSOCKET_FAILED', 'reconnect', 'connection_failed'],
  ['CONNECT_TIMEOUT', 'reconnect', 'timeout'],
  ['WELCOME_TIMEOUT', 'reconnect', 'timeout'],
  ['WIRE_UNAVAILABLE', 'reconnect', 'protocol_error'],
  ['PROTOCOL_VIOLATION', 'manual', 'protocol_error'],
  ['GREETING_TIMEOUT', 'reconnect', 'timeout'],
  ['GREETING_FAILED', 'reconnect', 'protocol_error'],
  ['LINK_DEAD', 'reconnect', 'timeout'],
  ['CONNECTION_LOST', 'reconnect', 'network_error'],
  ['CHANNEL_REFUSED', 'manual', 'permission_denied'],
  ['CLOSED_LOCALLY', 'manual', 'lifecycle'],
  ['PAGE_FROZEN', 'reconnect', 'lifecycle'],
];

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

function said(facts: FailureFacts): unknown[] {
  const { strategy, category, retryAfterMs = 0 } = ruleFor(facts);
  return [strategy, category, retryAfterMs];
}

describe('the policy table', () => {
  test.each(codes)('says of a close with %i: %s, as %s, after at least %i ms', (code, ...expected) => {
    expect(said(closedWith(code))).toEqual(expected);
  });

  test.each(wireCodes)(
    'says of a close with %i on holdfast.v1: %s, as %s, after at least %i ms',
    (code, ...expected) => {
      expect(said(closedWith(code, 'holdfast.v1'))).toEqual(expected);
      // it may be holdfast.v1 as long as nobody knows
      expect(said(closedWith(code, null))).toEqual(expected);
    },
  );

  test.each(statuses)(
    'says of a handshake that is answered with %i: %s, as %s, after at least %i ms',
    (status, ...expected) => {
      expect(said(refusedWith(status))).toEqual(expected);
    },
  );

  test.each(steps)('says of %s without a close code: %s, as %s', (code, strategy, category) => {
    expect(said({ code })).toEqual([strategy, category, 0]);
  });

  test.each([1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014])(
    'has %i tried again, so that a restart of the server strands nobody (original fault 21) (pain 29)',
    (code) => {
      expect(['reconnect', 'wait']).toContain(ruleFor(closedWith(code)).strategy);
    },
  );

  test.each([1002, 1003, 1007, 1008, 1009, 1010, 4001, 4403])(
    'leaves %i to the application (original fault 20)',
    (code) => {
      expect(ruleFor(closedWith(code)).strategy).toBe('manual');
    },
  );

  test.each([999, 1004, 1016, 2999, 3000, 3999, 4100, 4399, 4600, 4999, 0, 65_535])(
    'has %i tried again, which no line lists',
    (code) => {
      expect(ruleFor(closedWith(code))).toEqual({ category: 'connection_failed', strategy: 'reconnect' });
    },
  );

  test('has a server that refuses or is down tried again, and one that cannot be reached (pain 28)', () => {
    const unreachable = { code: 'HANDSHAKE_FAILED', closure: closure(1006, 'network'), wire: 'plain' } as const;
    expect(said(unreachable)).toEqual(['reconnect', 'connection_failed', 0]);
    expect([500, 502, 503, 504].map((status) => ruleFor(refusedWith(status)).category)).toEqual(
      Array(4).fill('service_unavailable'),
    );
  });

  test('knows strategies only: no platform is reloaded, and nobody is asked (original fault 36)', () => {
    for (const { strategy } of DEFAULT_RULES) expect(STRATEGIES).toContain(strategy);
  });

  test('tells closures apart by their category (original fault 33)', () => {
    const categories = new Set(codes.map(([code]) => ruleFor(closedWith(code)).category));
    expect([...categories].sort()).toEqual(CATEGORIES.slice(0, 10).sort());
  });

  test('has an answer for everything', () => {
    const facts = fc.record({
      code: fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[])),
      closure: fc.option(fc.integer().map((code) => closure(code))),
      wire: fc.constantFrom('plain' as const, 'holdfast.v1' as const, null),
    });
    fc.assert(
      fc.property(facts, (given) => {
        expect(STRATEGIES).toContain(ruleFor(given).strategy);
      }),
    );
  });

  test('is reached in every line: none stands behind one that covers it', () => {
    const initiators = ['peer', 'network', 'local'] as const;
    const reached = new Set<RecoveryRule>();
    for (const code of ['CLOSED_BY_PEER', 'HANDSHAKE_FAILED', 'CONNECTION_LOST'] as const)
      for (const wire of ['plain', 'holdfast.v1'] as const)
        for (const initiator of initiators)
          for (let number = 1_000; number < 5_000; number++)
            reached.add(ruleFor({ code, wire, closure: closure(number, initiator) }));
    for (let status = 300; status < 600; status++) reached.add(ruleFor(refusedWith(status)));
    for (const code of Object.keys(ERRORS) as ErrorCode[]) reached.add(ruleFor({ code }));
    expect(DEFAULT_RULES.filter((rule) => !reached.has(rule))).toEqual([]);
  });
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

  test('waits for as long as was asked for, when that is longer than the rule says', () => {
    expect(classified(closedWith(1013), [], { retryAfterMs: 60_000 }).retryAfterMs).toBe(60_000);
    expect(classified(closedWith(1013), [], { retryAfterMs: 1 }).retryAfterMs).toBe(5_000);
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
