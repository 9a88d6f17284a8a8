import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { WebSocket, WebSocketServer } from 'ws';
import { describe, expect, test } from 'vitest';

import type { ConfigurationError } from '../../src/errors.ts';
import { attachWebSocketServer, serveWebSockets } from '../../src/server/ws.ts';
import { createHoldfastServer, type HoldfastServer } from '../../src/server/server.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

class FakeWebSocket extends EventEmitter {
  protocol = 'holdfast.v1';
  bufferedAmount = 0;
  readonly did: unknown[] = [];
  send(data: unknown): void {
    this.did.push(data);
  }
  close(code: number, reason: string): void {
    this.did.push([code, reason]);
  }
  terminate(): void {
    this.did.push('terminated');
  }
}

function start() {
  const clock = new SimulatedClock();
  const plain: unknown[] = [];
  const messages: unknown[] = [];
  const holdfast = createHoldfastServer<WebSocket>({
    clock,
    authenticate: () => ({ principal: 'ann' }),
    onPlain: (socket) => plain.push(socket),
    onSession: (session) => {
      session.onMessage(({ data }) => messages.push(data));
    },
    origins: [],
  });
  const corks: string[] = [];
  const tcp = { cork: () => corks.push('cork'), uncork: () => corks.push('uncork') };
  const request = { headers: {}, socket: tcp } as unknown as IncomingMessage;
  return { clock, holdfast, plain, messages, corks, request };
}

const noOptions = (): WebSocketServer['options'] => ({});

async function connected() {
  const started = start();
  const server = Object.assign(new EventEmitter(), { options: noOptions() });
  const attachment = attachWebSocketServer(started.holdfast, server as unknown as WebSocketServer);
  const socket = new FakeWebSocket();
  server.emit('connection', socket, started.request);
  const hello = '{"t":"hello","v":1,"nonce":"n","caps":[],"lim":{"frame":9999,"inflated":0,"win":{"m":9,"b":999}}}';
  socket.emit('message', Buffer.from(hello), false);
  await started.clock.advanceAsync(0);
  return { ...started, server, attachment, socket };
}

describe('a WebSocketServer of the application', () => {
  test('selects the subprotocol for those who offer it, and leaves the others without one', async () => {
    const { server, request } = await connected();
    const { handleProtocols } = server.options;
    expect([
      handleProtocols?.(new Set(['a', 'holdfast.v1']), request),
      handleProtocols?.(new Set(['a']), request),
    ]).toEqual(['holdfast.v1', false]);
  });

  test('refuses at the handshake who may not connect', async () => {
    const { server } = await connected();
    const answers: unknown[] = [];
    const verify = server.options.verifyClient as (info: object, answer: (...said: unknown[]) => void) => void;
    for (const headers of [{ origin: 'https://a.example' }, { 'sec-websocket-protocol': 'holdfast.v1' }])
      verify({ req: { headers } }, (...said) => answers.push(said));
    expect(answers).toEqual([[false, 403, 'This origin may not connect.'], [true]]);
  });

  test('asks what it was told before as well', () => {
    const { holdfast, request } = start();
    const answers: unknown[] = [];
    const own: WebSocketServer['options'][] = [
      { handleProtocols: () => 'chat', verifyClient: ({ origin }: { origin: string }) => origin === 'a' },
      {
        verifyClient: ({ origin }: { origin: string }, answer: (isAllowed: boolean, code: number) => void) => {
          answer(origin === 'a', 401);
        },
      },
    ];
    for (const options of own) {
      const server = Object.assign(new EventEmitter(), { options });
      attachWebSocketServer(holdfast, server as unknown as WebSocketServer);
      const verify = options.verifyClient as (info: object, answer: (...said: unknown[]) => void) => void;
      for (const origin of ['a', 'b']) verify({ origin, req: { headers: {} } }, (...said) => answers.push(said[0]));
      answers.push(options.handleProtocols?.(new Set(['chat']), request));
    }
    expect(answers).toEqual([true, false, 'chat', true, false, false]);
  });

  test.each([
    [104_857_600, 1_048_576],
    [0, 1_048_576],
    [65_536, 65_536],
  ])('takes no larger messages than the protocol needs: %d bytes become %d', (own, effective) => {
    const { holdfast } = start();
    const server = Object.assign(new EventEmitter(), { options: { ...noOptions(), maxPayload: own } });
    const attachment = attachWebSocketServer(holdfast, server as unknown as WebSocketServer);
    expect(server.options.maxPayload).toBe(effective);
    attachment.close();
    expect(server.options.maxPayload).toBe(own);
  });

  test('gets its settings back when it is let go, and its sockets go on', async () => {
    const { server, attachment, socket, holdfast } = await connected();
    attachment.close();
    expect(server.options).toEqual({ handleProtocols: undefined, verifyClient: undefined });
    server.emit('connection', new FakeWebSocket(), { headers: {} });
    expect([holdfast.socketCount, socket.did.length]).toEqual([1, 2]);
  });
});

