import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';

import { startClient, type TestClient } from '../support/client.ts';
import { until } from '../support/deadline.ts';
import { echo, startServer, type TestServer } from '../support/server.ts';

async function conversing(
  onSocket: (socket: WebSocket) => void = echo,
): Promise<{ server: TestServer; client: TestClient }> {
  const server = await startServer({ onSocket });
  const client = startClient({ url: server.url });
  await client.connect();
  return { server, client };
}

const larger = new Uint8Array([9, 9, 1, 2, 3, 9]);

describe('a message', () => {
  test.each([
    ['a text', 'ls -la\n'],
    ['an empty text', ''],
    ['a text beyond the basic plane', 'ŝtormo 🌊 \u0000 end'],
    ['a text that is JSON (original fault 14)', '{"id":7,"timestamp":null}'],
    ['a text that is a JSON value (original fault 15)', 'null'],
  ])('arrives as it was given, and so does its echo: %s (original fault 2)', async (_, message) => {
    const { server, client } = await conversing();
    expect(await client.service.sendMessage('main', message)).toMatchObject({ outcome: 'sent' });
    expect(await client.nth('message', 1)).toMatchObject({ data: message, connectionId: 'main', serviceType: 'main' });
    expect(server.received).toEqual([message]);
  });

  test.each([
    ['an object', { type: 'input', data: 'ls -la' }, '{"type":"input","data":"ls -la"}'],
    ['an array (original fault 14)', [1, 2], '[1,2]'],
    ['a number (original fault 14)', 7, '7'],
    ['null', null, 'null'],
  ])('that is neither text nor bytes arrives as JSON: %s', async (_, message, text) => {
    const { server, client } = await conversing();
    await client.service.sendMessage('main', message);
    expect(await client.nth('message', 1)).toMatchObject({ data: text });
    expect(server.received).toEqual([text]);
  });

  test.each([
    ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
    ['a Uint8Array', new Uint8Array([1, 2, 3])],
    ['a view into a larger buffer', larger.subarray(2, 5)],
    ['a DataView', new DataView(larger.buffer, 2, 3)],
    ['a Buffer', Buffer.from([1, 2, 3])],
  ])('of bytes arrives as those bytes: %s', async (_, message) => {
    const { server, client } = await conversing();
    await client.service.sendMessage('main', message);
    const { data } = await client.nth('message', 1);
    expect(data).toBeInstanceOf(ArrayBuffer);
    expect([...new Uint8Array(data as ArrayBuffer)]).toEqual([1, 2, 3]);
    expect(server.received).toEqual([Buffer.from([1, 2, 3])]);
  });

  test('keeps the bytes of the moment it was sent at', async () => {
    const { server, client } = await conversing();
    const reused = new Uint8Array([1, 2, 3]);
    const sent = client.service.sendMessage('main', reused);
    reused.fill(0);
    await sent;
    await until('the message is there', () => server.received.length === 1);
    expect(server.received).toEqual([Buffer.from([1, 2, 3])]);
  });

  test('of a mebibyte arrives whole, both ways', async () => {
    const { server, client } = await conversing();
    const mebibyte = '0123456789abcdef'.repeat(65_536);
    await client.service.sendMessage('main', mebibyte);
    const { data } = await client.nth('message', 1);
    expect(data === mebibyte).toBe(true);
    expect(server.received[0] === mebibyte).toBe(true);
  });

  test('in several fragments is one message', async () => {
    const { client } = await conversing((socket) => {
      for (const part of ['once ', 'upon ', 'a ']) socket.send(part, { fin: false });
      socket.send('time', { fin: true });
      socket.send(Buffer.from([1, 2]), { fin: false });
      socket.send(Buffer.from([3]), { fin: true });
    });
    await client.nth('message', 2);
    const [text, bytes] = client.messages;
    expect(text).toBe('once upon a time');
    expect([...new Uint8Array(bytes as ArrayBuffer)]).toEqual([1, 2, 3]);
  });

  test('that comes together with the handshake waits for the one who awaits the connection (trap 8)', async () => {
    const server = await startServer({
      onSocket: (socket) => {
        socket.send('welcome');
      },
    });
    const client = startClient({ url: server.url });
    const heard: unknown[] = [];
    const id = await client.connect();
    client.service.connection(id).subscribe((data) => heard.push(data));
    await until('the greeting is heard', () => heard.length === 1);
    expect(heard).toEqual(['welcome']);
  });

  test('that JSON cannot hold is refused, and hurts no other', async () => {
    const { server, client } = await conversing();
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const message of [cycle, 1n, undefined, () => 1]) {
      await expect(client.service.sendMessage('main', message)).rejects.toMatchObject({
        code: 'NOT_ENCODABLE',
        outcome: 'not_sent',
      });
    }
    await client.service.sendMessage('main', 'fine');
    await until('the message is there', () => server.received.length === 1);
    expect(client.connection.status.messages).toMatchObject({ accepted: 1, sent: 1, refused: 4, waiting: 0 });
  });
});

describe('a queue of messages', () => {
  test('leaves in order, in one piece each (original fault 1) (original fault 11)', async () => {
    const { server, client } = await conversing();
    const messages = Array.from({ length: 500 }, (_, n) => ({ type: 'input', n }));
    await Promise.all(messages.map((message) => client.service.sendMessage('main', message)));
    await until('the messages are there', () => server.received.length === 500);
    expect(server.received).toEqual(messages.map((message) => JSON.stringify(message)));
    await client.nth('message', 500);
    expect(client.messages).toEqual(messages.map((message) => JSON.stringify(message)));
    expect(client.connection.status.messages).toMatchObject({ accepted: 500, sent: 500, received: 500, waiting: 0 });
  });

  test('takes what an `opened` listener sends, and everything after it (original fault 4)', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url });
    client.service.on('opened', ({ connectionId }) => client.service.sendMessage(connectionId, 'from the listener'));
    const id = await client.connect();
    for (let n = 1; n <= 5; n++) await client.service.sendMessage(id, `message ${n}`);
    await until('the messages are there', () => server.received.length === 6);
    expect(server.received).toEqual(['from the listener', ...[1, 2, 3, 4, 5].map((n) => `message ${n}`)]);
  });

  test('is read by a loop over every reconnection, which ends when the connection is closed', async () => {
    const { server, client } = await conversing();
    const heard: unknown[] = [];
    const reading = (async () => {
      for await (const data of client.connection) heard.push(data);
    })();
    await client.service.sendMessage('main', 'before');
    await until('the first is heard', () => heard.length === 1);
    server.terminate();
    await client.nth('opened', 2);
    await client.service.sendMessage('main', 'after');
    await until('the second is heard', () => heard.length === 2);
    await client.service.disconnect('main');
    await reading;
    expect(heard).toEqual(['before', 'after']);
  });
});
