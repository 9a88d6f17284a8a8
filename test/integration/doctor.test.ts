import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { WebSocket } from 'ws';

import { createHoldfastServer } from '../../src/server/index.ts';
import { serveWebSockets } from '../../src/server/ws.ts';
import { examined, SOUND, verdicts } from '../support/doctor.ts';
import { startEndpoint } from '../support/endpoints.ts';

describe('a WebSocket endpoint', () => {
  test('that is sound passes, hears who examines it, and no message', async () => {
    const server = await startEndpoint({ options: { handleProtocols: () => false } });
    const examination = await examined(server);
    expect(verdicts(examination)).toEqual(SOUND);
    expect(examination).toMatchObject({ verdict: 'passed', url: `${server.url}/` });
    expect(server.heard).toEqual([1000]);
    expect(server.requests[0]?.headers).toMatchObject({
      'user-agent': 'holdfast-doctor/1',
      'x-holdfast-diagnostics': '1',
      'sec-websocket-protocol': 'holdfast.v1',
    });
    expect(examination.of('subprotocol').facts).toEqual({ offered: ['holdfast.v1'], selected: null });
    expect(examination.of('compression').facts).toMatchObject({ accepted: null });
    expect(examination.of('round-trip').facts).toMatchObject({ sent: 5, answered: 5 });
    expect(examination.of('close').facts).toEqual({ answered: true, code: 1000, isLeftOpen: false });
  });

  test('is found by its name as well', async () => {
    const { port, tcp } = await startEndpoint({ options: { handleProtocols: () => false } });
    const examination = await examined({ url: `http://localhost:${port}`, tcp });
    expect(examination).toMatchObject({ verdict: 'passed', url: `ws://localhost:${port}/` });
    expect(examination.of('name').facts?.['addresses']).toContain('127.0.0.1');
  });

  test('that compresses says how', async () => {
    const server = await startEndpoint({ options: { perMessageDeflate: { serverNoContextTakeover: true } } });
    const { of } = await examined(server, '--wire-timeout', '0.05');
    expect(of('compression').facts).toMatchObject({ accepted: 'permessage-deflate; server_no_context_takeover' });
  });

  test('selects one of the subprotocols that are asked for', async () => {
    const server = await startEndpoint({ options: { handleProtocols: () => 'chat' } });
    const { verdict, of } = await examined(server, '--protocol', 'chat', '--protocol', 'other');
    expect(verdict).toBe('passed');
    expect(of('subprotocol').facts).toEqual({ offered: ['holdfast.v1', 'chat', 'other'], selected: 'chat' });
  });

  test('that selects none of them is warned of, for browsers end such a connection', async () => {
    const server = await startEndpoint({ options: { handleProtocols: () => false } });
    const examination = await examined(server, '--protocol', 'chat');
    expect(verdicts(examination)).toEqual({ ...SOUND, subprotocol: 'warning' });
    expect(examination.verdict).toBe('warning');
  });

  test('that echoes the name of a wire that it does not speak is told as plain', async () => {
    const server = await startEndpoint();
    const { verdict, of } = await examined(server, '--wire-timeout', '0.05');
    expect(verdict).toBe('passed');
    expect(of('wire')).toMatchObject({ facts: { wire: 'plain' }, advice: expect.stringContaining('plain') as string });
  });

  test('that speaks unasked is told by kind and length, never by content', async () => {
    const server = await startEndpoint({
      options: { handleProtocols: () => false },
      onSocket: (socket) => socket.send('{"secret":"welcome"}'),
    });
    const examination = await examined(server);
    expect(examination.of('wire').facts).toEqual({ wire: 'plain', first: { isBinary: false, bytes: 20 } });
    expect(JSON.stringify(examination)).not.toContain('welcome');
  });

  test('that pings is told so', async () => {
    const server = await startEndpoint({
      options: { handleProtocols: () => false },
      onSocket: (socket) => {
        const timer = setInterval(() => {
          socket.ping();
        }, 50);
        socket.on('close', () => {
          clearInterval(timer);
        });
      },
    });
    const { facts } = (await examined(server)).of('heartbeat');
    expect(facts?.['pings']).toBeGreaterThan(3);
    expect(facts?.['intervalMs']).toBeGreaterThan(40);
  });

  test.each([
    ['right', 0, 'passed'],
    ['half a minute slow', 30, 'passed'],
    ['ten minutes slow', 600, 'warning'],
  ])('tells by its date that its clock is %s', async (_, seconds, verdict) => {
    const date = new Date(Date.now() - seconds * 1_000).toUTCString();
    const server = await startEndpoint({ options: { handleProtocols: () => false }, headers: [`Date: ${date}`] });
    const clock = (await examined(server, '--pings', '1')).of('clock');
    expect(clock.verdict).toBe(verdict);
    expect(clock.facts?.['offsetMs']).toBeGreaterThan(-seconds * 1_000 - 2_000);
    expect(clock.facts?.['offsetMs']).toBeLessThan(-seconds * 1_000 + 2_000);
  });

  test('is examined in silence for as long as is wished', async () => {
    const server = await startEndpoint({ options: { handleProtocols: () => false } });
    const { of } = await examined(server, '--idle', '0.3');
    expect(of('idle')).toMatchObject({ verdict: 'passed', facts: { idleMs: 300, survived: true } });
    expect(of('close').verdict).toBe('passed');
  });

  test('that ends silent connections is warned of', async () => {
    const server = await startEndpoint({
      options: { handleProtocols: () => false },
      onSocket: (socket) => {
        setTimeout(() => {
          socket.terminate();
        }, 1_200);
      },
    });
    const examination = await examined(server, '--idle', '5');
    expect(verdicts(examination)).toMatchObject({ idle: 'warning', heartbeat: 'skipped', close: 'skipped' });
  });
});

