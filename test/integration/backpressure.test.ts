import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import type { Fate, QueueOptions, Receipt, ServiceOptions } from '../../src/index.ts';
import { startClient, type TestClient } from '../support/client.ts';
import { until } from '../support/deadline.ts';
import { startServer, type TestServer } from '../support/server.ts';

const BYTES = 65_536;
const BATCH_BYTES = 65_536;
const HEADER_BYTES = 14;
const HIGH_WATER_BYTES = 256 * 1_024;
const queue: QueueOptions = { maxBytes: 1e9, highWaterBytes: HIGH_WATER_BYTES, lowWaterBytes: 64 * 1_024 };

/** A message that fills a batch, and begins with its number. */
const message = (index: number): string => `${index} `.padEnd(BYTES, '.');
const numbered = (server: TestServer): number[] => server.received.map((frame) => Number.parseInt(String(frame), 10));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

/** The platform's socket under a client, for its own word on what it holds. */
class Spied extends WebSocket {
  static latest: Spied;
  /** Called before each message that it is given. */
  onSend: () => void = () => undefined;

  constructor(url: string, protocols?: string[]) {
    super(url, protocols, { perMessageDeflate: false });
    Spied.latest = this;
  }

  override send(data: string): void {
    this.onSend();
    super.send(data);
  }

  /** The stream underneath. */
  get stream(): Socket {
    return (this as unknown as { _socket: Socket })._socket;
  }
}

interface Stage {
  server: TestServer;
  client: TestClient;
  /** What `flow` events said. */
  flows: boolean[];
}

/** A connection to a server that has stopped reading, as one that is overwhelmed does. */
async function stalled(options: Partial<ServiceOptions> = {}): Promise<Stage> {
  const server = await startServer();
  const client = startClient({ url: server.url, queue, ...options }, { WebSocket: Spied });
  await client.connect();
  await server.socket();
  for (const socket of server.sockets) socket.pause();
  const flows: boolean[] = [];
  client.service.on('flow', ({ isCongested }) => flows.push(isCongested));
  return { server, client, flows };
}

function recover(server: TestServer): void {
  for (const socket of server.sockets) socket.resume();
}

/** Sends until the kernel has what it takes, the socket as much as it may, and some messages wait. */
async function congest({ client }: Stage): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  while (client.connection.status.flow !== 'congested' || numbersOf(receipts, 'waiting').length < 20) {
    for (let count = 0; count < 10; count++) receipts.push(client.connection.send(message(receipts.length)));
    await new Promise(setImmediate);
  }
  return receipts;
}

/** Which messages have this fate at present. */
function numbersOf(receipts: readonly Receipt[], wanted: Fate): number[] {
  return receipts.flatMap(({ fate }, index) => (fate === wanted ? [index] : []));
}

