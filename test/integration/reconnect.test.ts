import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';

import { startClient } from '../support/client.ts';
import { pause, until } from '../support/deadline.ts';
import { startProxy } from '../support/proxy.ts';
import { echo, freePort, startServer } from '../support/server.ts';

describe('a lost connection', () => {
  test.each([
    ['terminates without a close frame', 1006, false, 'network'],
    ['closes with 1000 (original fault 21)', 1000, true, 'peer'],
    ['closes with 1001', 1001, true, 'peer'],
    ['closes with 1011', 1011, true, 'peer'],
    ['closes without a code', 1005, true, 'peer'],
  ])('comes back when the server %s (pain 29)', async (_, code, wasClean, initiator) => {
    const server = await startServer({ onSocket: echo });
    const client = startClient({ url: server.url });
    await client.connect();
    const socket = await server.socket();
    if (code === 1006) socket.terminate();
    else if (code === 1005) socket.close();
    else socket.close(code, 'for a while');

    const closed = await client.nth('closed', 1);
    expect(closed).toMatchObject({
      code,
      wasClean,
      initiator,
      reason: code < 1005 || code === 1011 ? 'for a while' : '',
    });
    expect(await client.nth('opened', 2)).toMatchObject({ isReconnect: true, generation: 2, attempt: 1 });
    await client.service.sendMessage('main', 'here again');
    expect(await client.nth('message', 1)).toMatchObject({ data: 'here again' });
    expect(server.opened).toBe(2);
    expect(client.states).toEqual(['connecting', 'open', 'backoff', 'connecting', 'open']);
  });

  test('comes back when the network resets it', async () => {
    const server = await startServer();
    const proxy = await startProxy(server.port);
    const client = startClient({ url: proxy.url });
    await client.connect();
    proxy.cut();
    expect(await client.nth('closed', 1)).toMatchObject({ code: 1006, initiator: 'network' });
    expect(await client.nth('opened', 2)).toMatchObject({ isReconnect: true });
  });

  test('stays away for a second after 1012, and then comes back (original fault 34) (pain 29)', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url });
    await client.connect();
    await server.socket();
    server.close(1012, 'restarting');
    const { delayMs } = await client.nth('retrying', 1);
    expect(delayMs).toBeGreaterThanOrEqual(1_000);
    await client.nth('opened', 2);
    const [lostMs = 0] = client.timesOf('closed');
    const [, reopenedMs = 0] = client.timesOf('opened');
    // a timer may fire within the millisecond before it is due
    expect(reopenedMs - lostMs).toBeGreaterThanOrEqual(999);
  });

  test('has failed after a code that retrying cannot mend, and opens again when asked (original fault 20) (pain 1)', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url });
    await client.connect();
    await server.socket();
    server.close(4403, 'not you');
    const { because, error } = await client.nth('gaveUp', 1);
    expect(because).toBe('terminal');
    expect(error).toMatchObject({
      code: 'CLOSED_BY_PEER',
      category: 'permission_denied',
      closeCode: 4403,
      retryable: false,
    });
    expect(client.of('retrying')).toEqual([]);

    await client.connect();
    await client.service.sendMessage('main', 'once more');
    await until('the message is there', () => server.received.includes('once more'));
    expect(client.state).toBe('open');
  });

  test.each([
    [1002, 'protocol_error', false],
    [1008, 'permission_denied', false],
    [1011, 'service_unavailable', true],
    [1013, 'rate_limited', true],
    [4401, 'authentication_failed', false],
    [4404, 'resource_not_found', false],
    [4408, 'timeout', true],
    [4500, 'service_unavailable', true],
  ] as const)(
    'by the code %i is told as %s, and whether it is retried: %s (original fault 20) (original fault 33)',
    async (closeCode, category, retryable) => {
      const server = await startServer();
      const client = startClient({ url: server.url });
      await client.connect();
      await server.socket();
      server.close(closeCode, 'as it is');
      const closed = await client.nth('closed', 1);
      expect(closed.error).toMatchObject({
        code: 'CLOSED_BY_PEER',
        category,
        retryable,
        closeCode,
        closeReason: 'as it is',
      });
      expect(client.of('retrying')).toHaveLength(retryable ? 1 : 0);
      expect(client.of('gaveUp')).toHaveLength(retryable ? 0 : 1);
    },
  );

  test('counts on when the server accepts and closes, and gives up at the limit (original fault 20) (pain 32)', async () => {
    const server = await startServer({
      onSocket: (socket) => {
        socket.close(1011);
      },
    });
    const client = startClient({ url: server.url, retry: { baseMs: 5, capMs: 50, maxRetries: 4 } });
    void client.connect();
    const { because, error } = await client.nth('gaveUp', 1);
    expect(because).toBe('exhausted');
    expect(error.code).toBe('RETRIES_EXHAUSTED');
    expect(client.of('retrying').map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(server.opened).toBe(5);
    expect(client.of('error').map(({ code }) => code)).toEqual(Array(5).fill('CLOSED_BY_PEER'));
  });

  test('does not hammer a server that accepts and closes (pain 32)', async () => {
    const WINDOW_MS = 2_000;
    const BASE_MS = 100;
    const server = await startServer({
      onSocket: (socket) => {
        socket.terminate();
      },
    });
    const client = startClient({ url: server.url, retry: { baseMs: BASE_MS, capMs: 10_000 } });
    void client.connect();
    await pause(WINDOW_MS);
    // every wait is at least the base; and the ceilings of 200, 400, 800 ms and so on leave no room for that many
    expect(server.accepted).toBeGreaterThan(1);
    expect(server.accepted).toBeLessThanOrEqual(1 + WINDOW_MS / BASE_MS);
    const delays = client.of('retrying').map(({ delayMs }) => delayMs);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(BASE_MS);
    expect(client.of('retrying').map(({ attempt }) => attempt)).toEqual(delays.map((_, index) => index + 1));
  });

  test('opens one socket per loss, however often error and close tell of it (pain 23)', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url });
    await client.connect();
    for (let loss = 1; loss <= 10; loss++) {
      (await server.socket()).terminate();
      await client.nth('opened', loss + 1);
    }
    await server.socket();
    expect(server.accepted).toBe(11);
    expect(client.of('retrying')).toHaveLength(10);
  });

  test('stays closed when the application disconnects in backoff (pain 25)', async () => {
    const RETRY_MS = 100;
    const port = await freePort();
    const client = startClient({ url: `ws://127.0.0.1:${port}`, retry: { baseMs: RETRY_MS, capMs: RETRY_MS } });
    void client.connect();
    await client.reaches('backoff');
    const server = await startServer({ port });
    await client.service.disconnect('main');
    expect(client.state).toBe('closed');
    await pause(3 * RETRY_MS);
    expect(server.accepted).toBe(0);
    expect(client.state).toBe('closed');
  });
});

