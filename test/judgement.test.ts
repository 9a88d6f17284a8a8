import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { OutboxLoad } from '../src/fates.ts';
import {
  burstOf,
  clockOf,
  configurationOf,
  handshakeOf,
  queueOf,
  reachabilityOf,
  roundTripsOf,
  subprotocolOf,
  type Seen,
} from '../src/judgement.ts';
import type { ServiceOptions } from '../src/options.ts';
import { settle, type ServiceSettings } from '../src/settings.ts';
import type { Arrival } from '../src/visit.ts';
import { hostileNumber, impossible } from './support/hostile.ts';

const settingsOf = (options: Partial<ServiceOptions> = {}): ServiceSettings =>
  settle({ services: { chat: { url: 'wss://host/', ...options } } }).services.get('chat') as ServiceSettings;

describe('the options', () => {
  const judged = (options: Partial<ServiceOptions>, WebSocket: unknown = () => undefined): Seen =>
    configurationOf({ settings: settingsOf(options), WebSocket });

  test('are complete as they are by default', () => {
    expect(judged({})).toEqual({ verdict: 'passed', detail: 'The options are complete.' });
  });

  test('are of no use where there is no WebSocket', () => {
    expect(judged({}, null)).toMatchObject({
      verdict: 'failed',
      detail: expect.stringMatching(/no WebSocket/) as string,
    });
  });

  test.each([
    ['ws://example.org/', /not encrypted/],
    ['http://example.org/', /not encrypted/],
    ['ws://10.0.0.1/', /not encrypted/],
    ['ws://127.example.org/', /not encrypted/],
    ['ws://localhost.example.org/', /not encrypted/],
  ])('are doubtful with the URL %s', (url, doubt) => {
    expect(judged({ url })).toMatchObject({ verdict: 'warning', detail: expect.stringMatching(doubt) as string });
  });

  test.each([
    'wss://example.org/',
    'https://example.org/',
    'ws://localhost:8080/',
    'ws://a.localhost/',
    'ws://127.0.0.1/',
    'ws://[::1]:9/',
  ])('are in order with the URL %s', (url) => {
    expect(judged({ url }).verdict).toBe('passed');
  });

  test('are in order with a URL provider: what it gives is not known', () => {
    expect(judged({ url: () => 'ws://example.org/' }).verdict).toBe('passed');
  });

  test('name every doubt', () => {
    const { verdict, detail } = judged({ url: 'ws://example.org/', heartbeat: false, retry: { maxRetries: 0 } });
    expect([verdict, detail.match(/not encrypted|no heartbeat|Nothing is retried/g)]).toEqual([
      'warning',
      ['not encrypted', 'no heartbeat', 'Nothing is retried'],
    ]);
  });
});

describe('a handshake', () => {
  const judged = (arrival: Partial<Arrival>): Seen =>
    handshakeOf({ isOpen: false, durationMs: 12.4, protocol: '', end: null, ...arrival }, 10_000);
  const end = { code: 1006, reason: '', wasClean: false, initiator: 'network', detail: null } as const;

  test('that opened a socket has passed', () => {
    expect(judged({ isOpen: true })).toMatchObject({ verdict: 'passed', facts: { durationMs: 12 } });
  });

  test('that nobody answered has failed, after so long', () => {
    expect(judged({})).toMatchObject({ verdict: 'failed', detail: 'No answer came within 10000 ms.' });
  });

  test('that was refused says with which status', () => {
    expect(judged({ end: { ...end, status: 503, detail: 'the server answered with 503' } })).toMatchObject({
      verdict: 'failed',
      detail: 'The socket did not open: the server answered with 503.',
      facts: { code: 1006, status: 503 },
    });
  });

  test.each([
    ['connect ECONNREFUSED 127.0.0.1:9', 'nothing listens there (ECONNREFUSED)', 'ECONNREFUSED'],
    ['getaddrinfo ENOTFOUND nowhere.example', 'the name of the host is not known (ENOTFOUND)', 'ENOTFOUND'],
    ['getaddrinfo EAI_AGAIN nowhere.example', 'the name of the host could not be looked up (EAI_AGAIN)', 'EAI_AGAIN'],
    ['connect ETIMEDOUT 10.0.0.1:443', 'the host does not answer (ETIMEDOUT)', 'ETIMEDOUT'],
    ['connect EHOSTUNREACH 10.0.0.1:443', 'there is no way to the host (EHOSTUNREACH)', 'EHOSTUNREACH'],
    ['connect ENETUNREACH 10.0.0.1:443', 'there is no way to the host (ENETUNREACH)', 'ENETUNREACH'],
    ['read ECONNRESET', 'the connection was cut (ECONNRESET)', 'ECONNRESET'],
    ['self-signed certificate', 'the certificate of the host is not accepted', null],
    ['Server sent no subprotocol', 'the server takes none of the subprotocols that are offered', null],
    [null, 'it closed with 1006', null],
  ])('that ended with %j says: %s', (detail, why, reason) => {
    const seen = judged({ end: { ...end, detail } });
    expect(seen).toMatchObject({ verdict: 'failed', facts: { code: 1006, status: null, reason } });
    expect(seen.detail).toBe(`The socket did not open: ${why}.`);
  });

  test.each([
    'Expected HTTP 101 response but was "401 c4n4ry"',
    'Hostname/IP does not match certificate altnames: DNS:c4n4ry',
    'connect EC4N4RY c4n4ry:80',
    'wss://user:c4n4ry@host/?token=c4n4ry failed',
  ])('repeats nothing of what a platform or a peer wrote: %s', (detail) => {
    expect(JSON.stringify(judged({ end: { ...end, detail, reason: 'c4n4ry' } }))).not.toMatch(/c4n4ry/i);
  });
});

