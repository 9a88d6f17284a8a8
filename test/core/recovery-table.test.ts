import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { DEFAULT_RULES } from '../../src/core/recovery-table.ts';
import {
  ruleFor,
  STRATEGIES,
  type Closure,
  type FailureFacts,
  type RecoveryRule,
  type RecoveryStrategy,
} from '../../src/core/recovery.ts';
import { CATEGORIES, ERRORS, type CloseInitiator, type ErrorCategory, type ErrorCode } from '../../src/errors.ts';

type Row = readonly [code: number, strategy: RecoveryStrategy, category: ErrorCategory, retryAfterMs: number];

const codes: Row[] = [
  [1000, 'reconnect', 'service_unavailable', 0],
  [1001, 'reconnect', 'service_unavailable', 0],
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
  [3000, 'reauthenticate', 'authentication_failed', 0],
  [3003, 'manual', 'permission_denied', 0],
  [3008, 'reconnect', 'timeout', 0],
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
  [4000, 'manual', 'service_unavailable', 0],
  [4001, 'manual', 'protocol_error', 0],
  [4002, 'renegotiate', 'protocol_error', 0],
  [4003, 'manual', 'permission_denied', 0],
  [4004, 'manual', 'service_unavailable', 0],
  [4005, 'reauthenticate', 'authentication_failed', 0],
  [4006, 'manual', 'protocol_error', 0],
  [4007, 'manual', 'rate_limited', 0],
  [4008, 'manual', 'service_unavailable', 0],
  [4099, 'manual', 'service_unavailable', 0],
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

  test.each([1002, 1003, 1007, 1008, 1009, 1010, 3003, 4403])(
    'leaves %i to the application (original fault 20)',
    (code) => {
      expect(ruleFor(closedWith(code)).strategy).toBe('manual');
    },
  );

  test.each([999, 1004, 1016, 2999, 3001, 3999, 4000, 4001, 4099, 4100, 4399, 4600, 4999, 0, 65_535])(
    'has %i tried again, which no line lists',
    (code) => {
      expect(said(closedWith(code))).toEqual(['reconnect', 'service_unavailable', 0]);
    },
  );

  test.each([1000, 1001, 2999, 4000, 4999])(
    'has a connection that was never made tried again, whatever it ended with: %i',
    (code) => {
      const refused = { code: 'HANDSHAKE_FAILED', closure: closure(code), wire: 'plain' } as const;
      expect(said(refused)).toEqual(['reconnect', 'connection_failed', 0]);
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
