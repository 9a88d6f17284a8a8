import { describe, expect, test } from 'vitest';

import type { Identity } from '../../src/server/options.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { startWireServer } from '../support/wire-server.ts';

describe('a conversation', () => {
  test('lets the client refuse messages: their receipts say so', async () => {
    const { join, sessions, settle } = startWireServer();
    const client = await join();
    const receipts = [1, 2, 3].map((data) => sessions[0]?.send(data));
    await settle();
    client.says('{"t":"nack","s":1,"c":"BUSY","m":"later","temp":true,"out":"rejected"}');
    client.says('{"t":"nack","s":2,"e":2,"c":"BUSY","m":"later","temp":true,"out":"unknown"}');
    client.says({ t: 'ack', a: 3 });
    await expect(receipts[0]?.settled).rejects.toMatchObject({ code: 'MESSAGE_REJECTED', outcome: 'rejected' });
    await expect(receipts[1]?.settled).rejects.toMatchObject({ outcome: 'unknown' });
    await expect(receipts[2]?.settled).resolves.toBeUndefined();
  });

  test('lets the client refuse messages by their keys', async () => {
    const { join, sessions, settle } = startWireServer();
    const client = await join();
    const receipts = ['a', 'b', 'c'].map((key) => sessions[0]?.send(key, { key }));
    await settle();
    client.says('{"t":"nack","k":["a","c"],"c":"BUSY","m":"later","temp":true,"out":"rejected"}', { t: 'ack', a: 3 });
    await expect(receipts[0]?.settled).rejects.toMatchObject({ code: 'MESSAGE_REJECTED', outcome: 'rejected' });
    await expect(receipts[1]?.settled).resolves.toBeUndefined();
    await expect(receipts[2]?.settled).rejects.toMatchObject({ code: 'MESSAGE_REJECTED' });
  });

  test('ends with the socket of a client that says nothing, and not with one that pings', async () => {
    const { join, clock, sessions } = startWireServer();
    const [silent, alive] = [await join({ auth: 'ann' }), await join({ auth: 'bob' })];
    for (let index = 0; index < 4; index++) {
      await clock.advanceAsync(10_000);
      alive.says({ t: 'ping', i: index, ts: index });
    }
    expect([silent.closed?.code, alive.closed, alive.of('pong').length]).toEqual([4202, undefined, 4]);
    expect(sessions.map(({ state }) => state)).toEqual(['detached', 'attached']);
  });

  test('does not take its own late timer for the silence of a client', async () => {
    const { join, clock } = startWireServer();
    const client = await join();
    clock.sleep(600_000);
    await clock.advanceAsync(0);
    expect(client.closed).toBeUndefined();
    client.says({ t: 'ping', i: 1, ts: 1 });
    await clock.advanceAsync(30_000);
    expect(client.closed).toBeUndefined();
  });

  test('tells of the lowest position that is news, and no more than that', async () => {
    const { join, sessions, settle } = startWireServer();
    const client = await join();
    const messages: unknown[] = [];
    sessions[0]?.onMessage(({ data }) => messages.push(data));
    client.says(new Uint8Array([1, 1, 0, 2, 0, 1, 7, 0, 1, 8]).buffer);
    await settle();
    client.says({ t: 'ping', i: 1, ts: 1 }, { t: 'ping', i: 2, ts: 2 });
    expect(client.of('pong').map(({ a }) => a)).toEqual([2, undefined]);
    expect(messages).toEqual([new Uint8Array([7]), new Uint8Array([8])]);
  });

  test('hands volatile messages over, and bytes that no longer hold on to their frame', async () => {
    const { join, sessions } = startWireServer();
    const client = await join();
    const messages: unknown[] = [];
    sessions[0]?.onMessage(({ data, position }) => messages.push([data, position]));
    client.says('{"t":"v","b":[{"d":"v"}]}', new Uint8Array([1, 0, 0, 1, 0, 1, 9]).buffer);
    expect(messages).toEqual([
      ['v', null],
      [new Uint8Array([9]), null],
    ]);
    const [, [bytes]] = messages as [unknown, [Uint8Array]];
    expect(bytes.buffer.byteLength).toBe(1);
  });
});