describe('whether a host can be reached', () => {
  test('is seen by its answer', () => {
    expect([reachabilityOf(true).verdict, reachabilityOf(false).verdict]).toEqual(['passed', 'failed']);
  });
});

describe('the subprotocol', () => {
  const judged = (seen: Partial<Parameters<typeof subprotocolOf>[0]>): Seen =>
    subprotocolOf({ choice: 'plain', protocol: '', offered: [], isGreeted: false, ...seen });

  test.each([
    ['', [], 'passed', 'The server chose no subprotocol.'],
    ['mqtt', ['mqtt'], 'passed', 'The server chose mqtt.'],
    [undefined, [], 'skipped', 'The platform does not say which subprotocol the server chose.'],
  ] as const)('of a plain service is %j of %j: %s', (protocol, offered, verdict, detail) => {
    expect(judged({ protocol, offered })).toMatchObject({ verdict, detail });
  });

  test.each([
    ['that a provider gave', undefined],
    ['that was not offered', ['mqtt']],
  ])('%s is not named: it may be a token', (_what, offered) => {
    const seen = judged({ protocol: 'c4n4ry', offered });
    expect(seen).toMatchObject({ verdict: 'passed', detail: 'The server chose a subprotocol.' });
    expect(JSON.stringify(seen)).not.toContain('c4n4ry');
  });

  test.each([
    ['required', true, 'holdfast.v1', 'passed', 'The server speaks holdfast.v1.'],
    ['prefer', true, 'holdfast.v1', 'passed', 'The server speaks holdfast.v1.'],
    ['required', false, 'holdfast.v1', 'failed', 'The server chose holdfast.v1, and does not greet.'],
    ['prefer', false, 'holdfast.v1', 'warning', 'The server chose holdfast.v1, and does not greet.'],
    ['required', false, '', 'failed', 'The server does not speak holdfast.v1.'],
    ['prefer', false, '', 'warning', 'The server does not speak holdfast.v1.'],
    ['prefer', false, undefined, 'warning', 'The server does not speak holdfast.v1.'],
    ['prefer', true, undefined, 'passed', 'The server speaks holdfast.v1.'],
  ] as const)('where holdfast.v1 is %s, greeted: %s, is %j: %s', (choice, isGreeted, protocol, verdict, detail) => {
    expect(judged({ choice, isGreeted, protocol })).toMatchObject({ verdict, detail });
  });
});

describe('round trips', () => {
  const summary = {
    ...{ lastMs: 1, smoothedMs: 1, variationMs: 1, minMs: 0.2, maxMs: 40, p95Ms: 1, p99Ms: 1, jitterMs: 3 },
    ...{ p50Ms: 20, samples: 5 },
  };

  test('that all came back in time have passed', () => {
    expect(roundTripsOf(summary, { asked: 5, slowMs: 300 })).toEqual({
      verdict: 'passed',
      detail: '5 of 5 pings were answered, half of them within 20 ms.',
      facts: { asked: 5, answered: 5, minMs: 0.2, p50Ms: 20, maxMs: 40, jitterMs: 3 },
    });
  });

  test('that are shorter than a millisecond are not said to take none', () => {
    expect(roundTripsOf({ ...summary, p50Ms: 0.12 }, { asked: 5, slowMs: 300 }).detail).toContain('within 1 ms');
  });

  test.each([
    [300, 'passed'],
    [300.01, 'warning'],
  ])('of %s ms, where 300 ms are fine, have %s', (p50Ms, verdict) => {
    const seen = roundTripsOf({ ...summary, p50Ms }, { asked: 5, slowMs: 300 });
    expect(seen.verdict).toBe(verdict);
    expect(seen.detail.endsWith('; up to 300 ms is fine.')).toBe(verdict === 'warning');
  });

  test('of which some did not come back are a warning', () => {
    expect(roundTripsOf({ ...summary, samples: 2 }, { asked: 3, slowMs: 300 })).toMatchObject({
      verdict: 'warning',
      detail: '2 of 3 pings were answered, half of them within 20 ms.',
    });
  });

  test('of which none came back have failed', () => {
    expect(roundTripsOf(null, { asked: 1, slowMs: 300 })).toEqual({
      verdict: 'failed',
      detail: 'No ping was answered.',
      facts: { asked: 1, answered: 0 },
    });
  });
});

