import { describe, expect, test } from 'vitest';

import { jsonProfile } from '../src/protocol/profile.ts';
import { LIMITS, WireRig, type Joined, type ServerScript } from './support/server-script.ts';
import { deferred, fateOf } from './support/service.ts';

const AWAY = { t: 'away', in: 30_000, spread: 10_000 } as const;

/** The server asks to be left, and the time for it has come: the second socket is being made. */
async function leaving(r: WireRig, given: Partial<typeof AWAY & { url: string }> = {}): Promise<Joined> {
  // nobody asks for a sign of life meanwhile
  const joined = await r.join({ ping: { iv: 600_000, to: 10_000 } });
  joined.server.says({ ...AWAY, ...given });
  await r.clock.advanceAsync(10_000);
  return joined;
}

/** Ten seconds in which the server acknowledges nothing, and is not silent. */
async function talking(r: WireRig, server: ServerScript): Promise<void> {
  for (let second = 1; second <= 10; second++) {
    await r.clock.advanceAsync(1_000);
    if (second < 10) server.says({ t: 'ping', i: second, ts: 0 });
  }
}

/** The same, and the second socket has said hello. */
async function asking(r: WireRig): Promise<Joined & { next: ServerScript }> {
  const joined = await leaving(r);
  const next = await r.opens();
  next.srv({ node: 'n2' });
  await r.settle();
  return { ...joined, next };
}

