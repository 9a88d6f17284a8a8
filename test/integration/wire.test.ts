import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import type { AddressInfo } from 'node:net';
import { MemoryStore } from '../../src/server/index.ts';
import { systemClock } from '../../src/transport/clock.ts';
import { startClient } from '../support/client.ts';
import { pause, until } from '../support/deadline.ts';
import { startNode } from '../support/nodes.ts';
import { startProxy } from '../support/proxy.ts';
import { echo, startServer } from '../support/server.ts';

const WIRE = { wire: 'required' } as const;

describe('messages over holdfast.v1', () => {
  test('are acknowledged, and not called sent', async () => {
    const node = await startNode();
    const client = startClient({ url: node.url, ...WIRE });
    const id = await client.connect();
    expect(await client.service.sendMessage(id, { n: 1 })).toMatchObject({ outcome: 'acknowledged' });
    expect(node.received).toEqual([{ n: 1 }]);
    expect(client.connection.status).toMatchObject({ wire: 'holdfast.v1', messages: { acknowledged: 1, waiting: 0 } });
  });

  test('of every kind arrive as they are, both ways', async () => {
    const node = await startNode({ onSession: (session) => session.send('welcome') });
    const client = startClient({ url: node.url, ...WIRE, profile: { codec: 'plain' } });
    const id = await client.connect();
    for (const message of ['text', 'ünï "code" 😀', { a: [1, null] }, Uint8Array.of(1, 2, 255), 42, null])
      client.connection.send(message);
    await client.connection.drainQueue({ timeoutMs: 5_000 });
    expect(node.received).toEqual(['text', 'ünï "code" 😀', { a: [1, null] }, Uint8Array.of(1, 2, 255), 42, null]);
    node.session.send({ b: 1 });
    node.session.send(Uint8Array.of(9));
    await until('all are there', () => client.messages.length === 3);
    expect(client.messages).toEqual(['welcome', '{"b":1}', Uint8Array.of(9).buffer]);
    expect(client.service.getConnectionStatus(id)?.messages.received).toBe(3);
  });

  test.each([
    ['as they are', {}, WIRE],
    // each socket has one of its own, and what is sent again is compressed anew
    ['with a window', { compression: { windows: 10 } }, { wire: { use: 'required', compression: 'window' } }],
  ] as const)(
    'come exactly once and in order, both ways, over a link that is cut again and again, %s',
    async (_how, own, theirs) => {
      const node = await startNode(own);
      const proxy = await startProxy(node.port);
      const client = startClient({ url: proxy.url, ...theirs, profile: { codec: 'json' } });
      await client.connect();
      const { session } = node;
      const total = 1_000;
      for (let n = 0; n < total; n++) {
        client.connection.send({ up: n });
        session.send({ down: n });
        if (n % 10 === 0) await pause(1);
        if (n % 50 === 25) proxy.cut();
      }
      await client.connection.drainQueue({ timeoutMs: 10_000 });
      await until('the server has its acknowledgements', () => session.unacknowledged === 0, 10_000);
      expect(node.received).toEqual(Array.from({ length: total }, (_, up) => ({ up })));
      expect(client.messages).toEqual(Array.from({ length: total }, (_, down) => ({ down })));
      expect(node.sessions).toHaveLength(1);
      expect(client.connection.status.messages).toMatchObject({ acknowledged: total, unknown: 0, dropped: 0 });
      expect(client.connection.status.generation).toBeGreaterThan(2);
    },
  );

  test('are compressed when both sides want that', async () => {
    const node = await startNode({ compression: true });
    const client = startClient({ url: node.url, wire: { use: 'required', compression: true } });
    await client.connect();
    const long = { text: 'again and again '.repeat(1_000) };
    await client.connection.send(long).settled;
    node.session.send(long);
    await until('it is back', () => client.messages.length === 1);
    expect([node.received, client.messages]).toEqual([[long], [JSON.stringify(long)]]);
  });

  test('leave together: a thousand of one turn are a few frames', async () => {
    const node = await startNode();
    const client = startClient({ url: node.url, ...WIRE });
    await client.connect();
    for (let n = 0; n < 900; n++) client.connection.send({ n });
    await client.connection.drainQueue({ timeoutMs: 5_000 });
    expect(node.received).toHaveLength(900);
  });
});