describe('a socket of ws', () => {
  test('is read in every form that ws has for data', async () => {
    const { socket, messages, clock } = await connected();
    socket.emit('message', Buffer.from('1["text"]'), false);
    socket.emit('message', [Buffer.from('2["in '), Buffer.from('parts"]')], false);
    socket.emit('message', Buffer.from([1, 3, 0, 1, 0, 1, 7]), true);
    socket.emit('message', new Uint8Array([1, 4, 0, 1, 0, 1, 8]).buffer, true);
    await clock.advanceAsync(0);
    expect(messages).toEqual(['text', 'in parts', new Uint8Array([7]), new Uint8Array([8])]);
  });

  test('sends what belongs together in one piece', async () => {
    const { socket, holdfast, corks, clock } = await connected();
    holdfast.sessions[0]?.send('hi');
    await clock.advanceAsync(0);
    expect([socket.did.at(-1), corks]).toEqual(['1["hi"]', ['cork', 'uncork']]);
  });

  test('is alive as long as it pings and pongs', async () => {
    const { socket, clock } = await connected();
    for (const sign of ['ping', 'pong', 'ping']) {
      await clock.advanceAsync(30_000);
      socket.emit(sign);
    }
    expect(socket.did.length).toBe(2);
    await clock.advanceAsync(40_000);
    expect(socket.did.slice(2)).toEqual([[4202, 'nothing was heard in time'], 'terminated']);
  });

  test('tells of its end, and harms nobody with its errors', async () => {
    const { socket, holdfast } = await connected();
    socket.emit('error', new Error('reset'));
    socket.emit('close', 1006, Buffer.alloc(0));
    expect([holdfast.socketCount, holdfast.sessions[0]?.state]).toEqual([0, 'detached']);
  });

  test('that speaks something else is the application’s', () => {
    const { holdfast, plain, request } = start();
    const server = Object.assign(new EventEmitter(), { options: noOptions() });
    attachWebSocketServer(holdfast, server as unknown as WebSocketServer);
    const socket = Object.assign(new FakeWebSocket(), { protocol: '' });
    server.emit('connection', socket, request);
    expect([plain, holdfast.socketCount]).toEqual([[socket], 0]);
  });
});

