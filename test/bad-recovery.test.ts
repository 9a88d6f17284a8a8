import { describe, expect, test } from 'vitest';

import type { ServiceOptions } from '../src/options.ts';
import { WireRig } from './support/server-script.ts';
import { NOTHING_LEFT, rig, TERMINAL, type Rig } from './support/service.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const MINUTE_MS = 60_000;
const BASE_MS = 500;
const CAP_MS = 30_000;
/** The first attempt, the three that need no wait, and the others, each after the base at least. */
const MOST_PER_MINUTE = 4 + MINUTE_MS / BASE_MS;

const attempts = (r: Rig): number => r.of('status').filter(({ current }) => current === 'connecting').length;
const codes = (r: Rig): string[] => [...new Set(r.service.getErrorHistory().map(({ code }) => code))];

async function lost(code: number, terminal: Partial<ServiceOptions>): Promise<Rig> {
  const r = rig({ terminal });
  await r.open();
  r.sockets.last.ends(code);
  await r.settle();
  return r;
}

describe('a wait that nobody can mean', () => {
  test.each([Number.NaN, -1, Infinity, 1.5, YEAR_MS, '5000', null])('in a rule is refused: %s', (retryAfterMs) => {
    const recovery = [
      { codes: 1013, category: 'rate_limited', strategy: 'wait', retryAfterMs: retryAfterMs as never },
    ] as const;
    expect(() => rig({ terminal: { recovery } })).toThrow(/recovery\.0\.retryAfterMs: must be a whole number/);
    expect(() => rig({ terminal: { profile: { codec: 'text', recovery } } })).toThrow(
      /profile\.recovery\.0\.retryAfterMs/,
    );
  });

  test('in a rule is an hour, where a timer could hold more', async () => {
    const r = await lost(1013, {
      recovery: [{ codes: 1013, category: 'rate_limited', strategy: 'wait', retryAfterMs: 2 ** 31 - 1 }],
    });
    expect(r.of('error')[0]).toMatchObject({ retryAfterMs: HOUR_MS });
    expect(r.of('retrying')[0]?.delayMs).toBeLessThanOrEqual(HOUR_MS + CAP_MS);
  });

  test.each([
    [Number.NaN, 0],
    [-1, 0],
    [-Infinity, 0],
    ['soon', 0],
    [{}, 0],
    [Infinity, HOUR_MS],
    [YEAR_MS, HOUR_MS],
    [1.5, 2],
  ])('of `decide`, %s, is one of %i ms', async (retryAfterMs, ms) => {
    const r = await lost(1006, { decide: () => ({ strategy: 'wait', retryAfterMs: retryAfterMs as number }) });
    expect(r.of('error')[0]?.retryAfterMs ?? 0).toBe(ms);
    const [{ delayMs } = { delayMs: -1 }] = r.of('retrying');
    expect(delayMs).toBeGreaterThanOrEqual(Math.max(BASE_MS, ms));
    expect(delayMs).toBeLessThanOrEqual(Math.max(2 * BASE_MS, ms + CAP_MS));
    expect(r.service.getErrorHistory()).toContainEqual(
      expect.objectContaining({ code: 'CONNECTION_LOST', strategy: 'wait' }),
    );
  });

  test.each([Number.NaN, -1, '10', null, {}])(
    'of `decide`, %s, is reported, and what the peer asked for stands',
    async (retryAfterMs) => {
      const r = await lost(1013, { decide: () => ({ strategy: 'wait', retryAfterMs: retryAfterMs as number }) });
      expect(r.of('error')[0]).toMatchObject({ code: 'CLOSED_BY_PEER', retryAfterMs: 5_000 });
      expect(r.bugs).toMatchObject([
        {
          code: 'LISTENER_THREW',
          cause: new TypeError('The option `decide` gave a `retryAfterMs` that is no number of milliseconds.'),
        },
      ]);
    },
  );

  test('of `decide` that is a time is the application’s word, also where it is shorter', async () => {
    const r = await lost(1013, { decide: () => ({ strategy: 'wait', retryAfterMs: 700 }) });
    expect(r.of('error')[0]).toMatchObject({ retryAfterMs: 700 });
    expect(r.bugs).toEqual([]);
  });
});

describe('a wait that a server asks for by an `err`', () => {
  const errOf = (ra: string): string => `{"t":"err","c":"BUSY","m":"busy","temp":true,"fatal":true,"ra":${ra}}`;

  test.each([String(YEAR_MS), String(Number.MAX_SAFE_INTEGER)])('is an hour at the most: %s', async (ra) => {
    const r = new WireRig();
    const { server } = await r.join();
    server.says(errOf(ra));
    await r.drops(server.socket, 4100);
    expect(r.of('error')[0]).toMatchObject({ code: 'CLOSED_BY_PEER', retryAfterMs: HOUR_MS });
    expect(r.of('retrying')[0]?.delayMs).toBeLessThanOrEqual(HOUR_MS + CAP_MS);
  });

  test.each(['-1', '0.5', '1e400', '"soon"', 'null', '{}'])('is no number that the protocol knows: %s', async (ra) => {
    const r = new WireRig();
    const { server } = await r.join();
    server.says(errOf(ra));
    await r.clock.advanceAsync(MINUTE_MS);
    expect([r.state(), codes(r), attempts(r)]).toEqual(['failed', ['PROTOCOL_VIOLATION'], 1]);
  });
});