describe('a broadcast', () => {
  test('reaches all others while one of them reads nothing: that one is closed, and waited for by nobody (trap 9)', async () => {
    const node = await startNode({ limits: { bufferedBytes: 200_000, windowMessages: 100_000 } });
    const wire = { use: 'required', windowMessages: 100_000, windowBytes: 100_000_000 } as const;
    const sockets: WebSocket[] = [];
    class Seen extends WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    const reader = startClient({ url: node.url, wire });
    const deaf = startClient({ url: node.url, wire, heartbeat: false }, { WebSocket: Seen });
    await reader.connect();
    await deaf.connect();
    const { session } = node;
    sockets[0]?.pause();
    const codes: number[] = [];
    node.holdfast.on('closed', ({ code }) => codes.push(code));
    const text = 'x'.repeat(4_000);
    let longestMs = 0;
    let told = 0;
    for (; told < 20_000 && session.state === 'attached'; told++) {
      const before = performance.now();
      node.holdfast.broadcast(text);
      longestMs = Math.max(longestMs, performance.now() - before);
      if (told % 20 === 0) await pause(1);
    }
    await until('the reader has all', () => reader.messages.length === told, 20_000);
    expect(session.state).not.toBe('attached');
    // it reads no close either, and has a grace of some seconds for its answer
    await until('the deaf one is gone', () => codes.length > 0, 10_000);
    expect(codes).toEqual([4102]);
    expect(longestMs).toBeLessThan(1_000);
  });
});

describe('requests over holdfast.v1', () => {
  test('get their replies, both ways, and survive a drop', async () => {
    const node = await startNode({
      onSession: (session) =>
        session.onRequest(async ({ data }) => {
          await pause(50);
          return { re: data };
        }),
    });
    const proxy = await startProxy(node.port);
    const client = startClient({ url: proxy.url, ...WIRE, profile: { codec: 'json' } });
    await client.connect();
    client.connection.onRequest((question) => ({ answer: question }));
    const reply = client.connection.request({ q: 1 });
    await pause(10);
    proxy.cut();
    expect(await reply).toEqual({ re: { q: 1 } });
    expect(await node.session.request({ q: 2 })).toEqual({ answer: { q: 2 } });
  });

  test('that the server refuses say so', async () => {
    const node = await startNode({
      onSession: (session) =>
        session.onRequest(() => {
          throw new Error('no');
        }),
    });
    const client = startClient({ url: node.url, ...WIRE });
    await client.connect();
    await expect(client.connection.request('x')).rejects.toMatchObject({
      code: 'REQUEST_REFUSED',
      outcome: 'rejected',
    });
  });
});

