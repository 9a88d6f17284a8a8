import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { ClientOptions } from 'ws';
import { describe, expect, test } from 'vitest';

import { MAX_MESSAGE_BYTES, shakeHands, type WebSocketClass, type Wish } from '../../src/cli/handshake.ts';

class FakeWebSocket extends EventEmitter {
  static last: FakeWebSocket;
  readonly CLOSED = 3;
  readyState = 0;
  readonly options: ClientOptions;

  constructor(_url: URL, options: ClientOptions) {
    super();
    this.options = options;
    FakeWebSocket.last = this;
  }

  terminate(): void {
    this.readyState = this.CLOSED;
    this.emit('error', new Error('closed before it was established'));
    this.emit('close', 1006, Buffer.alloc(0));
  }
}

function start(given: Partial<Wish> = {}) {
  const stream = { isDestroyed: false, destroy: () => (stream.isDestroyed = true) };
  const shaking = shakeHands({
    WebSocket: FakeWebSocket as unknown as WebSocketClass,
    url: new URL('ws://host/'),
    stream: stream as unknown as Socket,
    protocols: ['holdfast.v1', 'chat'],
    headers: [],
    origin: null,
    userAgent: 'holdfast-doctor/1',
    tame: String,
    signal: new AbortController().signal,
    ...given,
  });
  return { shaking, stream, socket: FakeWebSocket.last };
}

describe('a handshake', () => {
  test('says who asks, offers what is wished, and takes no large message', async () => {
    const headers = [
      ['Cookie', 'a=1'],
      ['X-A', '1'],
      ['x-a', '2'],
    ] as const;
    const { shaking, socket, stream } = start({ headers, origin: 'https://x' });
    expect(socket.options).toMatchObject({
      origin: 'https://x',
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: true,
      followRedirects: false,
      headers: {
        Cookie: ['a=1'],
        'User-Agent': 'holdfast-doctor/1',
        'X-Holdfast-Diagnostics': '1',
        'Sec-WebSocket-Protocol': 'holdfast.v1, chat',
      },
    });
    expect((socket.options as { createConnection: () => unknown }).createConnection()).toBe(stream);
    socket.terminate();
    await shaking;
  });

  test('offers nothing where nothing is wished', async () => {
    const { shaking, socket } = start({ protocols: [] });
    expect(socket.options.headers).not.toHaveProperty('Sec-WebSocket-Protocol');
    expect(socket.options).not.toHaveProperty('origin');
    socket.terminate();
    await shaking;
  });

  test('that succeeds keeps the answer, and the subprotocol out of the sight of ws', async () => {
    const { shaking, socket, stream } = start();
    const response = { statusCode: 101, headers: { 'sec-websocket-protocol': 'chat', date: 'now' } };
    socket.emit('upgrade', response);
    expect(response.headers).toEqual({ date: 'now' });
    socket.emit('open');
    const { answer, visit } = await shaking;
    expect(answer).toMatchObject({ outcome: 'open', status: 101, problem: null });
    expect(answer.headers).toEqual({ 'sec-websocket-protocol': 'chat', date: 'now' });
    expect([visit?.ending, stream.isDestroyed]).toEqual([null, false]);
  });

  test.each([
    [
      'refused',
      (socket: FakeWebSocket) => socket.emit('unexpected-response', {}, { statusCode: 401, headers: {} }),
      { outcome: 'refused', status: 401 },
    ],
    [
      'broken',
      (socket: FakeWebSocket) => socket.emit('error', new Error('Parse Error')),
      { outcome: 'broken', problem: 'Parse Error' },
    ],
    [
      'answered with an alert',
      (socket: FakeWebSocket) =>
        socket.emit('error', Object.assign(new Error('Parse Error'), { rawPacket: Buffer.from([0x15, 3]) })),
      { outcome: 'broken', problem: 'the server speaks TLS at this port' },
    ],
  ])('that is %s leaves nothing behind', async (_, happen, told) => {
    const { shaking, socket, stream } = start();
    happen(socket);
    const { answer, visit } = await shaking;
    expect(answer).toMatchObject(told);
    expect([visit, socket.readyState, stream.isDestroyed]).toEqual([null, socket.CLOSED, true]);
  });

  test('that is not answered in time leaves nothing behind', async () => {
    const ending = new AbortController();
    const { shaking, socket, stream } = start({ signal: ending.signal });
    ending.abort();
    const { answer } = await shaking;
    expect(answer).toMatchObject({ outcome: 'silent', status: null, headers: {} });
    expect([socket.readyState, stream.isDestroyed]).toEqual([socket.CLOSED, true]);
  });
});