describe('a server that is about to leave', () => {
  test('is left after a part of its spread, for a second socket that resumes there; then the first one is closed with 1000', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const receipt = connection.send('1');
    server.sends(1, 'a');
    await r.settle();
    server.says(AWAY);
    await r.settle();
    expect([r.sockets.constructions, r.status()]).toMatchObject([1, { state: 'open', detail: 'leaving' }]);
    await talking(r, server);
    expect([r.sockets.constructions, r.status().detail]).toEqual([2, 'moving']);
    const next = await r.opens();
    next.srv({ node: 'n2' });
    await r.settle();
    expect(next.hello.resume).toMatchObject({ sid: 's1', tok: 'k1', rx: 1, lo: 1, hi: 1 });
    expect(server.socket.closeCalls).toEqual([]);
    next.welcome({ gen: 2, tok: 'k2', resumed: true, rx: 1, top: 1 });
    await r.settle();
    expect(server.socket.closeCalls[0]).toEqual({ code: 1000, reason: 'moved' });
    expect(r.status()).toMatchObject({ state: 'open', detail: 'open', generation: 2, wire: 'holdfast.v1' });
    expect([receipt.fate, next.messages]).toEqual(['acknowledged', []]);
    const told = ['closed', 'retrying', 'discontinuity', 'error'] as const;
    expect(told.map((type) => r.of(type).length)).toEqual([0, 0, 0, 0]);
  });

  test('loses nothing on the way, in either direction, and nothing comes twice (pain 20)', async () => {
    const r = new WireRig();
    const { connection, server } = await leaving(r);
    const receipts = [connection.send('1'), connection.send('2')];
    await r.settle();
    const next = await r.opens();
    next.srv({ node: 'n2' });
    await r.settle();
    server.sends(1, 'a');
    receipts.push(connection.send('3'));
    await r.settle();
    next.welcome({ gen: 2, tok: 'k2', resumed: true, rx: 1, top: 1 });
    next.sends(1, 'a', 'b');
    receipts.push(connection.send('4'));
    await r.settle();
    expect(server.messages.map(([position]) => position)).toEqual([1, 2]);
    expect(next.messages).toEqual([
      [2, '2'],
      [3, '3'],
      [4, '4'],
    ]);
    next.acks(4);
    await r.settle();
    expect(receipts.map(({ fate }) => fate)).toEqual(Array(4).fill('acknowledged'));
    expect(r.of('message').map(({ data }) => data)).toEqual(['a', 'b']);
  });

  test('keeps the requests that wait: their replies come from the next (pain 20)', async () => {
    const r = new WireRig();
    const { connection } = await r.join();
    const asked = fateOf(connection.request('x'));
    await r.settle();
    r.server.says(AWAY);
    await r.clock.advanceAsync(10_000);
    const next = await r.opens();
    next.srv();
    await r.settle();
    next.welcome({ gen: 2, resumed: true, rx: 1 });
    next.says({ t: 'm', s: 1, b: [{ d: 'y', re: 'r1' }] });
    await r.settle();
    expect(asked.value).toBe('y');
  });

  test('is heard no more once it is left (pain 21)', async () => {
    const r = new WireRig();
    const { server, next } = await asking(r);
    next.welcome({ gen: 2, resumed: true });
    await r.settle();
    server.sends(1, 'late');
    server.socket.ends(4001);
    await r.settle();
    expect([r.state(), r.of('message')]).toEqual(['open', []]);
    await r.drops(next.socket);
    expect([r.state(), r.of('closed').length]).toEqual(['backoff', 1]);
  });

  test.each([
    ['elsewhere', 'wss://other/place', 'wss://other/place'],
    ['nowhere that can be read', 'not a url', 'wss://host/terminal'],
    ['without TLS', 'ws://other/place', 'wss://host/terminal'],
  ])('and sends its clients %s has them go to %s, or stay where they were', async (_what, url, dialled) => {
    const r = new WireRig({ terminal: { credentials: () => 't0k3n' } });
    await leaving(r, { url });
    expect(r.sockets.last.url).toBe(dialled);
  });

  test('has fresh credentials for the new place', async () => {
    let tokens = 0;
    const r = new WireRig({ terminal: { credentials: () => `t${++tokens}` } });
    const { server, next } = await asking(r);
    expect([server.hello.auth, next.hello.auth]).toEqual(['t1', 't2']);
  });

  test('and the next, which knows nothing of the session: it begins anew, is greeted first, and the loss is told (pain 38) (pain 39)', async () => {
    const r = new WireRig({ terminal: { profile: { ...jsonProfile, onOpen: () => ['subscribe'] } } });
    const { connection, server, next } = await asking(r);
    server.acks(1);
    const receipts = [connection.send('bare'), connection.send('keyed', { idempotencyKey: 'k' })];
    next.welcome({ sid: 's2', tok: 'k9', ep: 'e9', why: 'unknown' });
    await r.settle();
    expect(next.messages).toEqual([
      [1, 'subscribe'],
      [2, 'bare'],
      [3, 'keyed'],
    ]);
    expect(receipts.map(({ fate }) => fate)).toEqual(['handed', 'handed']);
    expect([r.of('discontinuity'), r.state()]).toMatchObject([[{ why: 'unknown', inDoubt: 0 }], 'open']);
    expect(r.of('opened')).toMatchObject([
      { isReconnect: false },
      { isReconnect: true, isResumed: false, generation: 2 },
    ]);
    expect(server.socket.isLive).toBe(false);
  });

  test('and the next, whose messages come while the greeting of a new session is not ready: none is lost', async () => {
    const greeting = deferred<string[]>();
    let calls = 0;
    const onOpen = (): Promise<string[]> => (++calls === 1 ? Promise.resolve([]) : greeting.promise);
    const r = new WireRig({ terminal: { profile: { ...jsonProfile, onOpen } } });
    const { next } = await asking(r);
    next.welcome({ sid: 's2', why: 'unknown' });
    await r.settle();
    next.sends(1, 'first');
    await r.settle();
    greeting.resolve(['subscribe']);
    await r.settle();
    expect([r.of('message').map(({ data }) => data), next.messages]).toEqual([['first'], [[1, 'subscribe']]]);
  });

  test('with a full window hands its place to one that has room: what waits leaves there', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join({ lim: { frame: 65_536, inflated: 0, win: { m: 1, b: 100 } } });
    for (const text of ['1', '2', '3']) connection.send(text);
    server.says(AWAY);
    await talking(r, server);
    expect(r.status().flow).toBe('congested');
    const next = await r.opens();
    next.srv();
    await r.settle();
    next.welcome({ gen: 2, resumed: true, rx: 1 });
    await r.settle();
    expect([next.messages.map(([position]) => position), r.status().flow]).toEqual([[2, 3], 'flowing']);
  });
});

test('a server whose frames are too small for what is to be sent again is no place to move to: a new session begins', async () => {
  const r = new WireRig();
  const { connection, server } = await leaving(r);
  const receipt = connection.send('x'.repeat(500));
  await r.settle();
  const lim = { ...LIMITS, frame: 400 };
  const next = await r.opens();
  next.srv({ node: 'n2' });
  await r.settle();
  // the session is there by now, and its first socket is closed for that
  server.socket.ends(4004);
  next.welcome({ gen: 2, tok: 'k2', resumed: true, lim });
  await r.settle();
  expect([r.state(), receipt.fate]).toEqual(['backoff', 'handed']);
  const third = await r.redial();
  third.welcome({ sid: 's2', lim });
  await r.settle();
  expect([r.state(), receipt.fate, r.of('discontinuity')]).toMatchObject([
    'open',
    'unknown',
    [{ why: 'limits', inDoubt: 1 }],
  ]);
});

