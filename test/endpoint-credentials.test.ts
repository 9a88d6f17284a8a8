import { describe, expect, test } from 'vitest';

import type { CredentialsProvider, CredentialsRequest, ServiceOptions } from '../src/options.ts';
import { deferred, rig, TERMINAL, type Rig } from './support/service.ts';

const CANARY = 'c4n4ry-t0k3n';

async function dialled(terminal: Partial<ServiceOptions>): Promise<Rig> {
  const r = rig({ terminal });
  void r.service.connect(TERMINAL);
  await r.settle();
  return r;
}

describe('a credentials provider', () => {
  test('is asked anew for each attempt, with what ended the one before (pain 31)', async () => {
    const asked: CredentialsRequest[] = [];
    const r = await dialled({
      credentials: (request) => {
        asked.push(request);
        return `token-${asked.length}`;
      },
      url: ({ token }) => `wss://host/?t=${String(token)}`,
      recovery: [{ codes: 4401, strategy: 'reconnect', category: 'authentication_failed' }],
    });
    r.sockets.last.opens();
    await r.settle();
    r.sockets.last.ends(4401, 'expired');
    await r.settle();
    await r.passBackoff();
    expect(r.sockets.all.map(({ url }) => url)).toEqual(['wss://host/?t=token-1', 'wss://host/?t=token-2']);
    expect(asked.map(({ lastFailure, attempt }) => [lastFailure?.code, lastFailure?.category, attempt])).toEqual([
      [undefined, undefined, 0],
      ['CLOSED_BY_PEER', 'authentication_failed', 1],
    ]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
      'CREDENTIALS_FAILED',
    ],
    ['rejects', () => Promise.reject(new Error('boom')), 'CREDENTIALS_FAILED'],
    ['never answers', () => new Promise<never>(() => undefined), 'CREDENTIALS_TIMEOUT'],
    ['gives nothing', () => undefined as never, 'CREDENTIALS_FAILED'],
    ['gives an object without a token', () => ({ key: 'x' }) as never, 'CREDENTIALS_FAILED'],
  ])('that %s is asked again, up to its own limit (pain 2)', async (_how, get, code) => {
    const r = await dialled({ credentials: { get, timeoutMs: 1_000, maxRetries: 2 } });
    for (let failure = 1; failure <= 3; failure++) {
      await r.clock.advanceAsync(code === 'CREDENTIALS_TIMEOUT' ? 1_000 : 0);
      expect(r.of('error')).toHaveLength(failure);
      if (failure < 3) await r.passBackoff();
    }
    expect(r.of('error')[0]).toMatchObject({ code, connectionId: 'terminal:one' });
    expect(r.of('gaveUp')).toMatchObject([{ because: 'credentials', error: { code } }]);
    expect([r.state(), r.sockets.constructions]).toEqual(['failed', 0]);
  });

  test('that answers in between begins to count anew', async () => {
    let asked = 0;
    const r = await dialled({
      credentials: { get: () => (asked++ % 2 === 0 ? Promise.reject(new Error('flaky')) : 'token'), maxRetries: 1 },
    });
    for (let round = 1; round <= 4; round++) {
      const socket = await r.reopen();
      socket.ends(1006);
      await r.settle();
      await r.passBackoff();
    }
    expect(r.state()).toBe('backoff');
  });

  test('is abandoned by a disconnect, and its late answer is nothing', async () => {
    const answer = deferred<string>();
    const signals: AbortSignal[] = [];
    const r = await dialled({
      credentials: ({ signal }) => {
        signals.push(signal);
        return answer.promise;
      },
    });
    await r.service.disconnect('terminal:one');
    answer.resolve('token');
    await r.clock.advanceAsync(60_000);
    expect([signals[0]?.aborted, r.state(), r.sockets.constructions]).toEqual([true, 'closed', 0]);
  });

  test.each(['abc', { token: 'abc' }, { token: 'abc', expiresAt: Infinity }])(
    'tells the URL and the subprotocols the token itself, given as %o',
    async (credentials) => {
      const r = await dialled({
        credentials: () => credentials,
        url: ({ token }) => `wss://host/?t=${String(token)}`,
        protocols: ({ token }) => [String(token)],
      });
      expect([r.sockets.last.url, r.sockets.last.protocols]).toEqual(['wss://host/?t=abc', ['abc']]);
    },
  );

  test('keeps what it got over attempts that never open, and asks anew after a connection that was open (pain 31)', async () => {
    const seen: unknown[] = [];
    let asked = 0;
    const r = await dialled({
      credentials: () => ({ token: `${CANARY}-${++asked}` }),
      url: ({ credentials }) => {
        seen.push(credentials);
        return 'wss://host/';
      },
    });
    r.sockets.last.ends(1006);
    await r.settle();
    const socket = await r.reopen();
    expect([asked, seen]).toEqual([1, [{ token: `${CANARY}-1` }, { token: `${CANARY}-1` }]]);
    socket.ends(1006);
    await r.settle();
    await r.passBackoff();
    expect([asked, seen.at(-1)]).toEqual([2, { token: `${CANARY}-2` }]);
  });

  test.each([
    [
      'an expiry in seconds',
      { token: CANARY, expiresAt: 1_800_000_000 },
      'expiresAt is no time in milliseconds since 1970',
    ],
    ['no token', { token: undefined as never, expiresAt: 1_800_000_000_000 }, 'neither a token nor an object with one'],
    ['an empty token', '', 'neither a token nor an object with one'],
  ])('that gives %s is told what is wrong', async (_what, given, problem) => {
    const r = await dialled({ credentials: () => given });
    expect(r.of('error')).toMatchObject([
      { code: 'CREDENTIALS_FAILED', message: `The credentials provider failed: ${problem}.` },
    ]);
  });

  test('is asked once for what holds for ever', async () => {
    let asked = 0;
    const r = await dialled({ credentials: () => ({ token: `t${++asked}`, expiresAt: Infinity }) });
    r.sockets.last.ends(1006);
    await r.settle();
    await r.passBackoff();
    expect([asked, r.sockets.constructions]).toEqual([1, 2]);
  });

  test('asks for others once those that it has are past their time, or refused', async () => {
    let asked = 0;
    const refusals: unknown[] = [];
    const credentials: CredentialsProvider = ({ lastFailure }) => {
      refusals.push(lastFailure?.category);
      return { token: `t${++asked}`, expiresAt: r.clock.now() + 10 };
    };
    const r = rig({ terminal: { credentials } });
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    await r.passBackoff();
    expect(asked).toBe(2);
    r.sockets.last.ends(4401);
    await r.settle();
    await r.passBackoff();
    expect([asked, refusals]).toEqual([3, [undefined, 'connection_failed', 'authentication_failed']]);
  });

  test('is asked for fresh ones when an open connection is closed with 4401, which opens again with them (pain 27)', async () => {
    let asked = 0;
    const r = rig({
      terminal: {
        credentials: () => `t${++asked}`,
        url: ({ token }) => `wss://host/?t=${String(token)}`,
      },
    });
    await r.open();
    await r.clock.advanceAsync(60_000);
    r.sockets.last.ends(4401, 'expired');
    await r.settle();
    const socket = await r.reopen();
    expect([r.state(), socket.url, r.of('gaveUp')]).toEqual(['open', 'wss://host/?t=t2', []]);
  });

  test('has nothing to try when the application gives no credentials, or nothing any more', async () => {
    const r = await dialled({});
    r.sockets.last.ends(4401);
    await r.settle();
    expect(r.of('gaveUp')).toMatchObject([{ because: 'terminal', error: { category: 'authentication_failed' } }]);
  });

  test('is refused once more after fresh ones, then waits, then gives up with the reason (pain 30)', async () => {
    let asked = 0;
    const r = await dialled({ credentials: () => `t${++asked}` });
    const delays: number[] = [];
    while (r.state() !== 'failed' && asked < 10) {
      r.sockets.last.ends(4401);
      await r.settle();
      if (r.state() !== 'backoff') break;
      delays.push(r.of('retrying').at(-1)?.delayMs ?? -1);
      await r.passBackoff();
    }
    expect(asked).toBe(3);
    expect(delays[0]).toBeLessThanOrEqual(200);
    expect(delays[1]).toBeGreaterThanOrEqual(500);
    expect(r.of('gaveUp')).toMatchObject([
      {
        because: 'credentials',
        error: { code: 'HANDSHAKE_FAILED', category: 'authentication_failed', closeCode: 4401 },
      },
    ]);
  });
});