describe('credentials', () => {
  const hour = 3_600_000;

  function expiring(lifeMs: number) {
    const tokens: (string | undefined)[] = [];
    let next: Identity | null | Error = { principal: 'ann' };
    const wired = startWireServer({
      authenticate: ({ auth }) => {
        tokens.push(auth);
        if (next instanceof Error) throw next;
        return tokens.length === 1 ? { principal: 'ann', expiresAt: wired.clock.now() + lifeMs } : next;
      },
    });
    const answer = (identity: Identity | null | Error): void => {
      next = identity;
    };
    return { ...wired, tokens, answer };
  }

  /** Lets time pass for a client that pings. */
  async function live(
    client: { says: (frame: string) => void },
    clock: { advanceAsync: (ms: number) => Promise<void> },
    ms: number,
  ) {
    for (let passed = 0; passed < ms; passed += 20_000) {
      client.says('{"t":"ping","i":1,"ts":1}');
      await clock.advanceAsync(Math.min(20_000, ms - passed));
    }
  }

  test('are announced with their end, asked for before it, and renewed', async () => {
    const { join, clock, answer, tokens, settle } = expiring(hour);
    const client = await join();
    expect(client.welcome.exp).toBe(clock.now() + hour);
    await live(client, clock, hour - 31_500);
    expect(client.of('auth')).toEqual([]);
    await live(client, clock, 1_500);
    expect(client.of('auth')).toMatchObject([{ need: true }]);
    const again = clock.now() + hour;
    answer({ principal: 'ann', expiresAt: again });
    client.says({ t: 'auth', tok: 'fresh' });
    await settle();
    expect([client.of('auth')[1], tokens.at(-1)]).toEqual([{ t: 'auth', ok: true, exp: again }, 'fresh']);
    await live(client, clock, 60_000);
    expect(client.closed).toBeUndefined();
  });

  test('are asked for in whole ms, although a clock may know parts of them', async () => {
    const clock = new SimulatedClock(0.25);
    const { join } = startWireServer({ authenticate: () => ({ principal: 'ann', expiresAt: 20_000 }) }, { clock });
    const client = await join();
    await clock.advanceAsync(10_000);
    expect(client.of('auth')).toEqual([{ t: 'auth', need: true, in: expect.any(Number) as number }]);
    expect(Number.isInteger(client.of('auth')[0]?.in)).toBe(true);
  });

  test('that are not renewed end the socket, and the session waits', async () => {
    const { join, clock, sessions } = expiring(10_000);
    const client = await join();
    await clock.advanceAsync(11_000);
    expect([client.closed?.code, sessions[0]?.state]).toEqual([4300, 'detached']);
  });

  test.each([null, { principal: 'mal' }])('that are wrong, or another’s, end the socket: %j', async (identity) => {
    const { join, answer, settle } = expiring(hour);
    const client = await join();
    answer(identity);
    client.says({ t: 'auth', tok: 'x' });
    await settle();
    expect(client.closed?.code).toBe(4005);
  });

  test('that cannot be checked cost a retry', async () => {
    const { join, answer, settle, errors } = expiring(hour);
    const client = await join();
    answer(new Error('down'));
    client.says({ t: 'auth', tok: 'x' });
    await settle();
    expect([client.closed?.code, errors.length]).toEqual([4103, 1]);
  });

  test('are not checked faster than they are answered', async () => {
    let isFirst = true;
    const { join } = startWireServer({
      authenticate: () => {
        if (!isFirst) return new Promise(() => undefined);
        isFirst = false;
        return { principal: 'ann' };
      },
    });
    const client = await join();
    for (let count = 0; count < 100 && !client.closed; count++) client.says({ t: 'auth', tok: 'x' });
    expect(client.closed?.code).toBe(4001);
  });
});
