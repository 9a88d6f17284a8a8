import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';

import { startClient } from '../support/client.ts';
import { pause, until } from '../support/deadline.ts';
import { runProgram, startProgram, usePrograms } from '../support/program.ts';
import { echo, freePort, startServer } from '../support/server.ts';

usePrograms();

describe('a process after destroy()', () => {
  test.each([
    ['idle', 'accept'],
    ['connecting', 'hold'],
    ['open', 'accept'],
    ['degraded', 'mute'],
    ['backoff', 503],
    ['closing', 'mute'],
    ['closed', 'accept'],
    ['failed', 'accept'],
  ] as const)(
    'ends by itself, with nothing of ours left, from %s (original fault 30) (pain 54)',
    async (state, upgrade) => {
      const server = await startServer({
        upgrade,
        onSocket: (socket) => {
          if (state === 'failed') socket.close(4403);
        },
      });
      const end = await runProgram('destroyIn', { args: [state, server.url] });
      expect(end).toMatchObject({ code: 0, signal: null, stderr: '' });
      const { before, after, timers, status } = end.result as Record<string, unknown>;
      expect({ after, timers, status }).toEqual({ after: before, timers: 0, status: [] });
      await until('the server sees the connection closed', () => server.tcp.size === 0);
    },
  );
});

describe('a process with a connection in backoff', () => {
  test('ends by itself with unrefTimers (pain 54)', async () => {
    const url = `ws://127.0.0.1:${await freePort()}`;
    const end = await runProgram('backoff', { args: ['true', url] });
    expect(end).toMatchObject({ code: 0, signal: null, result: 'in backoff', stderr: '' });
  });

  test('stays for the retry without it', async () => {
    const url = `ws://127.0.0.1:${await freePort()}`;
    const program = startProgram('backoff', { args: ['false', url] });
    await until('it is in backoff', () => program.reports.includes('in backoff'));
    await pause(500);
    expect(program.isRunning).toBe(true);
  });
});

test('a process whose connections are closed ends by itself, destroyed or not (pain 54)', async () => {
  const server = await startServer();
  const end = await runProgram('closed', { args: [server.url] });
  expect(end).toEqual({ code: 0, signal: null, result: 'closed', stderr: '' });
});

describe('two hundred connections, one after the other', () => {
  test('leave no socket, listener or warning behind (pain 62)', async () => {
    const server = await startServer({ onSocket: echo });
    const client = startClient({ url: server.url });
    const warnings: string[] = [];
    const warn = ({ message }: Error): void => void warnings.push(message);
    const listeners = (): number => process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
    process.on('warning', warn);
    try {
      const { signal } = new AbortController();
      const before = listeners();
      for (let cycle = 1; cycle <= 200; cycle++) {
        await client.service.connect({ serviceType: 'main', signal });
        await client.service.sendMessage('main', cycle);
        await client.service.disconnect('main');
        await until('no connection is left', () => server.tcp.size === 0);
      }
      expect(server.received).toHaveLength(200);
      expect(server.most).toBe(1);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      expect(listeners()).toBe(before);
      expect(client.service.getConnections()).toHaveLength(1);
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', warn);
    }
  });

  test('under names of their own are forgotten beyond the limit (original fault 23)', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url }, { maxInactive: 10 });
    for (let cycle = 1; cycle <= 200; cycle++) {
      const id = await client.service.connect({ serviceType: 'main', key: String(cycle) });
      await client.service.disconnect(id);
    }
    expect(client.service.getConnections().map(({ connectionId }) => connectionId)).toEqual(
      Array.from({ length: 10 }, (_, index) => `main:key=${191 + index}`),
    );
    await until('no connection is left', () => server.tcp.size === 0);
  });
});

describe('the collector', () => {
  test('gets released connections, and the lost sockets of a living one', async () => {
    const server = await startServer({
      onSocket: (socket) => {
        socket.on('message', (data) => {
          if ((data as Buffer).toString() === 'terminate') socket.terminate();
        });
      },
    });
    const end = await runProgram('garbage', { node: ['--expose-gc'], args: [server.url], deadlineMs: 20_000 });
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(end.result).toEqual({ known: 0, connections: 10, keptConnections: 0, sockets: 21, keptSockets: 0 });
  });
});