describe('a decision that cannot be carried out', () => {
  test.each<[string, () => unknown]>([
    ['null', () => null],
    ['a number', () => 7],
    ['a word', () => 'retry'],
    ['a name of every object', () => 'constructor'],
    ['an empty list', () => []],
    ['no strategy', () => ({ retryAfterMs: 5 })],
    ['a strategy that is none', () => ({ strategy: 'toString' })],
    ['a promise', () => Promise.resolve('manual')],
    ['a promise that rejects', () => Promise.reject(new Error('decide'))],
    [
      'an object that cannot be read',
      () => ({
        get strategy(): never {
          throw new Error('decide');
        },
      }),
    ],
    [
      'an exception',
      () => {
        throw new Error('decide');
      },
    ],
  ])('leaves the table’s, and is a bug on record: %s', async (_what, decide) => {
    const r = await lost(1006, { decide: decide as never });
    expect(r.state()).toBe('backoff');
    expect(new Set(codes(r))).toEqual(new Set(['LISTENER_THREW', 'CONNECTION_LOST']));
    for (let end = r.clock.now() + MINUTE_MS; r.clock.now() < end;) {
      await r.passBackoff();
      r.sockets.last.ends(1006);
      await r.settle();
    }
    expect(attempts(r)).toBeLessThanOrEqual(MOST_PER_MINUTE);
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('a provider that gives nothing that can be used', () => {
  const unreadable = {
    get token(): never {
      throw new Error('no token');
    },
  };

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['a list', ['token']],
    ['an object without a token', { jwt: 'x' }],
    ['a token that is no text', { token: 7 }],
    ['an empty token', ''],
    ['an object with an empty token', { token: '' }],
    ['an expiry that is no number', { token: 'x', expiresAt: 'tomorrow' }],
    ['an expiry that is not a number', { token: 'x', expiresAt: Number.NaN }],
    ['an expiry in seconds', { token: 'x', expiresAt: 1_800_000_000 }],
    ['an expiry before all times', { token: 'x', expiresAt: -Infinity }],
    ['a function', () => 'token'],
    ['an object that cannot be read', unreadable],
  ])('as credentials, %s, fails with a typed error, and is asked again after the backoff', async (_what, given) => {
    const r = rig({ terminal: { credentials: () => given as string } });
    void r.service.connect(TERMINAL);
    await r.clock.advanceAsync(MINUTE_MS);
    expect(r.of('error')[0]).toMatchObject({
      code: 'CREDENTIALS_FAILED',
      category: 'authentication_failed',
      retryable: true,
    });
    expect([codes(r), r.sockets.constructions]).toEqual([['CREDENTIALS_FAILED'], 0]);
    expect(attempts(r)).toBeGreaterThan(2);
    expect(attempts(r)).toBeLessThanOrEqual(MOST_PER_MINUTE);
    await r.destroy();
  });

  test.each<[string, Partial<ServiceOptions>, string]>([
    ['a URL', { url: () => 7 as never }, 'INVALID_URL'],
    ['protocols', { protocols: () => 'chat' as never }, 'INVALID_PROTOCOLS'],
  ])('as %s ends the connection: your code must change', async (_what, terminal, code) => {
    const r = rig({ terminal });
    const connecting = r.service.connect(TERMINAL);
    await r.clock.advanceAsync(MINUTE_MS);
    await expect(connecting).rejects.toMatchObject({ code, category: 'configuration' });
    expect([r.state(), attempts(r), codes(r)]).toEqual(['failed', 1, [code]]);
  });

  test('as protocols that cannot be read fails as one that throws', async () => {
    const unreadableList = new Proxy([], {
      // what is awaited is asked for its `then`
      get: (_list, name) => {
        if (name !== 'then') throw new Error('no list');
      },
    });
    const r = rig({ terminal: { protocols: () => unreadableList, retry: { maxRetries: 1 } } });
    const connecting = r.service.connect(TERMINAL);
    await r.clock.advanceAsync(MINUTE_MS);
    await expect(connecting).rejects.toMatchObject({ code: 'RETRIES_EXHAUSTED' });
    expect(codes(r)).toEqual(['URL_FAILED']);
  });
});

describe('a provider that never answers', () => {
  const never = (): Promise<never> => new Promise(() => undefined);

  test.each<[string, Partial<ServiceOptions>, string]>([
    ['credentials', { credentials: { get: never, timeoutMs: 1 } }, 'CREDENTIALS_TIMEOUT'],
    ['a URL', { url: never, urlTimeoutMs: 1 }, 'URL_TIMEOUT'],
    ['protocols', { protocols: never, urlTimeoutMs: 1 }, 'URL_TIMEOUT'],
  ])(
    'when asked for %s is given up at its deadline, and asked again after the backoff',
    async (_what, terminal, code) => {
      const r = rig({ terminal });
      void r.service.connect(TERMINAL);
      await r.clock.advanceAsync(MINUTE_MS);
      expect(r.of('error')[0]).toMatchObject({ code, category: 'timeout', retryable: true });
      expect(codes(r)).toEqual([code]);
      expect(attempts(r)).toBeGreaterThan(2);
      expect(attempts(r)).toBeLessThanOrEqual(MOST_PER_MINUTE);
      await r.destroy();
      expect(r.leftovers()).toEqual(NOTHING_LEFT);
    },
  );
});
