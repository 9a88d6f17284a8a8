import { describe, expect, test } from 'vitest';

import { failure } from '../src/core/recovery.ts';
import type { ServiceSettings } from '../src/settings.ts';
import { constructorFailure, Verdicts } from '../src/verdicts.ts';

function verdicts(settings: Partial<ServiceSettings> = {}): { own: Verdicts; bugs: unknown[] } {
  const bugs: unknown[] = [];
  const own = new Verdicts(
    () => ({ closeRules: [], decide: undefined, ...settings }) as unknown as ServiceSettings,
    (bug) => bugs.push(bug),
  );
  return { own, bugs };
}

const END = {
  code: 4004,
  reason: 'a\nb',
  wasClean: true,
  initiator: 'peer',
  detail: 'at wss://host/?t=secret',
} as const;

describe('what a failure leads to', () => {
  test('is said by the close code, and nothing of a peer or the platform is kept as it came (pain 60)', () => {
    const failed = verdicts().own.failureOf(END, { wasOpen: true, wire: 'plain' });
    expect(failed).toMatchObject({ code: 'CLOSED_BY_PEER', verdict: 'stop', closure: { reason: 'a b' } });
    expect(JSON.stringify(failed)).not.toContain('secret');
    expect(verdicts().own.failureOf({ ...END, detail: null }, { wasOpen: true, wire: null }).detail).toBeNull();
  });

  test.each([
    ['plain', 4103, 'retry', 'connection_failed'],
    ['holdfast.v1', 4103, 'retry', 'service_unavailable'],
    ['holdfast.v1', 4005, 'stop', 'authentication_failed'],
    [null, 4005, 'stop', 'authentication_failed'],
  ] as const)('on %s is, for %i, %s: %s', (wire, code, verdict, category) => {
    const { own } = verdicts();
    expect(own.failureOf({ ...END, code }, { wasOpen: true, wire }).verdict).toBe(verdict);
    const rule = own
      .rules(wire)
      .find(({ codes }) => (typeof codes === 'number' ? codes === code : codes[0] <= code && code <= codes[1]));
    expect(rule?.category ?? 'connection_failed').toBe(category);
  });

  test('is the application’s to say: its rules come first, and its `decide` last', () => {
    const { own } = verdicts({
      closeRules: [{ codes: 4004, verdict: 'retry', category: 'network_error' }],
      decide: ({ code }) => (code === 'HANDSHAKE_FAILED' ? 'stop' : undefined),
    });
    expect(own.failureOf(END, { wasOpen: true, wire: 'holdfast.v1' }).verdict).toBe('retry');
    expect(own.decide(failure('HANDSHAKE_FAILED', 'retry')).verdict).toBe('stop');
    expect(own.decide(failure('CONNECTION_LOST', 'retry')).verdict).toBe('retry');
  });

  test.each([
    [
      'throws',
      (): never => {
        throw new Error('no');
      },
      1,
    ],
    ['answers with something else', () => 'perhaps' as never, 0],
  ])('stands when `decide` %s', (_what, decide, bugs) => {
    const { own, bugs: heard } = verdicts({ decide });
    expect(own.decide(failure('CONNECTION_LOST', 'retry')).verdict).toBe('retry');
    expect(heard).toHaveLength(bugs);
  });

  test('is decided for whoever waits for a step, and nothing is for one that did not fail', () => {
    const { own } = verdicts({ decide: () => 'stop' });
    const told: unknown[] = [];
    own.decided((failed) => told.push(failed?.verdict ?? null))(failure('URL_FAILED', 'retry'));
    own.decided((failed) => told.push(failed))(null);
    expect(told).toEqual(['stop', null]);
  });
});

describe('a constructor that throws', () => {
  test.each([
    [new SyntaxError('bad wss://host/?t=secret'), 'INVALID_URL', 'stop', 'SyntaxError'],
    [new TypeError('no constructor'), 'WEBSOCKET_FAILED', 'stop', 'TypeError'],
    [new Error('busy'), 'WEBSOCKET_FAILED', 'retry', 'Error'],
    ['a text', 'WEBSOCKET_FAILED', 'retry', null],
    [null, 'WEBSOCKET_FAILED', 'retry', null],
  ] as const)('%s is %s, and %s', (cause, code, verdict, detail) => {
    expect(constructorFailure(cause)).toMatchObject({ code, verdict, detail });
  });
});