describe('a server that stops reading', () => {
  test('makes the connection congested: what waits stays in the queue, a full socket is given no more, and all arrives once, in order, in the end (original fault 13) (pain 52)', async () => {
    const stage = await stalled();
    const { server, client, flows } = stage;
    const [held, modes] = [new Set<number>(), new Set<string>()];
    Spied.latest.onSend = () => {
      held.add(Spied.latest.bufferedAmount);
      modes.add(client.connection.status.flow);
    };
    const receipts = await congest(stage);
    expect(client.connection.status).toMatchObject({ state: 'open', detail: 'congested', flow: 'congested' });
    expect([flows[0], flows.at(-1)]).toEqual([true, true]);

    recover(server);
    await client.connection.drainQueue({ timeoutMs: 10_000 });
    await until('it flows', () => client.connection.status.flow === 'flowing');
    await until('everything is there', () => server.received.length >= receipts.length);
    expect(numbered(server)).toEqual(range(0, receipts.length));
    expect(numbersOf(receipts, 'sent')).toEqual(range(0, receipts.length));
    expect([flows[0], flows.at(-1), client.connection.status.detail]).toEqual([true, false, 'open']);
    // at no moment was a full socket given more
    expect([...modes]).toEqual(['flowing']);
    expect(Math.max(...held)).toBeLessThan(HIGH_WATER_BYTES);
  });

  test('costs no more memory than the bounds of the queue and of the socket: what has no room is refused, and told (pain 13)', async () => {
    const { server, client } = await stalled({ queue: { ...queue, maxMessages: 100, maxBytes: 50 * BYTES } });
    let overflows = 0;
    client.service.on('overflowed', () => (overflows += 1));
    const undelivered: string[] = [];
    client.service.on('undelivered', ({ messageId }) => undelivered.push(messageId));
    const receipts: Receipt[] = [];
    for (let turn = 0; turn < 200; turn++) {
      for (let count = 0; count < 10; count++) receipts.push(client.connection.send(message(receipts.length)));
      const { waitingBytes } = client.connection.status.messages;
      expect(waitingBytes).toBeLessThanOrEqual(50 * BYTES);
      expect(Spied.latest.bufferedAmount).toBeLessThan(HIGH_WATER_BYTES + BATCH_BYTES + HEADER_BYTES);
      await new Promise(setImmediate);
    }
    const refused = receipts.filter(({ fate }) => fate === 'dropped');
    expect(refused.length).toBe(client.connection.status.messages.refused);
    expect(undelivered).toEqual(refused.map(({ id }) => id));
    expect(refused.length).toBeGreaterThan(1_000);
    expect(overflows).toBe(1);
    await expect(refused[0]?.settled).rejects.toMatchObject({ code: 'QUEUE_FULL', outcome: 'not_sent' });

    recover(server);
    await client.connection.drainQueue({ timeoutMs: 10_000 });
    const accepted = range(0, receipts.length).filter((index) => receipts[index]?.fate === 'sent');
    await until('everything is there', () => server.received.length >= accepted.length);
    expect(numbered(server)).toEqual(accepted);
    expect(accepted.length + refused.length).toBe(receipts.length);
  });

  test('lets a critical message go first once it reads again, before all that waited (original fault 12)', async () => {
    const stage = await stalled();
    const { server, client } = stage;
    const receipts = await congest(stage);
    const before = Spied.latest.bufferedAmount;
    client.connection.send('-1 critical', { priority: 'critical' });
    // congested is congested: it does not go on top of a full socket either
    expect(Spied.latest.bufferedAmount).toBe(before);
    const [first = Number.NaN] = numbersOf(receipts, 'waiting');

    recover(server);
    await until('everything is there', () => server.received.length > receipts.length);
    expect(numbered(server)).toEqual([...range(0, first), -1, ...range(first, receipts.length)]);
  });

  test('and dies leaves in doubt what its socket held, and nothing else: what waited goes to the next (original fault 5) (pain 16)', async () => {
    const stage = await stalled();
    const { server, client } = stage;
    const receipts = await congest(stage);
    let waiting: number[] = [];
    client.service.on('closed', () => (waiting = numbersOf(receipts, 'waiting')));
    for (const socket of server.tcp) socket.resetAndDestroy();
    const { inDoubt } = await client.nth('closed', 1);
    const unknown = numbersOf(receipts, 'unknown');
    expect(unknown.length).toBe(inDoubt);
    expect(inDoubt).toBeGreaterThan(0);
    expect(waiting).toEqual(range((unknown.at(-1) ?? 0) + 1, receipts.length));

    await client.connection.drainQueue({ timeoutMs: 10_000 });
    await until('the last is there', () => numbered(server).at(-1) === receipts.length - 1);
    expect(numbered(server).slice(-waiting.length)).toEqual(waiting);
    expect(numbersOf(receipts, 'unknown')).toEqual(unknown);
    expect(client.connection.status).toMatchObject({ flow: 'flowing', messages: { unknown: inDoubt, dropped: 0 } });
  });
});