describe('without a queue, messages that are sent while a connection moves', () => {
  test.each<[string, (server: ServerScript) => void]>([
    ['the first socket is still there', () => undefined],
    [
      'the server has closed the first socket already',
      (server) => {
        server.socket.ends(4004);
      },
    ],
  ])('wait the moment, for it stays open: %s', async (_when, act) => {
    const r = new WireRig({ enableMessageQueue: false });
    const { connection, server, next } = await asking(r);
    const receipts = [connection.send('1')];
    await r.settle();
    act(server);
    await r.settle();
    receipts.push(connection.send('2'));
    next.welcome({ gen: 2, tok: 'k2', resumed: true });
    receipts.push(connection.send('3'));
    await r.settle();
    expect(next.messages.map(([, payload]) => payload)).toEqual(['1', '2', '3']);
    expect([receipts.map(({ fate }) => fate), r.of('undelivered')]).toEqual([Array(3).fill('handed'), []]);
  });

  test('are dropped when the second socket comes to nothing and the first is gone', async () => {
    const r = new WireRig({ enableMessageQueue: false });
    const { connection, server, next } = await asking(r);
    server.socket.ends(4004);
    await r.settle();
    const receipt = connection.send('1');
    const fleeting = connection.send('2', { volatile: true });
    await r.settle();
    expect([receipt.fate, fleeting.fate]).toEqual(['waiting', 'dropped']);
    await r.drops(next.socket);
    expect([r.state(), receipt.fate, r.of('undelivered').map(({ error }) => error.code)]).toEqual([
      'backoff',
      'dropped',
      ['VOLATILE_DROPPED', 'NOT_OPEN'],
    ]);
    expect(fateOf(connection.send('3').settled)).toBeDefined();
    await r.settle();
    expect(r.of('undelivered').at(-1)?.error.code).toBe('NOT_OPEN');
  });
});

describe('a second socket that comes to nothing', () => {
  test.each<[string, (r: WireRig) => Promise<unknown>]>([
    ['is refused', (r) => r.drops()],
    [
      'meets a server that speaks plain',
      async (r) => {
        (await r.opens()).says('hello there');
        await r.settle();
      },
    ],
    [
      'meets a server of another version',
      async (r) => {
        (await r.opens()).srv({ v: [9] });
        await r.settle();
      },
    ],
    [
      'is closed before it is welcomed',
      async (r) => {
        (await r.opens()).srv();
        await r.settle();
        await r.drops();
      },
    ],
    ['is not answered in time', (r) => r.clock.advanceAsync(60_000)],
  ])('because it %s leaves the first as it was, and itself no trace', async (_how, happens) => {
    const r = new WireRig({ terminal: { heartbeat: false } });
    const { connection, server } = await leaving(r);
    const second = r.sockets.last;
    await happens(r);
    expect([r.state(), r.status().generation, second.isLive]).toEqual(['open', 1, false]);
    second.ends();
    expect(second.listenersLeft).toBe(0);
    connection.send('still here');
    server.sends(1, 'a');
    await r.clock.advanceAsync(50);
    expect([server.messages, r.of('message').length, r.of('error')]).toEqual([[[1, 'still here']], 1, []]);
    expect(server.acked.at(-1)).toBe(1);
  });

  test('because a provider fails is told of, and leaves the first as it was', async () => {
    let asked = 0;
    const credentials = (): Promise<string> =>
      ++asked === 1 ? Promise.resolve('t1') : Promise.reject(new Error('no'));
    const r = new WireRig({ terminal: { heartbeat: false, credentials } });
    await leaving(r);
    expect(r.of('error')).toMatchObject([{ code: 'CREDENTIALS_FAILED', cause: { message: 'no' }, generation: 1 }]);
    expect([r.status().detail, r.of('closed'), r.sockets.constructions]).toEqual(['open', [], 1]);
  });

  test('because the first one was lost meanwhile is not needed: the session goes on by a third', async () => {
    const r = new WireRig();
    const { server } = await leaving(r);
    const second = r.sockets.last;
    await r.drops(server.socket);
    expect([r.state(), second.isLive]).toEqual(['backoff', false]);
    expect((await r.redial()).hello.resume?.sid).toBe('s1');
  });

  test('may be what closed the first with 4004: that is no end', async () => {
    const r = new WireRig();
    const { server, next } = await asking(r);
    server.socket.ends(4004);
    await r.settle();
    next.welcome({ gen: 2, tok: 'k2', resumed: true });
    await r.settle();
    expect([r.state(), r.status().generation]).toEqual(['open', 2]);
  });
});