describe('a server that is down', () => {
  test('is waited for by connect(), which resolves once it is up (original fault 22) (pain 28)', async () => {
    const port = await freePort();
    const client = startClient({ url: `ws://127.0.0.1:${port}` });
    const connecting = client.connect();
    const error = await client.nth('error', 2);
    expect(error).toMatchObject({ code: 'HANDSHAKE_FAILED', retryable: true });
    expect(error.message).toContain('ECONNREFUSED');

    const server = await startServer({ port });
    expect(await connecting).toBe('main');
    expect(client.of('opened')).toMatchObject([
      { isReconnect: false, generation: client.connection.status.generation },
    ]);
    expect(server.opened).toBe(1);
    expect(client.service.getConnections()).toHaveLength(1);
  });

  test('is tried once and no more with maxRetries 0 (original fault 29)', async () => {
    const port = await freePort();
    const client = startClient({ url: `ws://127.0.0.1:${port}`, retry: { maxRetries: 0 } });
    await expect(client.connect()).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    expect(client.of('error')).toHaveLength(1);
    expect(client.of('retrying')).toEqual([]);
    expect(client.state).toBe('failed');
  });

  test('leaves nothing in the way of a later connect() (original fault 23) (pain 1)', async () => {
    const port = await freePort();
    const client = startClient({ url: `ws://127.0.0.1:${port}`, retry: { maxRetries: 0 } });
    for (let failure = 1; failure <= 5; failure++) await expect(client.connect()).rejects.toThrow();
    const server = await startServer({ port });
    expect(await client.connect()).toBe('main');
    expect(server.opened).toBe(1);
    expect(client.service.getConnections()).toHaveLength(1);
  });
});

describe('where to connect', () => {
  test('is asked again when the provider fails (original fault 26) (pain 2)', async () => {
    const server = await startServer();
    let asked = 0;
    const client = startClient({
      url: () => {
        asked += 1;
        if (asked < 3) throw new Error('no such name yet');
        return Promise.resolve(server.url);
      },
    });
    await client.connect();
    expect(asked).toBe(3);
    expect(client.of('error').map(({ code }) => code)).toEqual(['URL_FAILED', 'URL_FAILED']);
    expect(server.opened).toBe(1);
  });

  test('keeps its path and query over a reconnection (original fault 29)', async () => {
    const server = await startServer();
    const client = startClient({ url: `${server.url}/api/ws?room=a%20b&x=1` });
    await client.connect();
    (await server.socket()).terminate();
    await client.nth('opened', 2);
    expect(server.requests.map(({ url }) => url)).toEqual(Array(2).fill('/api/ws?room=a%20b&x=1'));
  });

  test('is one socket for two calls that name the same connection (original fault 28) (original fault 47)', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url });
    const ids = await Promise.all([client.connect(), client.connect()]);
    expect(ids).toEqual(['main', 'main']);
    expect(await client.connect()).toBe('main');
    expect(server.accepted).toBe(1);
  });
});

describe('one connection', () => {
  test('goes on while another of the same service is dropped (original fault 31)', async () => {
    const sockets = new Map<string, WebSocket>();
    const server = await startServer({
      onSocket: (socket, { url = '' }) => {
        sockets.set(url, socket);
        echo(socket);
      },
    });
    const client = startClient({ url: ({ terminalId = '' }) => `${server.url}/${terminalId}` });
    const [left, right] = await Promise.all([
      client.service.connect({ serviceType: 'main', terminalId: 'left' }),
      client.service.connect({ serviceType: 'main', terminalId: 'right' }),
    ]);
    sockets.get('/left')?.terminate();
    await client.nth('opened', 3);
    await client.service.sendMessage(right, 'still here');
    await client.nth('message', 1);
    expect(client.of('closed').map(({ connectionId }) => connectionId)).toEqual([left]);
    expect(client.service.getConnectionStatus(right)).toMatchObject({ generation: 1, state: 'open' });
  });
});
