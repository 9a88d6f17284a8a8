import { afterEach, describe, expect, test, vi } from 'vitest';

import { fateOf, rig, TERMINAL, type RigOptions } from './support/service.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

async function afterLosing(code: number, terminal: RigOptions['terminal'] = {}): Promise<ReturnType<typeof rig>> {
  const r = rig({ terminal });
  await r.open();
  r.sockets.last.ends(code);
  await r.settle();
  return r;
}

describe('the end of an open connection', () => {
  test.each([1000, 1001, 1005, 1006, 1011, 1012, 1013, 3008, 4000, 4001, 4500])(
    'with %i is retried: the application did not ask for it (original fault 21) (pain 29)',
    async (code) => {
      const r = await afterLosing(code);
      expect(r.state()).toBe('backoff');
      await r.reopen();
      expect(r.state()).toBe('open');
    },
  );

  test.each([1002, 1003, 1007, 1008, 1009, 3000, 3003, 4401, 4403, 4404])(
    'with %i is final, told once, until the application connects again (original fault 20) (original fault 37)',
    async (code) => {
      const r = await afterLosing(code);
      await r.clock.advanceAsync(600_000);
      expect([r.state(), r.sockets.constructions]).toEqual(['failed', 1]);
      expect(r.of('gaveUp').map(({ because }) => because)).toEqual(['terminal']);
      await r.open();
      expect(r.state()).toBe('open');
    },
  );

  test('is judged by the service’s own rules first (pain 26) (pain 27)', async () => {
    const recovery = [
      { codes: 4401, strategy: 'reconnect', category: 'authentication_failed', retryAfterMs: 3_000 },
      { codes: [1000, 1001], strategy: 'manual', category: 'connection_failed' },
    ] as const;
    const refreshed = await afterLosing(4401, { recovery });
    expect(refreshed.of('retrying')[0]?.delayMs).toBeGreaterThanOrEqual(3_000);
    expect((await afterLosing(1001, { recovery })).state()).toBe('failed');
    expect((await afterLosing(1006, { recovery })).state()).toBe('backoff');
  });

  test('is judged last by the service’s own function (pain 26)', async () => {
    const decide: NonNullable<RigOptions['terminal']>['decide'] = ({ closure }) =>
      closure?.reason === 'banned' ? 'manual' : undefined;
    const r = rig({ terminal: { decide } });
    await r.open();
    r.sockets.last.ends(1006, 'a cable');
    await r.settle();
    expect(r.state()).toBe('backoff');
    await r.reopen();
    r.sockets.last.ends(1000, 'banned');
    await r.settle();
    expect([r.state(), r.of('error').at(-1)?.retryable]).toEqual(['failed', false]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('decide');
      },
      1,
    ],
    ['gives nothing that can be done', () => 'maybe' as never, 1],
  ])('is judged as ever when that function %s', async (_what, decide, bugs) => {
    const r = await afterLosing(4403, { decide });
    expect([r.state(), r.bugs.length]).toEqual(['failed', bugs]);
    expect((await afterLosing(1006, { decide })).state()).toBe('backoff');
  });

  test('changes nothing for other connections', async () => {
    const r = rig();
    await r.open({ serviceType: 'chat' });
    await r.open();
    r.sockets.last.ends(4403);
    await r.settle();
    expect([r.state('chat'), r.state()]).toEqual(['open', 'failed']);
  });

  test.each([
    [4401, 'authentication_failed'],
    [1002, 'protocol_error'],
    [1007, 'invalid_message'],
  ])('with %i leaves the page alone: nothing is reloaded (original fault 36)', async (code, category) => {
    const touched: string[] = [];
    const location = new Proxy(
      { href: 'https://app/' },
      {
        get: (target, name) => (name === 'href' ? target.href : touched.push(String(name))),
        set: (_target, name) => touched.push(String(name)) > 0,
      },
    );
    vi.stubGlobal('location', location);
    vi.stubGlobal('window', { location });
    const r = await afterLosing(code);
    await r.clock.advanceAsync(60_000);
    expect([touched, r.of('gaveUp')[0]?.error.category]).toEqual([[], category]);
  });
});

