import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { startClient } from '../support/client.ts';
import { until } from '../support/deadline.ts';
import { startServer, type TestServer } from '../support/server.ts';

const KILOBYTES = 64;
const message = (index: number): string => `${index} ${'.'.repeat(KILOBYTES * 1_024 - 10)}`;
const queue = { maxBytes: 1e9, highWaterBytes: 256 * 1_024, lowWaterBytes: 64 * 1_024 };

/** A server that stops reading when it is told to, as one that is overwhelmed does. */
async function slowServer(): Promise<{ server: TestServer; stall: () => void; recover: () => void }> {
  const server = await startServer();
  const sockets = (): Socket[] => [...server.tcp];
  return {
    server,
    stall: () => {
      for (const socket of sockets()) socket.pause();
    },
    recover: () => {
      for (const socket of sockets()) socket.resume();
    },
  };
}

/** The platform's socket under a client, for its own word on what it holds. */
class Spied extends WebSocket {
  static latest: Spied | undefined;

  constructor(url: string, protocols?: string[]) {
    super(url, protocols, { perMessageDeflate: false });
    Spied.latest = this;
  }
}

describe('a server that stops reading', () => {
  test('makes the connection congested: what waits stays in the bounded queue, not in the socket (original fault 13) (pain 52)', async () => {
    const { server, stall, recover } = await slowServer();
    const client = startClient({ url: server.url, queue }, { WebSocket: Spied });
    await client.connect();
    await server.socket();
    stall();
    const flows: boolean[] = [];
    client.service.on('flow', ({ isCongested }) => flows.push(isCongested));
    const receipts = Array.from({ length: 400 }, (_, index) => client.connection.send(message(index)));
    await until('it is congested', () => client.connection.status.flow === 'congested');
    // the kernel takes a few megabytes; from then on nothing moves
    let before = -1;
    await until('nothing moves', () => {
      const { sent } = client.connection.status.messages;
      const isStill = sent === before && client.connection.status.flow === 'congested';
      before = sent;
      return isStill;
    });
    const { messages, detail } = client.connection.status;
    expect([detail, messages.sent + messages.waiting]).toEqual(['congested', 400]);
    expect(messages.waiting).toBeGreaterThan(10);
    // one write may go over the mark, with the headers of its frames
    expect(Spied.latest?.bufferedAmount).toBeLessThan(queue.highWaterBytes + 2 * 65_536);

    recover();
    await client.connection.drainQueue({ timeoutMs: 10_000 });
    await until('it flows', () => client.connection.status.flow === 'flowing');
    await until('everything is there', () => server.received.length === 400);
    expect(server.received.map((frame) => Number.parseInt(String(frame), 10))).toEqual(
      receipts.map((_, index) => index),
    );
    expect(receipts.every(({ fate }) => fate === 'sent')).toBe(true);
    expect([flows[0], flows.at(-1)]).toEqual([true, false]);
  });

  test('is not waited for longer than allowed by a close, and what could not leave is told', async () => {
    const { server, stall } = await slowServer();
    const client = startClient(
      { url: server.url, queue, drainTimeoutMs: 100, closeTimeoutMs: 100 },
      { WebSocket: Spied },
    );
    await client.connect();
    await server.socket();
    stall();
    for (let index = 0; index < 400; index++) client.connection.send(message(index));
    await until('it is congested', () => client.connection.status.flow === 'congested');
    await client.connection.close();
    const { accepted, sent, dropped, unknown, waiting } = client.connection.status.messages;
    expect([accepted, waiting]).toEqual([400, 0]);
    expect(sent + dropped + unknown).toBe(400);
    expect(dropped).toBeGreaterThan(0);
    expect(unknown).toBeGreaterThan(0);
  });
});

describe('what an application holds back', () => {
  test('leaves when it is let go, in order, and meanwhile nothing does', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url });
    await client.connect();
    client.connection.pause();
    for (let index = 0; index < 10; index++) client.connection.send(`${index}`);
    expect(client.connection.status).toMatchObject({ flow: 'paused', messages: { waiting: 10 } });
    client.connection.resume();
    await until('it is there', () => server.received.length === 10);
    expect(server.received).toEqual(Array.from({ length: 10 }, (_, index) => `${index}`));
  });
});

describe('the messages of one turn', () => {
  test('leave in one write to the network, each a frame of its own', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url }, { WebSocket: Spied });
    await client.connect();
    const socket = Spied.latest as unknown as { _socket: Socket };
    let writes = 0;
    const stream = socket._socket;
    const writev = stream._writev?.bind(stream);
    const write = stream._write.bind(stream);
    stream._writev = (chunks, done) => {
      writes += 1;
      writev?.(chunks, done);
    };
    stream._write = (chunk, encoding, done) => {
      writes += 1;
      write(chunk, encoding, done);
    };
    for (let index = 0; index < 100; index++) client.connection.send(`${index}`);
    await until('all is there', () => server.received.length === 100);
    expect([writes, server.received.length]).toEqual([1, 100]);
  });
});
