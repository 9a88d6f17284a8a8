import { describe, expect, test } from 'vitest';

import { failure } from '../src/core/recovery.ts';
import type { ServiceOptions } from '../src/options.ts';
import { ProtocolViolation } from '../src/protocol/violation.ts';
import { settle, type ServiceSettings } from '../src/settings.ts';
import type { TransportEnd } from '../src/transport/transport.ts';
import { constructorFailure, failureOfViolation, Verdicts } from '../src/verdicts.ts';
import { microtasks } from './support/service.ts';

const END: TransportEnd = { code: 1006, reason: '', wasClean: false, initiator: 'network', detail: null };
const plain = { wasOpen: true, wire: 'plain' } as const;

function judging(options: Partial<ServiceOptions> = {}): { verdicts: Verdicts; reported: unknown[] } {
  const reported: unknown[] = [];
  const settings = settle({ services: { main: { url: 'wss://host/', ...options } } }).services.get('main');
  const verdicts = new Verdicts(
    () => settings as ServiceSettings,
    (cause) => reported.push(cause),
  );
  return { verdicts, reported };
}

describe('the end of a socket', () => {
  test('is a refused handshake, a loss, a close by the peer or our own', () => {
    const { verdicts } = judging();
    const ends: TransportEnd[] = [
      END,
      { ...END, initiator: 'peer', code: 1001 },
      { ...END, initiator: 'local', code: 1000 },
    ];
    expect(ends.map((end) => verdicts.failureOf(end, plain).code)).toEqual([
      'CONNECTION_LOST',
      'CLOSED_BY_PEER',
      'CLOSED_LOCALLY',
    ]);
    expect(verdicts.failureOf(END, { ...plain, wasOpen: false }).code).toBe('HANDSHAKE_FAILED');
  });

  test('has the words of peer and platform tamed: no control characters, and bounded', () => {
    const { closure, detail } = judging().verdicts.failureOf(
      { ...END, reason: `a\nb${'y'.repeat(500)}`, detail: `c\u0007d` },
      plain,
    );
    expect([closure?.reason.slice(0, 4), detail]).toEqual(['a by', 'c d']);
    expect(closure?.reason.length).toBeLessThanOrEqual(200);
  });

  test.each([
    ['plain', 4103, 'reconnect', 'service_unavailable'],
    ['holdfast.v1', 4103, 'reconnect', 'service_unavailable'],
    [null, 4300, 'reauthenticate', 'authentication_failed'],
    ['holdfast.v1', 4005, 'reauthenticate', 'authentication_failed'],
    ['plain', 4005, 'reconnect', 'service_unavailable'],
  ] as const)('on the wire %s with %i means %s, %s', (wire, code, strategy, category) => {
    const { verdicts } = judging();
    const end: TransportEnd = { ...END, code, initiator: 'peer' };
    expect(verdicts.failureOf(end, { wasOpen: true, wire })).toMatchObject({ strategy, category });
  });

  test('before it was open is judged by the HTTP status, and keeps away for as long as the answer asked', () => {
    const { verdicts } = judging();
    const end: TransportEnd = { ...END, status: 503, retryAfterMs: 30_000 };
    expect(verdicts.failureOf(end, { wasOpen: false, wire: 'plain' })).toMatchObject({
      code: 'HANDSHAKE_FAILED',
      category: 'service_unavailable',
      strategy: 'wait',
      retryAfterMs: 30_000,
      closure: { code: 1006, status: 503 },
    });
  });

  test('follows the rules of a profile after the service’s own (pain 26)', () => {
    const { verdicts } = judging({
      recovery: [{ codes: 4002, strategy: 'wait', category: 'rate_limited' }],
      profile: {
        codec: 'json',
        recovery: [
          { codes: 4001, strategy: 'reauthenticate', category: 'authentication_failed' },
          { codes: 4002, strategy: 'manual', category: 'permission_denied' },
        ],
      },
    });
    const strategyOf = (code: number): string =>
      verdicts.failureOf({ ...END, code, initiator: 'peer' }, plain).strategy;
    expect([strategyOf(4001), strategyOf(4002)]).toEqual(['reauthenticate', 'wait']);
  });

  test('follows the application’s own rules before all others (pain 26)', () => {
    const { verdicts } = judging({
      recovery: [{ codes: 4004, strategy: 'reconnect', category: 'timeout', retryAfterMs: 7 }],
    });
    for (const wire of ['plain', 'holdfast.v1'] as const) {
      const end: TransportEnd = { ...END, code: 4004, initiator: 'peer' };
      expect(verdicts.failureOf(end, { wasOpen: true, wire })).toMatchObject({
        strategy: 'reconnect',
        retryAfterMs: 7,
      });
    }
  });
});