describe('retrying', () => {
  test('against a peer that accepts and closes ends at the limit (original fault 20) (pain 32)', async () => {
    const r = rig({ terminal: { retry: { maxRetries: 3 } } });
    await r.open();
    for (let retry = 1; retry <= 3; retry++) {
      r.sockets.last.ends(1006);
      await r.settle();
      await r.reopen();
    }
    r.sockets.last.ends(1006);
    await r.clock.advanceAsync(600_000);
    expect([r.state(), r.sockets.constructions]).toEqual(['failed', 4]);
    expect(r.of('gaveUp')).toMatchObject([{ because: 'exhausted' }]);
  });

  test('begins anew after a connection that was stable', async () => {
    const r = rig({ terminal: { retry: { maxRetries: 1, stableMs: 5_000 } } });
    await r.open();
    for (let loss = 1; loss <= 5; loss++) {
      r.sockets.last.ends(1006);
      await r.settle();
      expect(r.of('retrying').at(-1)?.attempt).toBe(1);
      await r.reopen();
      await r.clock.advanceAsync(5_000);
    }
    expect([r.state(), r.status().attempt]).toEqual(['open', 0]);
  });

  test('with a limit of 0 does not happen (original fault 29)', async () => {
    const r = await afterLosing(1006, { retry: { maxRetries: 0 } });
    await r.clock.advanceAsync(600_000);
    expect([r.state(), r.sockets.constructions]).toEqual(['failed', 1]);
  });

  test('keeps to the bounds it was given (original fault 29)', async () => {
    const r = rig({ terminal: { retry: { baseMs: 1_000, capMs: 4_000 } } });
    void r.service.connect(TERMINAL);
    await r.settle();
    for (let retry = 1; retry <= 12; retry++) {
      r.sockets.last.ends(1006);
      await r.settle();
      await r.passBackoff();
    }
    const delays = r.of('retrying').map(({ delayMs }) => delayMs);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(4_000);
  });

  test('spreads clients that lose the same server at the same time (pain 33)', async () => {
    const delays = new Set<number>();
    for (let client = 0; client < 40; client++) {
      const r = rig({ random: () => client / 40 });
      await r.open();
      await r.clock.advanceAsync(10_000);
      r.sockets.last.ends(1012);
      await r.settle();
      delays.add(r.of('retrying')[0]?.delayMs ?? 0);
    }
    expect(delays.size).toBeGreaterThan(30);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(1_000);
  });

  test('is the same for the same seed: chance and time are handed in (pain 61)', async () => {
    const delays = async (): Promise<number[]> => {
      const r = rig({ random: () => 0.123 });
      void r.service.connect(TERMINAL);
      await r.settle();
      for (let retry = 1; retry <= 6; retry++) {
        r.sockets.last.ends(1006);
        await r.settle();
        await r.passBackoff();
      }
      return r.of('retrying').map(({ delayMs }) => delayMs);
    };
    const first = await delays();
    expect(await delays()).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(3);
  });

  test('asks chance for a name and a seed when a connection is made, and never again', async () => {
    const random = vi.fn(() => 0.5);
    const r = rig({ random });
    await r.open();
    for (let retry = 1; retry <= 3; retry++) {
      r.sockets.last.ends(1006);
      await r.settle();
      await r.reopen();
    }
    expect(random).toHaveBeenCalledTimes(3);
  });

  test('is cancelled for one connection, and goes on for another whose id begins alike (original fault 37)', async () => {
    const r = rig();
    for (const terminalId of ['one', 'one-more']) await r.open({ serviceType: 'terminal', terminalId });
    for (const socket of r.sockets.all) socket.ends(1006);
    await r.settle();
    await r.service.disconnect('terminal:one');
    expect([r.state('terminal:one'), r.state('terminal:one-more')]).toEqual(['closed', 'backoff']);
    await r.reopen('terminal:one-more');
    await r.clock.advanceAsync(600_000);
    expect([r.state('terminal:one'), r.state('terminal:one-more')]).toEqual(['closed', 'open']);
    expect(r.sockets.constructions).toBe(3);
  });

  test('makes one attempt per failure, whatever the old sockets still say (pain 21) (pain 23)', async () => {
    const r = rig();
    await r.open();
    for (let loss = 1; loss <= 5; loss++) {
      for (const socket of r.sockets.all) {
        socket.errs('again');
        socket.ends(1006);
      }
      await r.settle();
      await r.reopen();
    }
    expect([r.sockets.constructions, r.sockets.live.length]).toEqual([6, 1]);
    expect(r.of('retrying')).toHaveLength(5);
  });
});

