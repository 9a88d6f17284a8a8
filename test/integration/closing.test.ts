import { describe, expect, test } from 'vitest';

import { startClient } from '../support/client.ts';
import { until } from '../support/deadline.ts';
import { startServer } from '../support/server.ts';

describe('disconnect()', () => {
  test('ends with both close frames, and stays closed', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url });
    await client.connect();
    await client.service.disconnect('main', { code: 4000, reason: 'shift over' });
    expect(client.of('closed')).toMatchObject([
      { code: 4000, reason: 'shift over', wasClean: true, initiator: 'local', error: null },
    ]);
    expect(client.states).toEqual(['connecting', 'open', 'closing', 'closed']);
    expect(client.of('error')).toEqual([]);
    await until('the server sees the close frame', () => server.closes.length === 1);
    expect(server.closes).toEqual([{ code: 4000, reason: 'shift over' }]);
    await until('the server sees the connection closed', () => server.tcp.size === 0);
  });

  test('hands over what was sent before it', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url });
    await client.connect();
    const sent = [1, 2, 3].map((n) => client.service.sendMessage('main', `last words ${n}`));
    await client.service.disconnect('main');
    await Promise.all(sent);
    await until('the messages are there', () => server.received.length === 3);
    expect(server.received).toEqual(['last words 1', 'last words 2', 'last words 3']);
  });

  test('does not wait for a server that never answers the close frame (pain 35)', async () => {
    const CLOSE_TIMEOUT_MS = 200;
    const server = await startServer({ upgrade: 'mute' });
    const client = startClient({ url: server.url, closeTimeoutMs: CLOSE_TIMEOUT_MS });
    await client.connect();
    const startedMs = performance.now();
    await client.service.disconnect('main');
    const tookMs = performance.now() - startedMs;
    // a timer may fire within the millisecond before it is due; the socket's own patience would be 30 s
    expect(tookMs).toBeGreaterThanOrEqual(CLOSE_TIMEOUT_MS - 1);
    expect(tookMs).toBeLessThan(CLOSE_TIMEOUT_MS + 1_000);
    expect(client.of('closed')).toMatchObject([{ code: 1000, wasClean: false, initiator: 'local', error: null }]);
    await until('the server sees the connection closed', () => server.tcp.size === 0);
  });

  test('resolves at once when there is nothing to close, and when asked twice resolves twice', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url });
    await client.connect();
    await Promise.all([client.service.disconnect('main'), client.service.disconnect('main')]);
    await client.service.disconnect('main');
    expect(client.of('closed')).toHaveLength(1);
    await until('the server sees the connection closed', () => server.tcp.size === 0);
  });

  test('answers those who still wait for the connection to open (original fault 19)', async () => {
    const server = await startServer({ upgrade: 'hold' });
    const client = startClient({ url: server.url });
    const waiting = [client.connect(), client.connect()];
    await until('the server has the request', () => server.requests.length === 1);
    await client.service.disconnect('main');
    for (const connecting of waiting) await expect(connecting).rejects.toMatchObject({ code: 'CLOSED_LOCALLY' });
  });
});

describe('connect() while closing', () => {
  test('gives a new socket, and does not wait for the old one (pain 1) (pain 35)', async () => {
    const server = await startServer({ upgrade: 'mute' });
    const client = startClient({ url: server.url, closeTimeoutMs: 60_000 });
    await client.connect();
    const disconnecting = client.service.disconnect('main');
    expect(client.state).toBe('closing');
    server.upgrade = 'accept';
    await client.connect();
    await until('the old connection is gone', () => server.tcp.size === 1);
    expect(client.connection.status).toMatchObject({ state: 'open', generation: 2 });
    expect(client.of('opened').at(-1)).toMatchObject({ isReconnect: false });
    await client.service.sendMessage('main', 'on the new one');
    await until('the message is there', () => server.received.length === 1);

    await client.service.disconnect('main');
    await disconnecting;
  });

  test('loses nothing that is sent in between', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url });
    await client.connect();
    for (let round = 1; round <= 20; round++) {
      void client.service.disconnect('main');
      const opening = client.connect();
      void client.service.sendMessage('main', `round ${round}`);
      await opening;
    }
    await until('the messages are there', () => server.received.length === 20);
    expect(server.received).toEqual(Array.from({ length: 20 }, (_, index) => `round ${index + 1}`));
    await until('one connection is left', () => server.tcp.size === 1);
    expect(client.states.filter((state) => state === 'failed')).toEqual([]);
  });
});
