import { describe, expect, test } from 'vitest';

import { closeRule, failure } from '../src/core/recovery.ts';
import type { ServiceOptions } from '../src/options.ts';
import { settle, type ServiceSettings } from '../src/settings.ts';
import type { TransportEnd } from '../src/transport/transport.ts';
import { constructorFailure, Verdicts } from '../src/verdicts.ts';
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
    ['plain', 4103, 'retry', 'connection_failed'],
    ['holdfast.v1', 4103, 'retry', 'service_unavailable'],
    [null, 4300, 'retry', 'authentication_failed'],
    ['holdfast.v1', 4005, 'stop', 'authentication_failed'],
    ['plain', 4005, 'stop', 'permission_denied'],
  ] as const)('on the wire %s with %i means %s, %s', (wire, code, verdict, category) => {
    const { verdicts } = judging();
    const end: TransportEnd = { ...END, code, initiator: 'peer' };
    expect(verdicts.failureOf(end, { wasOpen: true, wire }).verdict).toBe(verdict);
    expect(closeRule(code, verdicts.rules(wire)).category).toBe(category);
  });

  test('follows the application’s own rules before all others (pain 26)', () => {
    const { verdicts } = judging({
      closeRules: [{ codes: 4004, verdict: 'retry', category: 'timeout', floorMs: 7 }],
    });
    for (const wire of ['plain', 'holdfast.v1'] as const) {
      const end: TransportEnd = { ...END, code: 4004, initiator: 'peer' };
      expect(verdicts.failureOf(end, { wasOpen: true, wire })).toMatchObject({ verdict: 'retry', floorMs: 7 });
    }
  });
});

describe('a verdict', () => {
  const passing = failure('URL_FAILED', 'retry');

  test('is the application’s, when it gives one (pain 26)', () => {
    const { verdicts } = judging({ decide: ({ code }) => (code === 'URL_FAILED' ? 'stop' : 'retry') });
    expect(verdicts.decide(passing).verdict).toBe('stop');
    expect(verdicts.decide(failure('INVALID_URL', 'stop')).verdict).toBe('retry');
  });

  test.each<[string, () => never]>([
    ['nothing', (() => undefined) as () => never],
    ['what is none', (() => 'maybe') as () => never],
  ])('stays as classified when the application gives %s', (_what, decide) => {
    const { verdicts, reported } = judging({ decide });
    expect([verdicts.decide(passing), reported]).toEqual([passing, []]);
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
    expect(reported).toEqual([new Error('mine')]);
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
    const { verdicts } = judging({ decide: () => 'stop' });
    const settled: unknown[] = [];
    const wait = verdicts.decided((failed) => settled.push(failed && failed.verdict));
    wait(passing);
    wait(null);
    expect(settled).toEqual(['stop', null]);
  });
});

describe('a constructor that threw', () => {
  test.each([
    [new SyntaxError('wss://host/?token=s3cr3t'), 'INVALID_URL', 'stop'],
    [new TypeError('s3cr3t'), 'WEBSOCKET_FAILED', 'stop'],
    [new Error('s3cr3t'), 'WEBSOCKET_FAILED', 'retry'],
    ['s3cr3t', 'WEBSOCKET_FAILED', 'retry'],
    [null, 'WEBSOCKET_FAILED', 'retry'],
  ])('%o is %s: %s, and its words are not kept (pain 45) (pain 60)', (cause, code, verdict) => {
    const failed = constructorFailure(cause);
    expect(failed).toMatchObject({ code, verdict });
    expect(JSON.stringify(failed)).not.toContain('s3cr3t');
  });
});
