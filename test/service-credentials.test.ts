import { describe, expect, test } from 'vitest';

import { WireRig } from './support/server-script.ts';
import { deferred, fateOf } from './support/service.ts';

const NEED = { t: 'auth', need: true, in: 30_000 } as const;
const TAKEN = { t: 'auth', ok: true, exp: 9_999_999_999_999 } as const;

function renewing(): { r: WireRig; asked: () => number } {
  let asked = 0;
  const r = new WireRig({ terminal: { credentials: () => `t${++asked}` } });
  return { r, asked: () => asked };
}

describe('a server that asks for fresh credentials', () => {
  test('gets them on the same socket, while messages flow (trap 12)', async () => {
    const { r } = renewing();
    const { connection, server } = await r.join();
    server.says(NEED);
    await r.settle();
    expect([server.of('auth'), r.status()]).toMatchObject([[{ tok: 't2' }], { state: 'open', detail: 'renewing' }]);
    connection.send('a');
    await r.settle();
    expect(server.messages).toEqual([[1, 'a']]);
    server.says(TAKEN);
    await r.settle();
    expect([r.status().detail, r.sockets.constructions]).toEqual(['open', 1]);
  });

  test('twice asks the provider once at a time, and again the next time (trap 12)', async () => {
    const { r, asked } = renewing();
    const { server } = await r.join();
    server.says(NEED, NEED);
    await r.settle();
    expect([asked(), server.of('auth').length]).toEqual([2, 1]);
    server.says(TAKEN, NEED);
    await r.settle();
    expect([asked(), server.of('auth').length]).toEqual([3, 2]);
  });

  test('that takes what it was never given changes nothing', async () => {
    const { r } = renewing();
    const { server } = await r.join();
    server.says(TAKEN);
    await r.settle();
    expect(r.status()).toMatchObject({ state: 'open', detail: 'open' });
  });

  test.each<[string, () => unknown, object]>([
    [
      'throws',
      () => {
        throw new RangeError('no');
      },
      { code: 'CREDENTIALS_FAILED', cause: { message: 'no' } },
    ],
    ['rejects', () => Promise.reject(new Error('no')), { code: 'CREDENTIALS_FAILED', cause: { message: 'no' } }],
    ['gives no token', () => 42, { code: 'CREDENTIALS_FAILED', category: 'authentication_failed' }],
    ['does not answer', () => new Promise(() => undefined), { code: 'CREDENTIALS_TIMEOUT', category: 'timeout' }],
  ])('of a provider that %s gets none, which is told and ends nothing', async (_how, fail, error) => {
    let asked = 0;
    const r = new WireRig({
      terminal: { heartbeat: false, credentials: () => (++asked === 2 ? fail() : `t${asked}`) as string },
    });
    const { server } = await r.join();
    server.says(NEED);
    await r.clock.advanceAsync(10_000);
    expect([r.state(), r.status().detail, server.of('auth')]).toEqual(['open', 'open', []]);
    expect(r.of('error')).toMatchObject([{ ...error, connectionId: 'terminal:one', generation: 1, retryable: true }]);
    expect(r.service.getErrorHistory().map(({ code }) => code)).toEqual(r.of('error').map(({ code }) => code));
    expect([r.service.getErrorStatistics().total, r.of('closed'), r.of('retrying')]).toEqual([1, [], []]);
    await r.drops(server.socket, 4300);
    const next = await r.redial();
    expect([next.hello.auth, next.hello.resume?.sid]).toEqual(['t3', 's1']);
  });

  test('of a provider that fails has that judged by the application’s own rules', async () => {
    let asked = 0;
    const r = new WireRig({
      terminal: {
        credentials: () => (++asked === 2 ? Promise.reject(new Error('no')) : 't1'),
        recovery: [{ failure: 'CREDENTIALS_FAILED', category: 'service_unavailable', strategy: 'wait' }],
      },
    });
    const { server } = await r.join();
    server.says(NEED);
    await r.settle();
    expect(r.of('error')).toMatchObject([{ code: 'CREDENTIALS_FAILED', category: 'service_unavailable' }]);
  });

  test('where there is no provider gets none', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    server.says(NEED);
    await r.settle();
    expect([r.status().detail, server.of('auth')]).toEqual(['open', []]);
  });

  test('is not given those of a socket before: what comes too late is thrown away (trap 12)', async () => {
    const answers = [deferred<string>(), deferred<string>(), deferred<string>()];
    let asked = 0;
    const r = new WireRig({ terminal: { credentials: () => answers[asked++]?.promise ?? '' } });
    answers[0]?.resolve('t1');
    const { server } = await r.join();
    server.says(NEED);
    await r.settle();
    await r.drops();
    await r.passBackoff();
    answers[1]?.resolve('too late');
    answers[2]?.resolve('t3');
    await r.settle();
    const next = await r.opens();
    next.srv();
    await r.settle();
    next.welcome({ gen: 2, resumed: true });
    await r.settle();
    expect([next.hello.auth, next.of('auth'), server.of('auth')]).toEqual(['t3', [], []]);
  });
});

describe('a secret', () => {
  const TOKEN = 'c4n4ry-t0k3n';
  const SESSION = 'c4n4ry-s3ss10n';

  test('is in no event, no error, no status, no inspection and no URL; only in what travels (pain 60)', async () => {
    const seen: unknown[] = [];
    const r = new WireRig({
      terminal: { credentials: () => TOKEN, retry: { maxRetries: 3 } },
      inspect: (event) => seen.push(event),
    });
    const { id, server } = await r.join({ tok: `${SESSION}-1` });
    const sent = fateOf(r.service.sendMessage(id, 'x'));
    server.says({ t: 'auth', need: true, in: 1_000 });
    await r.settle();
    server.says({ t: 'auth', ok: true });
    await r.drops();
    const next = await r.resume({ tok: `${SESSION}-2` });
    next.says({ t: 'away', in: 1_000, spread: 0 });
    await r.clock.advanceAsync(1_000);
    const moved = await r.opens();
    moved.srv();
    await r.settle();
    expect([server.hello.auth, server.of('auth')[0]?.tok, moved.hello.resume?.tok]).toEqual([
      TOKEN,
      TOKEN,
      `${SESSION}-2`,
    ]);
    moved.says(`{"t":"welcome","tok":"${SESSION}-3","auth":"${TOKEN}"}`);
    await r.settle();
    next.says(`{"t":"ack","tok":"${SESSION}"`);
    await r.settle();
    expect(r.state()).toBe('failed');
    await r.destroy();
    const text = [
      seen,
      r.events,
      r.bugs,
      sent,
      r.sockets.all.map(({ url, protocols, closeCalls }) => [url, protocols, closeCalls]),
    ]
      .map(everythingIn)
      .join('\n');
    expect(text).toContain('session.welcomed');
    expect(text).toContain('PROTOCOL_VIOLATION');
    expect(text).not.toContain('c4n4ry');
  });
});

/** Every text in a value, however deep, the messages and causes of errors included. */
function everythingIn(value: unknown): string {
  const seen = new Set<unknown>();
  const texts: string[] = [];
  const walk = (item: unknown): void => {
    if (typeof item === 'string') texts.push(item);
    if (typeof item !== 'object' || item === null || seen.has(item)) return;
    seen.add(item);
    for (const key of Reflect.ownKeys(item)) {
      texts.push(String(key));
      walk(Object.getOwnPropertyDescriptor(item, key)?.value);
    }
  };
  walk(value);
  return texts.join('\n');
}