describe('a burst', () => {
  test.each([
    [20, 'passed', '20 pings at once were answered within 5 ms.'],
    [19, 'failed', '19 of 20 pings at once were answered.'],
    [0, 'failed', '0 of 20 pings at once were answered.'],
  ])('of 20, of which %i were answered, has %s', (answered, verdict, detail) => {
    expect(burstOf({ sent: 20, answered, durationMs: 5 })).toEqual({
      verdict,
      detail,
      facts: { sent: 20, answered, durationMs: 5 },
    });
  });
});

describe('a queue', () => {
  const judged = (
    load: Partial<OutboxLoad>,
    { isUsable = true, ...queue }: { isUsable?: boolean; maxMessages?: number; maxBytes?: number } = {},
  ): Seen => {
    const patient = { isUsable, load: () => ({ waiting: 0, waitingBytes: 0, oldestAt: null, ...load }) };
    return queueOf(
      { settings: settingsOf({ queue: { maxMessages: 10, maxBytes: 1_000, ...queue } }), patient },
      100_000,
    );
  };

  test('of nobody is none', () => {
    expect(queueOf({ settings: settingsOf(), patient: undefined }, 0).verdict).toBe('skipped');
  });

  test.each([
    [{ waiting: 0 }, 'passed', 'No message waits.'],
    [{ waiting: 1 }, 'passed', 'One message waits.'],
    [{ waiting: 7 }, 'passed', '7 messages wait.'],
    [{ waiting: 8 }, 'warning', 'The queue is 80 % full.'],
    [{ waiting: 9, waitingBytes: 999 }, 'warning', 'The queue is 99 % full.'],
    [{ waiting: 10 }, 'failed', 'The queue is full.'],
    [{ waiting: 1, waitingBytes: 1_000 }, 'failed', 'The queue is full.'],
    [{ waiting: 1, oldestAt: 95_000 }, 'passed', 'One message waits.'],
    [{ waiting: 1, oldestAt: 94_999 }, 'warning', 'A message has waited for 5 s on an open connection.'],
    [{ waiting: 1, oldestAt: 120_000 }, 'passed', 'One message waits.'],
  ])('with %j has %s: %s', (load, verdict, detail) => {
    expect(judged(load)).toMatchObject({ verdict, detail });
  });

  test('may wait for long where nothing is open', () => {
    expect(judged({ waiting: 1, oldestAt: 0 }, { isUsable: false })).toMatchObject({
      verdict: 'passed',
      facts: { messages: 1, oldestMs: 100_000 },
    });
  });

  test('that takes nothing is not full of nothing', () => {
    expect(judged({}, { maxMessages: 0, maxBytes: 0 }).verdict).toBe('passed');
    expect(judged({ waiting: 1 }, { maxMessages: 0 }).verdict).toBe('failed');
  });
});

describe('a clock', () => {
  const offsets = (...each: number[]): { offsetMs: number; rttMs: number }[] =>
    each.map((offsetMs) => ({ offsetMs, rttMs: 20 }));

  test.each([[[]], [[5]]])('of which %j is known is not known', (each) => {
    expect(clockOf(offsets(...each))).toEqual({ verdict: 'skipped', detail: 'The peer does not tell its time.' });
  });

  test.each([
    [0, 'passed'],
    [22, 'passed'],
    [23, 'warning'],
    [3_600_000, 'warning'],
  ])('that moved by %i ms, where 11 ms either way is how well it can be seen, has %s', (spreadMs, verdict) => {
    expect(clockOf(offsets(-500, -500 + spreadMs))).toMatchObject({ verdict, facts: { spreadMs, uncertaintyMs: 11 } });
  });

  test.each([
    [1e300, 1e300],
    [-1e308, 1e308],
    [0, 1e17],
    [NaN, 0],
    [0, Infinity],
  ])('that shows %d and %d tells times that cannot be true', (...each) => {
    expect(clockOf(offsets(...each))).toEqual({
      verdict: 'warning',
      detail: 'The peer tells times that cannot be true.',
    });
  });
});

describe('a verdict', () => {
  test('has no number that no measure can have, whatever is measured', () => {
    const anything = fc.record({ durationMs: hostileNumber, offsets: fc.array(hostileNumber), rttMs: hostileNumber });
    fc.assert(
      fc.property(anything, ({ durationMs, offsets, rttMs }) => {
        const arrival = { durationMs, protocol: '', end: null };
        const seen = [
          handshakeOf({ ...arrival, isOpen: true }, 10),
          handshakeOf({ ...arrival, isOpen: false }, 10),
          clockOf(offsets.map((offsetMs) => ({ offsetMs, rttMs }))),
          queueOf(
            {
              settings: settingsOf(),
              patient: { isUsable: true, load: () => ({ waiting: 1, waitingBytes: 1, oldestAt: rttMs }) },
            },
            durationMs,
          ),
        ];
        for (const { facts, detail } of seen) {
          expect(impossible(facts)).toEqual([]);
          expect(detail).not.toMatch(/NaN|Infinity|-\d|e\+/);
        }
      }),
    );
  });
});
