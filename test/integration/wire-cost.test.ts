import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { FrameTap, since, type Traffic } from '../../bench/frame-tap.ts';
import { chat, messagesOf, Roll, terminal, type Payloads } from '../../bench/payloads.ts';
import { APART, BURSTS, pour, type Shape } from '../../bench/turns.ts';
import { createHoldfastServer } from '../../src/server/index.ts';
import { serveWebSockets } from '../../src/server/ws.ts';
import { startClient } from '../support/client.ts';
import { until } from '../support/deadline.ts';

interface Load {
  payloads: Payloads;
  shape: Shape;
  messages: number;
}

/** A server that counts what its one WebSocket takes, and checks what comes by it. */
class CountingServer {
  readonly http = createServer();
  readonly roll: Roll;
  readonly #messages: number;
  #taken = 0;
  #tap: FrameTap | undefined;

  constructor({ payloads, messages }: Load) {
    this.roll = new Roll(payloads, 0);
    this.roll.expect(messages, { isExact: true });
    this.#messages = messages;
    this.http.on('upgrade', (_request, socket: Socket) => {
      this.#tap = new FrameTap(socket);
    });
    onTestFinished(() => {
      this.http.closeAllConnections();
      this.http.close();
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve));
    return `ws://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  get traffic(): Traffic {
    if (!this.#tap) throw new Error('Nobody has connected.');
    return this.#tap.traffic;
  }

  /** What the messages cost: bytes in both directions, and frames with messages. */
  async cost(send: () => Promise<void>): Promise<{ bytes: number; frames: number }> {
    const before = this.traffic;
    await send();
    await until('every message is there', () => this.#taken >= this.#messages);
    expect(this.roll.faults).toBe(0);
    const { bytesIn, bytesOut, framesIn } = since(before, this.traffic);
    return { bytes: bytesIn + bytesOut, frames: framesIn };
  }

  take(message: unknown): void {
    this.#taken += 1;
    this.roll.take(message);
  }
}

async function costOfRaw(load: Load): Promise<number> {
  const server = new CountingServer(load);
  const sockets = new WebSocketServer({ server: server.http, perMessageDeflate: false });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      server.take(JSON.parse(data.toString()));
    });
  });
  const socket = new WebSocket(await server.listen(), { perMessageDeflate: false });
  onTestFinished(() => {
    socket.terminate();
  });
  await new Promise((resolve) => socket.once('open', resolve));
  const send = (message: object): void => {
    socket.send(JSON.stringify(message));
  };
  const cost = await server.cost(() => pour({ send }, messagesOf(load.payloads, 0, load.messages), load.shape));
  expect(cost.frames).toBe(load.messages);
  return cost.bytes;
}

async function costOfHoldfast(load: Load, compression: boolean | 'window'): Promise<{ bytes: number; frames: number }> {
  // a server agrees to no compression until it has loaded the code for it, and tells nobody when it has
  if (compression) await import('../../src/protocol/deflater.ts');
  const server = new CountingServer(load);
  const holdfast = createHoldfastServer<WebSocket>({
    authenticate: () => ({ principal: 'ann' }),
    compression: compression === 'window' ? { windows: 1 } : compression,
    onSession: (session) => {
      session.onMessage(({ data }) => {
        server.take(data);
      });
    },
  });
  serveWebSockets(holdfast, server.http);
  onTestFinished(() => holdfast.close());
  const client = startClient({
    url: await server.listen(),
    wire: { use: 'required', compression },
    queue: { maxMessages: load.messages },
  });
  await client.connect();
  return server.cost(async () => {
    const send = (message: object): void => {
      client.connection.send(message);
    };
    await pour({ send }, messagesOf(load.payloads, 0, load.messages), load.shape);
    // with the acknowledgements, which count
    await client.connection.drainQueue({ timeoutMs: 10_000 });
  });
}

test('a chat in bursts of 100 takes at most 10 frames per 1,000 messages', async () => {
  const { frames } = await costOfHoldfast({ payloads: chat, shape: BURSTS, messages: 1_000 }, false);
  expect(frames).toBeLessThanOrEqual(10);
});

test('a compressed chat in bursts of 100 takes at most 10 frames per 1,000 messages, and 0.32 of the bytes of raw JSON (original fault 3)', async () => {
  const load = { payloads: chat, shape: BURSTS, messages: 1_000 };
  const { bytes, frames } = await costOfHoldfast(load, true);
  expect(frames).toBeLessThanOrEqual(10);
  expect(bytes / (await costOfRaw(load))).toBeLessThanOrEqual(0.32);
});

test('small messages that travel alone take at most 1.2 of the bytes of raw JSON', async () => {
  const load = { payloads: terminal, shape: APART, messages: 200 };
  const { bytes, frames } = await costOfHoldfast(load, false);
  // gathered they would say nothing of a message alone
  expect(frames).toBe(load.messages);
  expect(bytes / (await costOfRaw(load))).toBeLessThanOrEqual(1.2);
});

test.each([
  ['a terminal', terminal, 0.55],
  ['a chat', chat, 0.5],
])(
  'messages of %s that travel alone take at most so much of the bytes of raw JSON with a window',
  async (_what, payloads, most) => {
    const load = { payloads, shape: APART, messages: 200 };
    const { bytes, frames } = await costOfHoldfast(load, 'window');
    expect(frames).toBe(load.messages);
    expect(bytes / (await costOfRaw(load))).toBeLessThanOrEqual(most);
  },
);
