import { describe, expect, test } from 'vitest';

import { startClient } from '../support/client.ts';
import { pause, until } from '../support/deadline.ts';
import { startProgram, usePrograms } from '../support/program.ts';
import { startProxy } from '../support/proxy.ts';
import { startServer } from '../support/server.ts';
import { startServerProcess } from '../support/server-process.ts';

usePrograms();

// how much later than due a busy machine may notice anything
const SLACK_MS = 1_500;

describe('a server process that is frozen', () => {
  test('makes the connection degraded, then lost; it is open again after the thaw (original fault 24) (pain 3)', async () => {
    const server = await startServerProcess();
    const client = startClient({
      url: server.url,
      connectTimeoutMs: 200,
      heartbeat: { intervalMs: 100, lateMs: 150, timeoutMs: 400 },
    });
    await client.connect();
    server.freeze();
    const closed = await client.nth('closed', 1);
    expect(closed).toMatchObject({
      code: 1006,
      initiator: 'network',
      error: { code: 'LINK_DEAD', category: 'timeout', retryable: true },
    });
    expect(client.statesBefore('closed').slice(-3)).toEqual(['open', 'degraded', 'backoff']);
    // the kernel goes on accepting for the frozen process, and no more than that
    await until('an attempt runs into the freeze', () =>
      client.of('error').some(({ code }) => code === 'CONNECT_TIMEOUT'),
    );
    const waiting = client.service.sendMessage('main', 'after the thaw');

    server.thaw();
    await client.nth('opened', 2);
    await waiting;
    expect(await client.nth('message', 1)).toMatchObject({ data: 'after the thaw' });
    expect(client.state).toBe('open');
  });

  test('is forgiven a freeze shorter than the deadline', async () => {
    const server = await startServerProcess();
    const client = startClient({
      url: server.url,
      heartbeat: { intervalMs: 50, lateMs: 100, timeoutMs: 60_000 },
    });
    await client.connect();
    server.freeze();
    await client.reaches('degraded');
    const sent = client.service.sendMessage('main', 'slowly');
    expect(await sent).toMatchObject({ outcome: 'sent' });
    server.thaw();
    await client.nth('message', 1);
    await client.reaches('open');
    expect(client.of('closed')).toEqual([]);
    expect(client.connection.status.generation).toBe(1);
  });
});

describe('a client process that is frozen', () => {
  test('for longer than the deadline finds its healthy connection as it left it (pain 7)', async () => {
    const TIMEOUT_MS = 2_000;
    const server = await startServer();
    const program = startProgram('watchful', { args: [server.url, String(TIMEOUT_MS)] });
    const socket = await server.socket();
    await until('it probes', () => server.received.length === 1);
    // it has begun to doubt when it is frozen, and the answer waits for it in the socket
    await pause(300);
    program.freeze();
    socket.send('here');
    await pause(TIMEOUT_MS);
    socket.on('message', () => socket.send('here'));
    program.thaw();
    await until('it probes again', () => server.received.length >= 4);
    socket.send('enough');
    const end = await program.end();
    expect(end).toMatchObject({ code: 0, stderr: '', result: { generation: 1, lost: [] } });
    expect(server.opened).toBe(1);
  });
});

describe('a half-open connection', () => {
  test('is noticed within interval and timeout, and replaced (original fault 24) (pain 3) (pain 5)', async () => {
    const INTERVAL_MS = 200;
    const TIMEOUT_MS = 400;
    const server = await startServer();
    const proxy = await startProxy(server.port);
    const client = startClient({
      url: proxy.url,
      heartbeat: { intervalMs: INTERVAL_MS, lateMs: 100, timeoutMs: TIMEOUT_MS },
    });
    await client.connect();
    const [first] = server.sockets;
    proxy.swallow();
    const swallowedMs = performance.now();
    expect(await client.nth('closed', 1)).toMatchObject({ code: 1006, wasClean: false, error: { code: 'LINK_DEAD' } });
    const [noticedMs = Infinity] = client.timesOf('closed');
    expect(noticedMs - swallowedMs).toBeLessThan(INTERVAL_MS + TIMEOUT_MS + SLACK_MS);

    await client.nth('opened', 2);
    await client.service.sendMessage('main', 'over the new one');
    await until('the message is there', () => server.received.includes('over the new one'));
    // the far side still believes in the old one: nothing was waited for
    expect(first?.readyState).toBe(first?.OPEN);
    await until('the client has let go of the dead socket', () => proxy.clients === 1);
  });

  test('stays unnoticed where heartbeats are off, until the application closes it (pain 35)', async () => {
    const server = await startServer();
    const proxy = await startProxy(server.port);
    const client = startClient({ url: proxy.url, heartbeat: false, closeTimeoutMs: 100 });
    await client.connect();
    proxy.swallow();
    expect(await client.service.sendMessage('main', 'into the void')).toMatchObject({ outcome: 'sent' });
    await client.service.disconnect('main');
    expect(client.state).toBe('closed');
    await until('the client has let go of the dead socket', () => proxy.clients === 0);
    expect(server.received).toEqual([]);
  });

  test('is told from a quiet one: a peer that answers probes stays connected', async () => {
    const server = await startServer();
    let pings = 0;
    const client = startClient({ url: server.url, heartbeat: { intervalMs: 10, lateMs: 5_000, timeoutMs: 10_000 } });
    await client.connect();
    (await server.socket()).on('ping', () => pings++);
    await until('many probes were made', () => pings >= 20);
    expect(client.states).toEqual(['connecting', 'open']);
  });

  test('is noticed by a message that the application chose as its probe', async () => {
    const server = await startServer({ onSocket: (socket) => socket.on('message', () => socket.send('pong')) });
    const proxy = await startProxy(server.port);
    const client = startClient({
      url: proxy.url,
      heartbeat: { intervalMs: 20, lateMs: 100, timeoutMs: 500, ping: () => ({ type: 'ping' }) },
    });
    await client.connect();
    await client.nth('message', 3);
    expect(server.received[0]).toBe('{"type":"ping"}');
    proxy.swallow();
    expect(await client.nth('closed', 1)).toMatchObject({ error: { code: 'LINK_DEAD' } });
    await client.nth('opened', 2);
  });
});
