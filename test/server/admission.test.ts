import { describe, expect, test } from 'vitest';

import { MemoryStore } from '../../src/server/memory-store.ts';
import type { Identity } from '../../src/server/options.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { CLIENT_LIMITS } from '../support/wire-client.ts';
import { startWireServer } from '../support/wire-server.ts';

describe('before a session', () => {
  test('the server speaks first', () => {
    const { connect, clock } = startWireServer({ node: 'n1', ping: { intervalMs: 5 } });
    expect(connect().frames).toEqual([
      { t: 'srv', v: [1], node: 'n1', caps: [], lim: CLIENT_LIMITS, ping: { iv: 5, to: 10_000 }, now: clock.now() },
    ]);
  });

  test.each(['1["a"]', '{"t":"ping","i":1,"ts":1}', '{"t":"bye","keep":false}', '{"t":"dance","o":1}', 'hello there'])(
    'nothing but hello may come: %s',
    (frame) => {
      const client = startWireServer().connect();
      client.says(frame);
      expect(client.closed?.code).toBe(4001);
    },
  );

  test('nothing may come while the server looks who it is', async () => {
    const { connect, settle, sessions } = startWireServer();
    const client = connect();
    client.hello();
    client.says('1["early"]');
    await settle();
    expect([client.closed?.code, sessions]).toEqual([4001, []]);
  });

  test('a second hello is one too many', async () => {
    const { connect, settle, server } = startWireServer();
    const client = connect();
    client.hello();
    client.hello();
    await settle();
    expect([client.closed?.code, server.sessions]).toEqual([4001, []]);
  });

  test('a hello that does not come is not waited for', async () => {
    const { connect, clock, join } = startWireServer();
    const [silent, other] = [connect(), await join()];
    await clock.advanceAsync(10_000);
    expect([silent.closed?.code, other.closed]).toEqual([4204, undefined]);
  });

  test('a version that is not spoken is refused', () => {
    const client = startWireServer().connect();
    client.hello({ v: 2 });
    expect(client.closed?.code).toBe(4002);
  });

  test('a client that is nobody is refused', async () => {
    const { join } = startWireServer();
    expect((await join({ auth: 'nobody' })).closed?.code).toBe(4005);
  });

  test('an authentication that throws is a fault of the server, and told', async () => {
    const { join, errors } = startWireServer({
      authenticate: () => {
        throw new Error('down');
      },
    });
    const client = await join();
    expect(client.of('err')).toMatchObject([{ c: 'SERVER_FAULT', temp: true, fatal: true }]);
    expect([client.closed?.code, errors.map(({ code }) => code)]).toEqual([4103, ['INTERNAL_FAULT']]);
  });

  test('a socket that is gone before the answer gets no session', async () => {
    let answer: (identity: Identity) => void = () => undefined;
    const { connect, settle, sessions } = startWireServer({
      authenticate: () => new Promise((resolve) => (answer = resolve)),
    });
    const client = connect();
    client.hello();
    await settle();
    client.leave();
    answer({ principal: 'ann' });
    await settle();
    expect([sessions, client.closed]).toEqual([[], undefined]);
  });

  test('a principal with too many sessions gets no other, and keeps those it has', async () => {
    const { join, resume, connect, settle } = startWireServer({ limits: { sessionsPerPrincipal: 1 } });
    const client = await join({ nonce: 'a' });
    expect((await join({ nonce: 'b' })).closed?.code).toBe(4007);
    expect((await join({ nonce: 'b', auth: 'bob' })).welcome.gen).toBe(1);
    expect((await resume(client)).welcome.resumed).toBe(true);
    const forged = connect();
    const { sid, ep } = client.welcome;
    forged.hello({ nonce: 'c', resume: { sid, ep, tok: 'forged', rx: 0, lo: 1, hi: 0 } });
    await settle();
    expect(forged.closed?.code).toBe(4007);
  });

  test('a principal gets no more sessions than it may have by asking for all at once', async () => {
    const { connect, settle, sessions } = startWireServer({ limits: { sessionsPerPrincipal: 2 } });
    const clients = ['a', 'b', 'c', 'd'].map((nonce) => {
      const client = connect();
      client.hello({ nonce });
      return client;
    });
    await settle();
    expect([clients.map(({ closed }) => closed?.code), sessions.length]).toEqual([
      [undefined, undefined, 4007, 4007],
      2,
    ]);
  });

  test('a session that is asked for twice at once, for its client does not wait, takes one place', async () => {
    const { connect, settle, sessions } = startWireServer({ limits: { sessionsPerPrincipal: 1 } });
    const clients = [connect(), connect()];
    for (const client of clients) client.hello({ nonce: 'same' });
    await settle();
    expect([clients.map(({ closed }) => closed?.code), sessions.length]).toEqual([[4004, undefined], 1]);
  });

  test('a place for a session that the store could not open is free again', async () => {
    const { join, store } = startWireServer({ limits: { sessionsPerPrincipal: 1 } });
    const open = store.open.bind(store);
    store.open = () => Promise.reject(new Error('down'));
    expect((await join({ nonce: 'a' })).closed?.code).toBe(4103);
    store.open = open;
    expect((await join({ nonce: 'b' })).welcome.gen).toBe(1);
  });

  test('the application hears of a session before its first message', async () => {
    const seen: unknown[] = [];
    const { join } = startWireServer({
      onSession: (session) => {
        seen.push([session.principal, session.isInherited]);
        session.send('welcome');
      },
    });
    expect([(await join()).payloads, seen]).toEqual([['welcome'], [['ann', false]]]);
  });
});

