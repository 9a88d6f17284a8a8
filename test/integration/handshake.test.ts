import { describe, expect, test } from 'vitest';

import { startClient } from '../support/client.ts';
import { until } from '../support/deadline.ts';
import { startServer, startSilentServer } from '../support/server.ts';

describe('a refused handshake', () => {
  test.each([500, 502, 504])('with status %i is told in the error and retried (pain 50)', async (status) => {
    const server = await startServer({ upgrade: status });
    const client = startClient({ url: server.url });
    const connecting = client.connect();
    const error = await client.nth('error', 2);
    expect(error).toMatchObject({ code: 'HANDSHAKE_FAILED', retryable: true, closeCode: 1006, initiator: 'network' });
    expect(error).toMatchObject({ httpStatus: status, category: 'service_unavailable', strategy: 'reconnect' });
    expect(error.message).toContain(String(status));

    server.upgrade = 'accept';
    await connecting;
    expect(server.opened).toBe(1);
    await until('no refused connection is left', () => server.tcp.size === 1);
  });

  test.each([
    [401, 'authentication_failed', 'reauthenticate'],
    [403, 'permission_denied', 'manual'],
    [404, 'resource_not_found', 'manual'],
  ] as const)('with status %i is final where nothing else can be tried: %s', async (status, category, strategy) => {
    const server = await startServer({ upgrade: status });
    const client = startClient({ url: server.url });
    const known = { code: 'HANDSHAKE_FAILED', httpStatus: status, category, strategy, retryable: false };
    await expect(client.connect()).rejects.toMatchObject(known);
    expect(client.of('gaveUp')).toMatchObject([{ because: 'terminal', error: known }]);
    expect([client.state, server.requests.length]).toEqual(['failed', 1]);
    await until('no refused connection is left', () => server.tcp.size === 0);
  });

  test('with status 401 is answered with fresh credentials at once, once (pain 30)', async () => {
    const server = await startServer({ upgrade: 401 });
    let asked = 0;
    const credentials = { get: () => `token-${++asked}`, maxRejections: 1 };
    const client = startClient({
      url: server.url,
      credentials,
      protocols: ({ credentials: token }) => (typeof token === 'string' ? [token] : []),
      retry: { baseMs: 60_000, capMs: 60_000, promptMs: 20 },
    });
    await expect(client.connect()).rejects.toMatchObject({ category: 'authentication_failed', httpStatus: 401 });
    expect(server.requests.map(({ headers }) => headers['sec-websocket-protocol'])).toEqual(['token-1', 'token-2']);
    expect(client.of('gaveUp')).toMatchObject([{ because: 'credentials' }]);
  });

  test.each([
    [429, '8', 8_000],
    [503, '3', 3_000],
    [429, undefined, 5_000],
    [503, undefined, 1_000],
    [429, '31536000', 3_600_000],
    [429, 'soon', 5_000],
    [429, '-1', 5_000],
    [503, 'Thu, 01 Jan 1970 00:00:00 GMT', 1_000],
    [503, 'Fri, 31 Dec 9999 23:59:59 GMT', 3_600_000],
    [429, '9'.repeat(400), 3_600_000],
  ] as const)(
    'with status %i and Retry-After %s is waited out for at least %i ms, and an hour at the most',
    async (status, retryAfter, ms) => {
      const server = await startServer({ upgrade: status, ...(retryAfter && { retryAfter }) });
      const client = startClient({ url: server.url });
      void client.connect();
      const { delayMs, error } = await client.nth('retrying', 1);
      expect(error).toMatchObject({ httpStatus: status, strategy: 'wait', retryable: true, retryAfterMs: ms });
      // spread by up to as long again, so that clients do not come back as one
      expect(delayMs).toBeGreaterThanOrEqual(ms);
      expect(delayMs).toBeLessThanOrEqual(2 * ms + 20);
      expect([client.state, server.requests.length]).toEqual(['backoff', 1]);
    },
  );

  test.each([
    [401, 'authentication_failed', 'reauthenticate', undefined],
    [403, 'permission_denied', 'manual', undefined],
    [404, 'resource_not_found', 'manual', undefined],
    [429, 'rate_limited', 'wait', 7_000],
    [500, 'service_unavailable', 'reconnect', undefined],
    [503, 'service_unavailable', 'wait', 7_000],
  ] as const)(
    'with status %i and recovery off is one attempt, and what could be done about it is told',
    async (status, category, strategy, retryAfterMs) => {
      const server = await startServer({ upgrade: status, ...(retryAfterMs && { retryAfter: '7' }) });
      const client = startClient({ url: server.url, credentials: () => 'token' }, { enableAutoRecovery: false });
      const known = { httpStatus: status, category, strategy, retryAfterMs, retryable: false, attempt: 0 };
      await expect(client.connect()).rejects.toMatchObject(known);
      expect([client.state, client.of('retrying'), server.requests.length]).toEqual(['failed', [], 1]);
      expect(client.of('error')).toMatchObject([known]);
      expect(client.service.getErrorHistory()).toMatchObject([{ category, httpStatus: status }]);
    },
  );

  test('ends the connection where the application decides so', async () => {
    const server = await startServer({ upgrade: 500 });
    const client = startClient({
      url: server.url,
      decide: ({ closure }) => (closure?.status === 500 ? 'manual' : undefined),
    });
    await expect(client.connect()).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED', retryable: false });
    expect(client.state).toBe('failed');
    expect(server.requests).toHaveLength(1);
  });

  test('waits the backoff before each further attempt', async () => {
    const server = await startServer({ upgrade: 500 });
    const client = startClient({ url: server.url, retry: { baseMs: 50, capMs: 1_000, maxRetries: 4 } });
    await expect(client.connect()).rejects.toMatchObject({ code: 'RETRIES_EXHAUSTED' });
    expect(server.requests).toHaveLength(5);
    const delays = client.of('retrying').map(({ delayMs }) => delayMs);
    // at the server: what it sees of an attempt comes before the client's wait begins, however late anybody is told
    const times = server.requestedAtMs;
    for (const [index, delayMs] of delays.entries()) {
      expect(delayMs).toBeGreaterThanOrEqual(50);
      // a timer may fire within the millisecond before it is due
      expect((times[index + 1] ?? 0) - (times[index] ?? 0)).toBeGreaterThanOrEqual(delayMs - 1);
    }
  });
});