describe('an HTTP server', () => {
  function upgrade(holdfast: HoldfastServer<WebSocket>, url: string, path?: string): string[] {
    const http = new EventEmitter();
    const served = serveWebSockets(holdfast, http as unknown as Server, path === undefined ? {} : { path });
    const said: string[] = [];
    const tcp = Object.assign(new EventEmitter(), { end: (text: string) => said.push(text) });
    http.emit('upgrade', { url, headers: { origin: 'https://a.example' } }, tcp, Buffer.alloc(0));
    served.close();
    http.emit('upgrade', { url, headers: {} }, tcp, Buffer.alloc(0));
    return said;
  }
  const firstLine = ([text = '']: string[]): string => text.split('\r\n', 1)[0] ?? '';

  test('refuses at the handshake who may not connect, and other paths where nobody else takes them', () => {
    const { holdfast } = start();
    expect(firstLine(upgrade(holdfast, '/any'))).toBe('HTTP/1.1 403 Forbidden');
    expect(firstLine(upgrade(holdfast, '/live?x=1', '/live'))).toBe('HTTP/1.1 403 Forbidden');
    expect(firstLine(upgrade(holdfast, '/other', '/live'))).toBe('HTTP/1.1 404 Not Found');
    expect(upgrade(holdfast, '/any')).toHaveLength(1);
  });

  test('says in a line why it refuses', async () => {
    const { holdfast } = start();
    const without = createHoldfastServer<WebSocket>({ authenticate: () => null });
    const leaving = createHoldfastServer<WebSocket>({ authenticate: () => null });
    await leaving.drain();
    const answers = [
      upgrade(without, '/'),
      upgrade(holdfast, '/'),
      upgrade(holdfast, '/a', '/b'),
      upgrade(leaving, '/'),
    ];
    const bodies = answers.map(([text = '']) => text.split('\r\n\r\n'));
    expect(bodies.map(([, body]) => body)).toEqual([
      'This server speaks holdfast.v1 only, and the handshake did not offer it as a subprotocol.\n',
      'This origin may not connect.\n',
      'No WebSocket is served at this path.\n',
      'This server is about to leave, and takes no new connections.\n',
    ]);
    for (const [head, body = ''] of bodies) expect(head).toContain(`Content-Length: ${body.length}`);
  });
});

describe('what is no such server, or no such option,', () => {
  const http = (): Server => new EventEmitter() as unknown as Server;
  const ofWs = (): WebSocketServer =>
    Object.assign(new EventEmitter(), { options: noOptions(), handleUpgrade: () => undefined }) as never;
  const serve = serveWebSockets as (...args: unknown[]) => unknown;
  const attach = attachWebSocketServer as (...args: unknown[]) => unknown;

  test.each<[string, (holdfast: unknown) => unknown, string[]]>([
    ['a path without its slash', (made) => serve(made, http(), { path: 'live' }), ['path: must be a path']],
    ['a path with a query', (made) => serve(made, http(), { path: '/live?x' }), ['path: must be a path']],
    ['a path for the options', (made) => serve(made, http(), '/live'), ['options: must be an object']],
    ['an unknown option', (made) => serve(made, http(), { paths: '/' }), ['paths: unknown option']],
    ['a limit that is none', (made) => serve(made, http(), { maxPayload: -1 }), ['maxPayload: must be a whole number']],
    [
      'a limit below that of frames',
      (made) => serve(made, http(), { maxPayload: 262_143 }),
      ['maxPayload: must be at least limits.frameBytes, which is 262144'],
    ],
    [
      'the one in the place of the other',
      (made) => serve(http(), made),
      ['holdfast: must be a server that createHoldfastServer made', 'httpServer: must be an HTTP server of Node'],
    ],
    ['nothing', () => serve(), ['holdfast: is required', 'httpServer: is required']],
    ['a WebSocketServer for an HTTP server', (made) => serve(made, ofWs()), ['httpServer: must be an HTTP server']],
    [
      'the one in the place of the other, with a WebSocketServer',
      (made) => attach(ofWs(), made),
      ['holdfast: must be a server that', 'webSocketServer: must be a WebSocketServer of ws'],
    ],
    ['an HTTP server for a WebSocketServer', (made) => attach(made, http()), ['webSocketServer: must be a WebSocketS']],
  ])('is told by name: %s', (_what, act, problems) => {
    const { holdfast } = start();
    let said: readonly string[] = [];
    try {
      act(holdfast);
    } catch (error) {
      said = (error as ConfigurationError).problems;
    }
    expect(said).toHaveLength(problems.length);
    for (const [index, problem] of problems.entries()) expect(said[index]).toMatch(new RegExp(`^${problem}`));
  });
});