describe('a resumption', () => {
  test('rotates the token: the one before is good until the first frame of the new socket', async () => {
    const { join, resume, settle } = startWireServer();
    const first = await join();
    const second = await resume(first);
    expect(second.welcome.tok).not.toBe(first.welcome.tok);
    const third = await resume(first);
    expect(third.welcome).toMatchObject({ resumed: true, gen: 3 });
    third.says({ t: 'ping', i: 1, ts: 1 });
    await settle();
    expect((await resume(second)).welcome).toMatchObject({ resumed: false, why: 'forbidden' });
    expect((await resume(third)).welcome).toMatchObject({ resumed: true, gen: 4 });
  });

  test('is refused to another principal, who gets a session of his own and learns nothing (trap 12)', async () => {
    const { join, resume, sessions } = startWireServer();
    const client = await join();
    sessions[0]?.send('secret');
    const thief = await resume(client, {}, { auth: 'mal' });
    expect(thief.welcome).toMatchObject({ resumed: false, why: 'forbidden', gen: 1, rx: 0, top: 0 });
    expect([thief.payloads, client.closed, sessions.map(({ principal }) => principal)]).toEqual([
      [],
      undefined,
      ['ann', 'mal'],
    ]);
  });

  test('is refused for an epoch of another history, and the session that it was is over', async () => {
    const { join, resume, ended, sessions } = startWireServer();
    const client = await join();
    sessions[0]?.onMessage(() => undefined);
    const again = await resume(client, { lo: 1, hi: 0, ep: 'other' });
    expect(again.welcome).toMatchObject({ resumed: false, why: 'epoch', rx: 0, top: 0 });
    expect([ended, client.closed?.code]).toEqual([['expired'], 4301]);
  });

  test.each([
    ['more than was ever sent to it', 'ahead', { rx: 5 }],
    ['fewer messages than were accepted', 'ahead', { hi: 0 }],
    ['a hole in its own messages', 'gap', { lo: 7, hi: 8 }],
  ])(
    'is refused for %s, and whoever has the session keeps it: a hello that comes late is not true any longer',
    async (_what, why, given) => {
      const { join, resume, sessions, settle, ended } = startWireServer();
      const client = await join();
      sessions[0]?.onMessage(() => undefined);
      client.says('1["a"]');
      await settle();
      const again = await resume(client, { lo: 2, hi: 1, ...given });
      expect(again.welcome).toMatchObject({ resumed: false, why, rx: 0, top: 0 });
      client.says('2["b"]');
      await settle();
      expect([ended, client.closed, sessions[0]?.state]).toEqual([[], undefined, 'attached']);
    },
  );

  test('is refused when the client has forgotten what it acknowledged', async () => {
    const { join, resume, sessions, settle } = startWireServer();
    const client = await join();
    sessions[0]?.send('one');
    await settle();
    client.says({ t: 'ack', a: 1 });
    await settle();
    expect((await resume(client, { rx: 0 })).welcome).toMatchObject({ resumed: false, why: 'gap' });
  });

  test('works before any message, and after a long time', async () => {
    const { join, resume, clock } = startWireServer();
    const client = await join();
    client.leave();
    await clock.advanceAsync(119_000);
    expect((await resume(client)).welcome.resumed).toBe(true);
  });

  test('does not keep tokens, only what proves them', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore({ clock });
    const wishes: object[] = [];
    const open = store.open.bind(store);
    store.open = (wish) => {
      wishes.push(wish);
      return open(wish);
    };
    const { join } = startWireServer({}, { clock, store });
    const { tok } = (await join()).welcome;
    expect(tok).toHaveLength(43);
    expect(JSON.stringify(wishes)).not.toContain(tok);
  });

  test('of two sockets at once leaves the session with the newer one', async () => {
    const { join, connect, settle, sessions } = startWireServer();
    const client = await join();
    const { sid, tok, ep } = client.welcome;
    const both = [connect(), connect()];
    for (const socket of both) socket.hello({ nonce: 'n2', resume: { sid, tok, ep, rx: 0, lo: 1, hi: 0 } });
    await settle();
    expect(both.map(({ closed }) => closed?.code)).toEqual([4004, undefined]);
    expect([both[1]?.welcome.gen, sessions.length, sessions[0]?.state]).toEqual([3, 1, 'attached']);
  });

  /** A server whose authentication answers when it is told to. */
  function slow() {
    const answers: (() => void)[] = [];
    const wired = startWireServer({
      authenticate: ({ auth = 'ann' }) =>
        new Promise((resolve) => {
          answers.push(() => {
            resolve({ principal: auth });
          });
        }),
    });
    const answer = async (): Promise<void> => {
      await wired.settle();
      for (const each of answers.splice(0)) each();
      await wired.settle();
    };
    return { ...wired, answer };
  }

  test('of two that ask for the same new session at once leaves it with the newer one, whose messages come once', async () => {
    const { connect, settle, sessions, ended, answer } = slow();
    const both = [connect(), connect()];
    for (const socket of both) socket.hello();
    await answer();
    const received: unknown[] = [];
    for (const session of sessions) session.onMessage(({ data }) => received.push(data));
    both[1]?.says('1["pay"]');
    await settle();
    both[1]?.says('1["pay"]');
    await settle();
    expect([sessions.length, ended, received, both[1]?.of('ack')]).toMatchObject([1, [], ['pay'], [{ a: 1 }]]);
    expect(both.map(({ closed }) => closed?.code)).toEqual([4004, undefined]);
  });

  test('of two that resume at once at a node that has just started leaves the session with the newer one', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore({ clock });
    const before = startWireServer({ node: 'a' }, { clock, store });
    const { sid, tok, ep } = (await before.join()).welcome;
    const { connect, settle, sessions, ended } = startWireServer({ node: 'b' }, { clock, store });
    const both = [connect(), connect()];
    for (const socket of both) socket.hello({ resume: { sid, tok, ep, rx: 0, lo: 1, hi: 0 } });
    await settle();
    both[1]?.says('1["x"]');
    sessions[0]?.onMessage(() => undefined);
    await settle();
    await clock.advanceAsync(50);
    expect([sessions.length, ended, both[1]?.of('ack')]).toMatchObject([1, [], [{ a: 1 }]]);
  });

  test('of a socket that died while the store was asked leaves the session waiting', async () => {
    const { join, connect, settle, sessions } = startWireServer();
    const client = await join();
    const { sid, tok, ep } = client.welcome;
    const doomed = connect();
    doomed.hello({ resume: { sid, tok, ep, rx: 0, lo: 1, hi: 0 } });
    await Promise.resolve();
    await Promise.resolve();
    doomed.leave();
    await settle();
    expect(sessions.length).toBe(1);
  });
});

describe('a store that fails', () => {
  test('costs the client a retry, and is told', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore({ clock });
    store.open = () => Promise.reject(new Error('down'));
    const { join, errors } = startWireServer({}, { clock, store });
    const client = await join();
    expect([client.closed?.code, errors.map(({ code }) => code)]).toEqual([4103, ['INTERNAL_FAULT']]);
  });
});