describe('a close', () => {
  test('waits until what was sent before has left, while the server catches up, and refuses what comes later (pain 57)', async () => {
    const stage = await stalled({ drainTimeoutMs: 20_000 });
    const { server, client } = stage;
    const receipts = await congest(stage);
    const closed = client.connection.close();
    expect(client.connection.status).toMatchObject({ state: 'closing', detail: 'draining', flow: 'draining' });
    const late = client.connection.send(message(receipts.length));
    await expect(late.settled).rejects.toMatchObject({ code: 'CONNECTION_ENDED', outcome: 'not_sent' });
    recover(server);
    await closed;
    await until('the server saw the end', () => server.closes.length === 1);
    expect(numbered(server)).toEqual(range(0, receipts.length));
    expect(server.closes).toEqual([{ code: 1000, reason: '' }]);
    expect(client.connection.status.messages).toMatchObject({ sent: receipts.length, dropped: 0, unknown: 0 });
  });

  test('of a connection whose server never reads again is over at its deadlines, and what could not leave is told', async () => {
    const stage = await stalled({ drainTimeoutMs: 100, closeTimeoutMs: 100 });
    const { client } = stage;
    const undelivered = new Map<string, string>();
    client.service.on('undelivered', ({ messageId, error }) => undelivered.set(messageId, error.code));
    const receipts = await congest(stage);
    await client.connection.close();
    const [dropped, unknown] = [numbersOf(receipts, 'dropped'), numbersOf(receipts, 'unknown')];
    expect([dropped.length > 0, unknown.length > 0]).toEqual([true, true]);
    expect(client.connection.status.messages).toMatchObject({
      accepted: receipts.length,
      sent: numbersOf(receipts, 'sent').length,
      droppedBy: { CONNECTION_ENDED: dropped.length },
      unknown: unknown.length,
      waiting: 0,
    });
    const told = [...dropped, ...unknown].map((index) => {
      const { id, fate } = receipts[index] ?? {};
      return [id, fate === 'unknown' ? 'OUTCOME_UNKNOWN' : 'CONNECTION_ENDED'];
    });
    await until('each is told', () => undelivered.size >= told.length);
    expect(Object.fromEntries(undelivered)).toEqual(Object.fromEntries(told));
  });
});

describe('what an application holds back', () => {
  test('leaves when it is let go, the strongest first, and meanwhile nothing does, over a reconnection either', async () => {
    const server = await startServer();
    const client = startClient({ url: server.url });
    await client.connect();
    client.connection.send('nothing holds this back');
    await until('it flows', () => server.received.length === 1);
    client.connection.pause();
    for (let index = 0; index < 10; index++) client.connection.send(`${index}`);
    client.connection.send('critical', { priority: 'critical' });
    expect(client.connection.status).toMatchObject({ detail: 'paused', flow: 'paused', messages: { waiting: 11 } });
    server.terminate();
    await client.nth('opened', 2);
    // a whole exchange fits between: had anything been let go, it would be there
    const socket = await server.socket();
    socket.send('hello');
    await client.nth('message', 1);
    expect([server.received.length, client.connection.status.flow]).toEqual([1, 'paused']);

    client.connection.resume();
    await until('it is there', () => server.received.length === 12);
    expect(server.received.slice(1)).toEqual(['critical', ...range(0, 10).map(String)]);
    expect(client.connection.status).toMatchObject({ detail: 'open', flow: 'flowing', messages: { sent: 12 } });
  });
});

describe('the messages of one turn', () => {
  test.each([
    [100, 1],
    [256, 1],
    [300, 2],
  ])(
    'leave together, each a frame of its own: %i of them in %i write(s) to the network (original fault 1)',
    async (messages, expected) => {
      const server = await startServer();
      const client = startClient({ url: server.url }, { WebSocket: Spied });
      await client.connect();
      await client.service.sendMessage('main', 'the first turn is over');
      let writes = 0;
      const { stream } = Spied.latest;
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
      for (let index = 0; index < messages; index++) client.connection.send(`${index}`);
      await until('all is there', () => server.received.length === messages + 1);
      expect(server.received.slice(1)).toEqual(range(0, messages).map(String));
      expect(writes).toBe(expected);
    },
  );
});