describe('an attempt', () => {
  test('may take the ten seconds that a slow link needs, unless something else is said (pain 34)', async () => {
    const r = rig();
    const connecting = fateOf(r.service.connect(TERMINAL));
    await r.clock.advanceAsync(9_999);
    r.sockets.last.opens();
    await r.settle();
    expect([connecting.kind, r.sockets.constructions]).toEqual(['resolved', 1]);
  });

  test('that takes too long is abandoned, socket and all (pain 24)', async () => {
    const r = rig({ terminal: { connectTimeoutMs: 2_000 } });
    void r.service.connect(TERMINAL);
    for (let attempt = 1; attempt <= 20; attempt++) {
      await r.clock.advanceAsync(2_000);
      expect(r.sockets.live).toEqual([]);
      await r.passBackoff();
    }
    expect(r.sockets.constructions).toBe(21);
  });

  test('that was abandoned cannot come back: what opens late is closed, and is no event (pain 21) (pain 22)', async () => {
    const r = rig({ terminal: { connectTimeoutMs: 2_000 } });
    void r.service.connect(TERMINAL);
    await r.clock.advanceAsync(2_000);
    const [late] = r.sockets.all;
    await r.passBackoff();
    late?.opens();
    late?.says('from the past');
    await r.settle();
    expect([late?.isLive, r.state(), r.of('message')]).toEqual([false, 'connecting', []]);
    r.sockets.last.opens();
    await r.settle();
    late?.ends(1006);
    await r.settle();
    expect(r.state()).toBe('open');
  });

  test('goes to the whole URL: path and query are kept (original fault 29)', async () => {
    const r = rig({ terminal: { url: 'https://user@host:8443/a/b/?x=1&y=%20' } });
    void r.service.connect(TERMINAL);
    await r.settle();
    expect(r.sockets.last.url).toBe('wss://user@host:8443/a/b/?x=1&y=%20');
  });
});

describe('with recovery off', () => {
  test.each([
    ['lost', 1006, { code: 'CONNECTION_LOST', category: 'network_error', strategy: 'reconnect' }],
    ['closed because its token expired', 4401, { category: 'authentication_failed', strategy: 'reauthenticate' }],
    ['told to wait', 1013, { category: 'rate_limited', strategy: 'wait', retryAfterMs: 5_000 }],
  ])('a connection that is %s has failed, and its error says what could be done', async (_how, code, known) => {
    const asked: number[] = [];
    const credentials = ({ attempt }: { attempt: number }): string => `token-${asked.push(attempt)}`;
    const r = rig({ enableAutoRecovery: false, terminal: { credentials } });
    await r.open();
    r.sockets.last.ends(code);
    await r.clock.advanceAsync(600_000);
    expect([r.state(), r.sockets.constructions, asked.length, r.of('retrying')]).toEqual(['failed', 1, 1, []]);
    expect(r.of('error')).toMatchObject([{ ...known, retryable: false }]);
    expect(r.of('gaveUp')).toMatchObject([{ because: 'exhausted', error: known }]);
    expect(r.service.getErrorStatistics()).toMatchObject({ total: 1, recoverable: 0 });

    await r.open();
    expect([r.state(), r.sockets.constructions, asked.length]).toEqual(['open', 2, 2]);
  });

  test('a credentials provider is asked once', async () => {
    let asked = 0;
    const r = rig({
      enableAutoRecovery: false,
      terminal: { credentials: () => Promise.reject(new Error(`${++asked}`)) },
    });
    const connecting = r.service.connect(TERMINAL);
    await r.clock.advanceAsync(600_000);
    await expect(connecting).rejects.toMatchObject({ code: 'CREDENTIALS_FAILED', category: 'authentication_failed' });
    expect([r.state(), asked, r.sockets.constructions]).toEqual(['failed', 1, 0]);
  });
});