describe('a server that speaks holdfast.v1', () => {
  test('shows it by its greeting, and never has a session', async () => {
    const http = createServer();
    const holdfast = createHoldfastServer<WebSocket>({ authenticate: () => ({ principal: 'ann' }), node: 'n1' });
    const attachment = serveWebSockets(holdfast, http);
    const sessions: unknown[] = [];
    holdfast.on('session', (session) => sessions.push(session));
    const tcp = new Set<Socket>();
    http.on('connection', (socket) => {
      tcp.add(socket);
      socket.on('close', () => tcp.delete(socket));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      attachment.close();
      await holdfast.close();
      await new Promise((resolve) => http.close(resolve));
    });
    const { port } = http.address() as AddressInfo;
    const examination = await examined({ url: `ws://127.0.0.1:${port}`, tcp }, '--idle', '60');
    expect(verdicts(examination)).toEqual(SOUND);
    expect(examination.of('wire').facts).toEqual({
      wire: 'holdfast.v1',
      versions: [1],
      node: 'n1',
      capabilities: [],
      pingIntervalMs: 25_000,
    });
    expect([sessions, holdfast.sessions.length, holdfast.socketCount]).toEqual([[], 0, 0]);
  });
});

describe('a secret', () => {
  test('is shown in no part of an examination, whoever repeats it', async () => {
    const secrets = [
      'user-hush',
      'pass-hush',
      'query-hush',
      'header-hush',
      '0123456789abcdefhush',
      'protocol-hush-012345',
    ];
    const [user, password, query, header, path, protocol] = secrets;
    const server = await startEndpoint({
      options: { handleProtocols: () => false },
      headers: [`Server: ${secrets.join(' ')}`],
      onSocket: (socket) => {
        socket.close(4400, secrets.join(' '));
      },
    });
    const url = `${server.url.replace('://', `://${user}:${password}@`)}/chat/${path}?key=${query}`;
    const args = ['--header', `Authorization: Bearer ${header}`, '--protocol', String(protocol)];
    const examination = await examined({ ...server, url }, ...args);
    expect(examination.url).toBe(`ws://…@127.0.0.1:${server.port}/chat/…?key=…`);
    expect(server.requests[0]?.headers).toMatchObject({ authorization: `Bearer ${header}` });
    expect(server.requests[0]?.url).toBe(`/chat/${path}?key=${query}`);
    expect(examination.of('handshake').facts?.['headers']).toEqual({ server: '… … … … … …' });
    expect(JSON.stringify(examination)).not.toContain('hush');
  });
});