describe('a decision', () => {
  const passing = failure('URL_FAILED');

  test('is the application’s, when it gives one (pain 26)', () => {
    const { verdicts } = judging({ decide: ({ code }) => (code === 'URL_FAILED' ? 'manual' : 'reconnect') });
    expect(verdicts.decide(passing).strategy).toBe('manual');
    expect(verdicts.decide(failure('INVALID_URL')).strategy).toBe('reconnect');
  });

  test('may say for how long to stay away, within bounds', () => {
    const asked = [30_000, Number.NaN, -1, 1e12].map((retryAfterMs) => {
      const { verdicts } = judging({ decide: () => ({ strategy: 'wait', retryAfterMs }) });
      return verdicts.decide(passing);
    });
    expect(asked.map(({ strategy, retryAfterMs }) => [strategy, retryAfterMs])).toEqual([
      ['wait', 30_000],
      ['wait', 0],
      ['wait', 0],
      ['wait', 3_600_000],
    ]);
  });

  test('stays as classified when the application gives nothing', () => {
    const { verdicts, reported } = judging({ decide: () => undefined });
    expect([verdicts.decide(passing), reported]).toEqual([passing, []]);
  });

  test.each<[string, unknown]>([
    ['a word that is no strategy', 'maybe'],
    ['a number', 7],
    ['null', null],
    ['an object without a strategy', { retryAfterMs: 1 }],
  ])('stays as classified when the application gives %s, and that is reported', (_what, given) => {
    const { verdicts, reported } = judging({ decide: () => given as never });
    expect(verdicts.decide(passing)).toEqual(passing);
    expect(reported).toEqual([expect.any(TypeError)]);
  });

  test.each<[string, () => never]>([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['gives a promise that rejects', (() => Promise.reject(new Error('mine'))) as unknown as () => never],
  ])('stays as classified when the application %s, and that is reported', async (_how, decide) => {
    const { verdicts, reported } = judging({ decide });
    expect(verdicts.decide(passing)).toEqual(passing);
    await microtasks();
    expect(reported).toContainEqual(new Error('mine'));
  });

  test('is decided on a copy', () => {
    const { verdicts } = judging({
      decide: (failed) => {
        failed.code = 'LINK_DEAD';
        return undefined;
      },
    });
    expect(verdicts.decide(passing)).toEqual(passing);
    expect(passing.code).toBe('URL_FAILED');
  });

  test('is asked for a step that failed, and not for one that did not', () => {
    const { verdicts } = judging({ decide: () => 'manual' });
    const settled: unknown[] = [];
    const wait = verdicts.decided((failed) => settled.push(failed && failed.strategy));
    wait(passing);
    wait(null);
    expect(settled).toEqual(['manual', null]);
  });
});

describe('a constructor that threw', () => {
  test.each([
    [new SyntaxError('wss://host/?token=s3cr3t'), 'INVALID_URL', 'manual'],
    [new TypeError('s3cr3t'), 'WEBSOCKET_FAILED', 'manual'],
    [new Error('s3cr3t'), 'WEBSOCKET_FAILED', 'reconnect'],
    ['s3cr3t', 'WEBSOCKET_FAILED', 'reconnect'],
    [null, 'WEBSOCKET_FAILED', 'reconnect'],
    [Object.assign(new Error('no'), { name: 's3cr3t in a name' }), 'WEBSOCKET_FAILED', 'reconnect'],
  ])('%o is %s: %s, and its words are not kept (pain 45) (pain 60)', (cause, code, strategy) => {
    const failed = constructorFailure(cause);
    expect(failed).toMatchObject({ code, strategy });
    expect(JSON.stringify(failed)).not.toContain('s3cr3t');
  });

  test('at which nobody can look is tried again', () => {
    const name = (): never => {
      throw new Error('s3cr3t');
    };
    const cause = Object.defineProperty(new Error('no'), 'name', { get: name });
    expect(constructorFailure(cause)).toMatchObject({ code: 'WEBSOCKET_FAILED', strategy: 'reconnect' });
  });
});

describe('a breach of the protocol', () => {
  test.each([
    [4001, 'manual'],
    [4006, 'manual'],
    [4201, 'reconnect'],
  ])('with %i is judged by its code: %s', (code, strategy) => {
    expect(failureOfViolation(new ProtocolViolation('broken', code))).toMatchObject({
      code: 'PROTOCOL_VIOLATION',
      strategy,
      detail: 'broken',
      closure: { code, initiator: 'local' },
    });
  });
});
