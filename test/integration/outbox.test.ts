import { describe, expect, test } from 'vitest';

import { drawFrom } from '../../src/core/chance.ts';
import { PRIORITIES, type Priority } from '../../src/core/queue.ts';
import { defineProfile, type MessageError, type Receipt, type ServiceOptions } from '../../src/index.ts';
import { startClient, type TestClient } from '../support/client.ts';
import { until } from '../support/deadline.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { startServer, type TestServer } from '../support/server.ts';

const MESSAGES = 10_000;
const LUMP = 100;
// enough that a socket's buffer is rarely empty when it dies
const PADDING = '.'.repeat(1_500);
const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

interface Sent {
  text: string;
  lane: Priority;
  receipt: Receipt;
}

interface Storm {
  client: TestClient;
  server: TestServer;
  sent: Sent[];
  /** Texts in the order in which the server heard them, without their padding. */
  heard: string[];
  drops: number;
}

/** Draws that are the same for the same seed. */
function chanceFrom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    const drawn = drawFrom(state);
    state = drawn.seed;
    return Math.floor(drawn.draw * below);
  };
}

/** Sends messages over a connection that is dropped in every way, at instants of chance, until the last is settled. */
async function storm(options: Partial<ServiceOptions>, keyed: boolean): Promise<Storm> {
  const pick = chanceFrom(seed);
  const server = await startServer();
  const proxy = await startProxy(server.port);
  const client = startClient({
    url: proxy.url,
    queue: { maxMessages: MESSAGES, maxBytes: 1e9, highWaterBytes: 131_072, lowWaterBytes: 32_768 },
    ...options,
  });
  await client.connect();
  const sent: Sent[] = [];
  let drops = 0;
  while (sent.length < MESSAGES) {
    for (let count = 0; count < LUMP; count++) {
      const lane = PRIORITIES[pick(PRIORITIES.length)] ?? 'normal';
      const text = `${lane} ${sent.length}`;
      const receipt = client.connection.send(`${text} ${PADDING}`, {
        priority: lane,
        ...(keyed && { idempotencyKey: text }),
      });
      sent.push({ text, lane, receipt });
    }
    expectBalance(client);
    if (pick(4) === 0) {
      const openings = client.of('opened').length;
      drop(pick(3), server, proxy);
      drops += 1;
      // half of the time the rest is sent meanwhile
      if (pick(2) === 0) await client.nth('opened', openings + 1);
    }
    // a few turns of the event loop, so that some of it leaves
    for (let turn = pick(8); turn >= 0; turn--) await new Promise(setImmediate);
  }
  await client.connection.drainQueue({ timeoutMs: 20_000 });
  expectBalance(client);
  // whatever the network still holds has to arrive before anybody counts
  await client.connection.close();
  await until('the server hears no more', () => server.sockets.size === 0);
  const heard = server.received.map((frame) => String(frame).slice(0, -PADDING.length - 1));
  return { client, server, sent, heard, drops };
}

function drop(how: number, server: TestServer, proxy: TestProxy): void {
  if (how === 0) proxy.cut();
  else if (how === 1) server.terminate();
  else server.close(1001);
}

function expectBalance(client: TestClient): void {
  const { accepted, sent, dropped, unknown, waiting } = client.connection.status.messages;
  expect(accepted, `seed ${seed}`).toBe(sent + dropped + unknown + waiting);
}

/** First arrivals of one lane, as their places in the order of sending. */
function arrivals(heard: string[], lane: Priority): number[] {
  return [...new Set(heard.filter((text) => text.startsWith(`${lane} `)))].map((text) => Number(text.split(' ')[1]));
}

describe(`ten thousand messages over a connection that drops at random (seed ${seed})`, () => {
  test('are accounted for to the last, none is heard twice, and the order within a lane is kept (original fault 5) (original fault 10) (pain 16)', async () => {
    const { client, sent, heard, drops } = await storm({}, false);
    const { accepted, sent: left, unknown, dropped, waiting, refused } = client.connection.status.messages;
    expect({ accepted, dropped, waiting, refused }).toEqual({ accepted: MESSAGES, dropped: 0, waiting: 0, refused: 0 });
    const fates = { sent: 0, unknown: 0 } as Record<string, number>;
    for (const { receipt } of sent) fates[receipt.fate] = (fates[receipt.fate] ?? 0) + 1;
    expect(fates).toEqual({ sent: left, unknown });
    // each that was in doubt was counted by the close that left it so
    expect(client.of('closed').reduce((sum, { inDoubt }) => sum + inDoubt, 0)).toBe(unknown);
    expect(new Set(heard).size).toBe(heard.length);
    for (const lane of PRIORITIES) {
      const order = arrivals(heard, lane);
      expect(order).toEqual([...order].sort((one, other) => one - other));
    }
    expect(drops).toBeGreaterThan(5);
    expect(client.of('opened').length).toBeGreaterThan(5);
  }, 60_000);

  test('with idempotency keys are none of them in doubt, and come in order of their first arrivals (pain 18)', async () => {
    const { client, heard } = await storm({}, true);
    const { accepted, sent, unknown, dropped } = client.connection.status.messages;
    expect({ accepted, sent, unknown, dropped }).toEqual({
      accepted: MESSAGES,
      sent: MESSAGES,
      unknown: 0,
      dropped: 0,
    });
    for (const lane of PRIORITIES) {
      const order = arrivals(heard, lane);
      expect(order).toEqual([...order].sort((one, other) => one - other));
    }
  }, 60_000);
});

describe(`requests over such a connection (seed ${seed})`, () => {
  interface Call {
    id?: string;
    n: number;
  }
  const calls = defineProfile<Call, Call>({
    codec: 'json',
    replies: { tag: (message, id) => ({ ...message, id }), idOf: ({ id }) => id },
  });

  test('settle, every one, with their own reply or with what is known of them (original fault 17) (pain 17)', async () => {
    const pick = chanceFrom(seed);
    const server = await startServer({
      onSocket: (socket) => {
        socket.on('message', (data) => {
          setImmediate(() => {
            socket.send(data as Buffer, { binary: false });
          });
        });
      },
    });
    const proxy = await startProxy(server.port);
    const client = startClient({ url: proxy.url, profile: calls });
    await client.connect();
    const asked: Promise<string>[] = [];
    for (let n = 0; n < 1_000; n++) {
      const keyed = pick(2) === 0;
      const options = { timeoutMs: 10_000, ...(keyed && { idempotencyKey: `k${n}` }) };
      asked.push(
        client.connection.request({ n }, options).then(
          (reply) => ((reply as unknown as Call).n === n ? 'replied' : 'wrong reply'),
          (error: unknown) => {
            const { code, outcome } = error as MessageError;
            return `${code} ${outcome}`;
          },
        ),
      );
      if (pick(40) === 0) drop(pick(3), server, proxy);
      if (pick(10) === 0) await new Promise(setImmediate);
    }
    const outcomes = new Map<string, number>();
    for (const outcome of await Promise.all(asked)) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    const known = ['replied', 'REPLY_LOST unknown', 'OUTCOME_UNKNOWN unknown'];
    expect([...outcomes.keys()].filter((outcome) => !known.includes(outcome))).toEqual([]);
    expect(outcomes.get('replied')).toBeGreaterThan(500);
  }, 60_000);
});
