import { describe, expect, test } from 'vitest';

import { classified, failure, type Closure } from '../src/core/recovery.ts';
import { ConfigurationError, ConnectionError } from '../src/errors.ts';
import { errorOf } from '../src/failures.ts';

const CONTEXT = { connectionId: 'c', serviceType: 's', generation: 3, attempt: 2, retryable: true };
const CLOSURE: Closure = { code: 1013, reason: 'busy', wasClean: true, initiator: 'peer' };

describe('a recorded failure as an error', () => {
  test('of a closed socket carries code, reason, who started it, and where it happened (pain 49)', () => {
    const error = errorOf(classified({ code: 'CLOSED_BY_PEER', closure: CLOSURE }), CONTEXT);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({
      code: 'CLOSED_BY_PEER',
      category: 'rate_limited',
      retryable: true,
      closeCode: 1013,
      closeReason: 'busy',
      initiator: 'peer',
      connectionId: 'c',
      serviceType: 's',
      generation: 3,
      attempt: 2,
      strategy: 'wait',
      retryAfterMs: 5_000,
      message: 'The peer closed the connection: code 1013 (busy).',
    });
  });

  test('takes its category from the service’s own rules first', () => {
    const rules = [{ codes: 1013, strategy: 'manual', category: 'authentication_failed' }] as const;
    const error = errorOf(classified({ code: 'CLOSED_BY_PEER', closure: CLOSURE }, rules), {
      ...CONTEXT,
      retryable: false,
    });
    expect(error).toMatchObject({ category: 'authentication_failed', retryable: false });
  });

  test('says what the platform said', () => {
    const refused = classified(
      { code: 'HANDSHAKE_FAILED', closure: { ...CLOSURE, code: 1006, reason: '', initiator: 'network' } },
      [],
      { detail: 'connect ECONNREFUSED' },
    );
    expect(errorOf(refused, CONTEXT).message).toBe(
      'The socket closed before it was open: code 1006: connect ECONNREFUSED.',
    );
  });

  test('names the HTTP status that refused it, and not the 1006 that says no more', () => {
    const closure = { ...CLOSURE, code: 1006, reason: '', initiator: 'network', status: 401 } as const;
    const detail = 'the server answered with 401';
    const refused = classified({ code: 'HANDSHAKE_FAILED', closure }, [], { detail });
    expect(errorOf(refused, CONTEXT).message).toBe(
      'The socket closed before it was open: the server answered with 401.',
    );
  });

  test('of a refused handshake carries the HTTP status', () => {
    const closure = { ...CLOSURE, code: 1006, reason: '', initiator: 'network', status: 403 } as const;
    const error = errorOf(classified({ code: 'HANDSHAKE_FAILED', closure }), { ...CONTEXT, retryable: false });
    expect(error).toMatchObject({ httpStatus: 403, category: 'permission_denied', strategy: 'manual' });
  });

  test('of the configuration is a ConfigurationError', () => {
    const error = errorOf(failure('INVALID_URL', 'no URL was found'), { ...CONTEXT, retryable: false });
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ code: 'INVALID_URL', connectionId: 'c', serviceType: 's', retryable: false });
  });

  test('of a provider has what it threw as its cause; no other failure has', () => {
    const cause = new Error('thrown');
    expect(errorOf(failure('URL_FAILED'), { ...CONTEXT, cause }).cause).toBe(cause);
    expect(errorOf(failure('CREDENTIALS_FAILED'), { ...CONTEXT, cause }).cause).toBe(cause);
    expect(errorOf(failure('URL_TIMEOUT'), { ...CONTEXT, cause })).not.toHaveProperty('cause');
    expect(errorOf(failure('LINK_DEAD'), { ...CONTEXT, cause })).not.toHaveProperty('cause');
  });

  test.each([
    ['has failed of it is fatal', true, 'fatal'],
    ['goes on, or was closed by its application, is as bad as its code', false, 'warning'],
  ] as const)('of a connection that %s', (_what, isFatal, severity) => {
    const failed = classified({ code: 'CLOSED_BY_PEER', closure: CLOSURE });
    const error = errorOf(failed, { ...CONTEXT, retryable: false, isFatal });
    expect([error.severity, error.toJSON().severity]).toEqual([severity, severity]);
  });
});