describe('a handshake that is not answered', () => {
  test.each([
    ['an HTTP server that never answers the upgrade', () => startServer({ upgrade: 'hold' })],
    ['a port that accepts and stays silent', startSilentServer],
  ])('is abandoned at the connect timeout, by %s (pain 24)', async (_, start) => {
    const CONNECT_TIMEOUT_MS = 200;
    const server = await start();
    const client = startClient({
      url: server.url,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      retry: { baseMs: 60_000, capMs: 60_000 },
    });
    const startedMs = performance.now();
    void client.connect();
    await until('the server has the connection', () => server.tcp.size === 1);
    const error = await client.nth('error', 1);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(CONNECT_TIMEOUT_MS - 1);
    expect(error).toMatchObject({ code: 'CONNECT_TIMEOUT', category: 'timeout', retryable: true });
    expect(client.state).toBe('backoff');
    await until('the server sees the connection closed', () => server.tcp.size === 0);
    expect(server.accepted).toBe(1);
  });

  test('never leaves more than one attempt with the server (pain 24)', async () => {
    const server = await startSilentServer();
    const client = startClient({ url: server.url, connectTimeoutMs: 20, retry: { baseMs: 10, capMs: 10 } });
    void client.connect();
    await client.nth('retrying', 20);
    await client.service.disconnect('main');
    await until('the server sees every connection closed', () => server.tcp.size === 0);
    // the server may hear of a new connection before it hears of the end of the one before
    expect(server.most).toBeLessThanOrEqual(2);
    expect(server.accepted).toBeGreaterThanOrEqual(20);
  });

  test('does not open when its answer comes too late (pain 22)', async () => {
    const server = await startServer({ upgrade: 'hold' });
    const client = startClient({ url: server.url, connectTimeoutMs: 50, retry: { baseMs: 10, capMs: 10 } });
    const connecting = client.connect();
    await client.nth('retrying', 1);
    server.upgrade = 'accept';
    await connecting;
    server.release();
    await client.service.sendMessage('main', 'who has it');
    await until('the message is there', () => server.received.length === 1);
    await until('one connection is left', () => server.tcp.size === 1);
    expect(server.sockets.size).toBe(1);
    expect(client.of('opened')).toHaveLength(1);
  });
});

describe('leaving while connecting', () => {
  test('leaves no socket behind when the URL comes after disconnect() (original fault 27)', async () => {
    const server = await startServer();
    const answers: ((url: string) => void)[] = [];
    const client = startClient({
      url: () =>
        new Promise<string>((resolve) => {
          answers.push(resolve);
        }),
    });
    const connecting = client.connect();
    await until('the provider is asked', () => answers.length === 1);
    await client.service.disconnect('main');
    await expect(connecting).rejects.toMatchObject({ code: 'CLOSED_LOCALLY' });
    answers[0]?.(server.url);

    const again = client.connect();
    await until('the provider is asked again', () => answers.length === 2);
    answers[1]?.(server.url);
    await again;
    expect(server.accepted).toBe(1);
  });

  test('breaks the handshake off, so that the server never has an open WebSocket (pain 22)', async () => {
    const server = await startServer({ upgrade: 'hold' });
    const client = startClient({ url: server.url });
    const connecting = client.connect();
    await until('the server has the request', () => server.requests.length === 1);
    await client.service.disconnect('main');
    expect(client.state).toBe('closed');
    await expect(connecting).rejects.toMatchObject({ code: 'CLOSED_LOCALLY' });
    await until('the server sees the connection closed', () => server.tcp.size === 0);
    server.release();
    expect(server.sockets.size).toBe(0);
    expect(client.of('opened')).toEqual([]);
  });

  test.each([
    ['signal', 'CONNECT_ABORTED', () => ({ signal: AbortSignal.timeout(100) })],
    ['deadline', 'CONNECT_DEADLINE', () => ({ timeoutMs: 100 })],
  ])('closes a connection that nobody waits for any more, by its %s (pain 56)', async (_, code, options) => {
    const server = await startServer({ upgrade: 'hold' });
    const client = startClient({ url: server.url });
    const connecting = client.service.connect({ serviceType: 'main', ...options() });
    await until('the server has the request', () => server.requests.length === 1);
    await expect(connecting).rejects.toMatchObject({ code });
    await until('the server sees the connection closed', () => server.tcp.size === 0);
    await client.reaches('closed');
  });

  test('and coming back at once leaves one socket of the new attempt (pain 22) (pain 44)', async () => {
    const server = await startServer({ upgrade: 'hold' });
    const client = startClient({ url: server.url });
    for (let attempt = 1; attempt <= 5; attempt++) {
      void client.connect();
      await until('the server has the request', () => server.requests.length === attempt);
      await client.service.disconnect('main');
    }
    server.upgrade = 'accept';
    await client.connect();
    server.release();
    await client.service.sendMessage('main', 'who has it');
    await until('the message is there', () => server.received.length === 1);
    await until('one connection is left', () => server.tcp.size === 1);
    expect(server.opened).toBe(1);
    expect(client.of('opened')).toHaveLength(1);
    expect(client.state).toBe('open');
  });
});