describe('a session', () => {
  test('that the server has forgotten is followed by another, and the application is told first', async () => {
    const first = await startNode();
    const proxy = await startProxy(first.port);
    const client = startClient({ url: () => url, ...WIRE, profile: { codec: 'json' } });
    let url = proxy.url;
    await client.connect();
    const told: string[] = [];
    client.service.on('discontinuity', ({ why, inDoubt }) => told.push(`${why} ${inDoubt}`));
    client.service.on('message', ({ data }) => told.push(`message ${JSON.stringify(data)}`));
    const second = await startNode({ onSession: (session) => session.send('new') });
    proxy.swallow();
    const doubtful = client.connection.send({ n: 1 }).settled.catch((error: unknown) => error);
    const keyed = client.connection.send({ n: 2 }, { idempotencyKey: 'k2' }).settled;
    await pause(20);
    url = second.url;
    proxy.cut();
    expect(await keyed).toMatchObject({ outcome: 'acknowledged' });
    expect(await doubtful).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
    await until('the new message is there', () => told.length === 2);
    expect(told).toEqual(['unknown 1', 'message "new"']);
    expect(second.received).toEqual([{ n: 2 }]);
  });

  test('moves to another node before the one that drains closes, and nothing is lost or comes twice', async () => {
    const store = new MemoryStore({ clock: systemClock() });
    const [one, two] = [await startNode({ store, node: 'one' }), await startNode({ store, node: 'two' })];
    const client = startClient({ url: one.url, ...WIRE, profile: { codec: 'json' } });
    await client.connect();
    let n = 0;
    const sending = setInterval(() => client.connection.send({ up: n++ }), 1);
    await pause(50);
    const drained = one.holdfast.drain({ spreadMs: 50, deadlineMs: 5_000, url: two.url });
    await drained;
    await pause(50);
    clearInterval(sending);
    await client.connection.drainQueue({ timeoutMs: 5_000 });
    expect([...one.received, ...two.received]).toEqual(Array.from({ length: n }, (_, up) => ({ up })));
    expect(client.of('closed')).toEqual([]);
    expect(client.states).toEqual(['connecting', 'open']);
    expect(client.connection.status).toMatchObject({ generation: 2, state: 'open', messages: { unknown: 0 } });
    expect(two.session.isInherited).toBe(true);
    expect(two.received.length).toBeGreaterThan(0);
  });

  test.each([
    ['takes less at a time: nothing is lost or comes twice', { windowMessages: 8, windowBytes: 2_000 }, false],
    ['takes smaller frames: another begins there, and what has a key is sent again', { frameBytes: 400 }, true],
  ])('resumes at a node that %s', async (_what, limits, isLost) => {
    const store = new MemoryStore({ clock: systemClock() });
    const [one, two] = [await startNode({ store, node: 'one' }), await startNode({ store, node: 'two', limits })];
    const proxy = await startProxy(one.port);
    let url = proxy.url;
    const client = startClient({ url: () => url, ...WIRE, profile: { codec: 'json' } });
    const losses: string[] = [];
    client.service.on('discontinuity', ({ why }) => losses.push(why));
    await client.connect();
    proxy.swallow();
    const receipts = Array.from({ length: 300 }, (_, n) => client.connection.send(n, { idempotencyKey: `k${n}` }));
    const big = client.connection.send('x'.repeat(1_000), { idempotencyKey: 'big' });
    await pause(20);
    url = two.url;
    proxy.cut();
    for (let n = 300; n < 400; n++) receipts.push(client.connection.send(n, { idempotencyKey: `k${n}` }));
    await client.connection.drainQueue({ timeoutMs: 10_000 });
    const numbers = Array.from({ length: 400 }, (_, n) => n);
    expect(two.received.filter((data) => typeof data === 'number')).toEqual(numbers);
    expect(new Set(receipts.map(({ fate }) => fate))).toEqual(new Set(['acknowledged']));
    expect([big.fate, losses]).toEqual(isLost ? ['unknown', ['limits']] : ['acknowledged', []]);
    expect([client.connection.status.state, one.errors, two.errors]).toEqual(['open', [], []]);
  });

  test('goes on with fresh credentials, in band', async () => {
    const seen: (string | undefined)[] = [];
    const node = await startNode({
      authenticate: ({ auth }) => {
        seen.push(auth);
        return { principal: 'ann', expiresAt: Date.now() + 4_000 };
      },
    });
    let number = 0;
    const client = startClient({ url: node.url, ...WIRE, credentials: () => `token-${++number}` });
    await client.connect();
    await until('it was renewed', () => seen.length >= 2, 8_000);
    await pause(50);
    expect([seen, client.connection.status.detail]).toEqual([['token-1', 'token-2'], 'open']);
    expect(client.states).toEqual(['connecting', 'open']);
    expect(client.connection.status.generation).toBe(1);
  });

  test('ends with its connection: the server does not wait for one that said goodbye', async () => {
    const node = await startNode();
    const client = startClient({ url: node.url, ...WIRE });
    const id = await client.connect();
    client.connection.send('last words');
    await client.service.disconnect(id);
    expect(node.received).toEqual(['last words']);
    await until('the session is over', () => node.holdfast.sessions.length === 0);
    expect(client.connection.status.messages).toMatchObject({ acknowledged: 1, unknown: 0 });
  });
});

describe('a service that prefers holdfast.v1', () => {
  test('speaks it where it can, and measures the round trip', async () => {
    const node = await startNode();
    const client = startClient({ url: node.url, wire: 'prefer', heartbeat: { intervalMs: 20, timeoutMs: 1_000 } });
    await client.connect();
    await until('a round trip was measured', () => client.connection.status.rttMs !== null);
    expect(client.of('opened')[0]).toMatchObject({ wire: 'holdfast.v1', isResumed: false });
  });

  test('speaks plain on the same socket with a server that echoes the name and says something else', async () => {
    const server = await startServer({
      onSocket: (socket) => {
        socket.send('hello there');
        echo(socket);
      },
    });
    const client = startClient({ url: server.url, wire: 'prefer' });
    const id = await client.connect();
    await client.service.sendMessage(id, 'hi');
    await until('both are there', () => client.messages.length === 2);
    expect(client.messages).toEqual(['hello there', 'hi']);
    expect([client.of('opened')[0]?.wire, server.opened]).toEqual(['plain', 1]);
  });

  test('speaks plain at the next attempt with a server that selects no name, and remembers that', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => false });
    await once(server, 'listening');
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      const client = startClient({ url, wire: 'prefer' });
      const id = await client.connect();
      expect(client.of('retrying')).toHaveLength(1);
      expect(client.of('opened')[0]?.wire).toBe('plain');
      await client.service.disconnect(id);
      await client.connect();
      expect(client.of('retrying')).toHaveLength(1);
    } finally {
      for (const socket of server.clients) socket.terminate();
      server.close();
    }
  });
});

describe('a service that requires holdfast.v1', () => {
  test('is told what is wrong with a server that does not speak it', async () => {
    const server = await startServer({ onSocket: (socket) => socket.send('hello there') });
    const client = startClient({ url: server.url, ...WIRE, retry: { maxRetries: 0 } });
    await expect(client.connect()).rejects.toMatchObject({ code: 'WIRE_UNAVAILABLE' });
  });
});
