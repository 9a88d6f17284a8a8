import { describe, expect, test } from 'vitest';

import { PRIORITIES } from '../../src/core/queue.ts';
import { defineProfile, type MessageError, type QueueOptions } from '../../src/index.ts';
import { startClient } from '../support/client.ts';
import { until } from '../support/deadline.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { bidFarewell, DROPS, endings, firstArrivals, seeded, storm, tally } from '../support/storm.ts';

const MESSAGES = 10_000;
// the marks are low enough for congestion, too, to come and go
const roomy: QueueOptions = { maxMessages: MESSAGES, maxBytes: 1e9, highWaterBytes: 131_072, lowWaterBytes: 32_768 };

function expectOrderWithinLanes(heard: readonly string[]): void {
  for (const lane of PRIORITIES) {
    const order = firstArrivals(heard, lane);
    expect(order).toEqual(order.toSorted((one, other) => one - other));
  }
}

describe('ten thousand messages over a connection that drops at random instants', () => {
  test('are accounted for to the last, none is heard twice, and the order within a lane is kept (original fault 5) (original fault 8) (pain 16) (pain 20)', async () => {
    await seeded(async (pick) => {
      const server = await startServer();
      const client = startClient({ url: server.url, queue: roomy });
      await client.connect();
      const undelivered: string[] = [];
      client.service.on('undelivered', ({ messageId }) => undelivered.push(messageId));
      const report = await storm({ client, server, messages: MESSAGES, pick, drops: DROPS });

      expect(report.imbalances).toEqual([]);
      const { accepted, sent, unknown, dropped, waiting, refused } = client.connection.status.messages;
      expect({ accepted, dropped, waiting, refused }).toEqual({
        accepted: MESSAGES,
        dropped: 0,
        waiting: 0,
        refused: 0,
      });
      // each receipt tells what the counters count, and so do the events
      const told = await endings(report.sent);
      expect(tally(told.values())).toEqual({ sent, OUTCOME_UNKNOWN: unknown });
      const inDoubt = report.sent.filter((message) => told.get(message) !== 'sent');
      expect(undelivered.toSorted()).toEqual(inDoubt.map(({ receipt }) => receipt.id).toSorted());
      expect(client.of('closed').reduce((sum, closed) => sum + closed.inDoubt, 0)).toBe(unknown);
      // a plain wire promises no more: at most once, and in order
      expect(new Set(report.heard).size).toBe(report.heard.length);
      expectOrderWithinLanes(report.heard);
      expect(report.drops).toBeGreaterThan(2);
      expect(client.of('opened').length).toBeGreaterThan(2);
    });
  }, 60_000);

  test('are never in doubt with idempotency keys, and keep the order of their first arrivals (pain 18)', async () => {
    await seeded(async (pick) => {
      const server = await startServer();
      const client = startClient({ url: server.url, queue: roomy });
      await client.connect();
      const treat = (text: string): { idempotencyKey: string } => ({ idempotencyKey: text });
      const report = await storm({ client, server, messages: MESSAGES, pick, drops: DROPS, treat });

      expect(report.imbalances).toEqual([]);
      const { accepted, sent, unknown, dropped } = client.connection.status.messages;
      expect([accepted, sent, unknown, dropped]).toEqual([MESSAGES, MESSAGES, 0, 0]);
      expect(tally((await endings(report.sent)).values())).toEqual({ sent: MESSAGES });
      expectOrderWithinLanes(report.heard);
    });
  }, 60_000);

  // a peer that says goodbye reads until it is answered: then what has left a socket has arrived
  test('arrive all, each once by its key, when it is the peer that closes each time (original fault 5) (pain 18)', async () => {
    await seeded(async (pick) => {
      const server = await startServer();
      const client = startClient({ url: server.url, queue: roomy });
      await client.connect();
      const treat = (text: string): { idempotencyKey: string } => ({ idempotencyKey: text });
      const report = await storm({ client, server, messages: MESSAGES, pick, drops: [bidFarewell], treat });

      expect(report.imbalances).toEqual([]);
      expect(new Set(report.heard)).toEqual(new Set(report.sent.map(({ text }) => text)));
      expectOrderWithinLanes(report.heard);
    });
  }, 60_000);

  test('are told of, each with its reason, when not sent, and then the server never hears them (pain 13) (pain 14) (pain 56)', async () => {
    await seeded(async (pick) => {
      const server = await startServer();
      const queue: QueueOptions = { ...roomy, maxMessages: 150, overflow: 'drop-lowest' };
      const client = startClient({ url: server.url, queue });
      await client.connect();
      const undelivered: string[] = [];
      client.service.on('undelivered', ({ messageId }) => undelivered.push(messageId));
      const aborts: AbortController[] = [];
      const report = await storm({
        client,
        server,
        messages: MESSAGES,
        pick,
        drops: DROPS,
        treat: () => {
          const controller = new AbortController();
          aborts.push(controller);
          const fifth = pick(5);
          if (fifth === 0) return { ttlMs: 1 + pick(20) };
          if (fifth === 1) return { coalesceKey: `key ${pick(50)}` };
          if (fifth === 2) return { signal: controller.signal };
          return {};
        },
        whileDown: (sent) => {
          for (const { receipt } of sent.slice(-20)) receipt.cancel();
          for (const controller of aborts.slice(-60)) controller.abort();
          if (pick(4) === 0) client.connection.purgeQueue(({ priority }) => priority === 'low');
        },
      });

      expect(report.imbalances).toEqual([]);
      const { accepted, sent, dropped, droppedBy, unknown, waiting, refused } = client.connection.status.messages;
      expect([accepted + refused, sent + dropped + unknown, waiting]).toEqual([MESSAGES, accepted, 0]);
      const told = await endings(report.sent);
      expect(tally(told.values())).toEqual({
        sent,
        ...droppedBy,
        ...(refused > 0 && { QUEUE_FULL: refused }),
        ...(unknown > 0 && { OUTCOME_UNKNOWN: unknown }),
      });
      const notSent = report.sent.filter((message) => told.get(message) !== 'sent');
      expect(undelivered.toSorted()).toEqual(notSent.map(({ receipt }) => receipt.id).toSorted());
      const heard = new Set(report.heard);
      const dropsOnly = notSent.filter((message) => told.get(message) !== 'OUTCOME_UNKNOWN');
      expect(dropsOnly.filter(({ text }) => heard.has(text))).toEqual([]);
      expect(heard.size).toBe(report.heard.length);
      expect(Object.keys(droppedBy)).toEqual(
        expect.arrayContaining(['EXPIRED', 'SUPERSEDED', 'SEND_CANCELLED', 'SEND_ABORTED', 'DROPPED_FOR_ROOM']),
      );
    });
  }, 60_000);
});

describe('two connections of one service', () => {
  test('do not share their troubles: one that drops makes the other hear nothing twice (original fault 10)', async () => {
    const [good, bad] = [await startServer(), await startServer()];
    const client = startClient({ url: ({ params }) => params['url'] ?? '' });
    const connect = async (key: string, { url }: TestServer): Promise<string> =>
      client.service.connect({ serviceType: 'main', key, params: { url } });
    const [calm, stormy] = [await connect('calm', good), await connect('stormy', bad)];
    const texts = Array.from({ length: 1_000 }, (_, index) => `${index}`);
    for (const text of texts) {
      client.service.connection(calm).send(text);
      client.service.connection(stormy).send(text);
      if (Number(text) % 100 === 50) bad.terminate();
      if (Number(text) % 10 === 0) await new Promise(setImmediate);
    }
    await client.service.connection(stormy).drainQueue({ timeoutMs: 10_000 });
    await until('everything is there', () => good.received.length >= texts.length);
    expect(good.received).toEqual(texts);
    expect(good.opened).toBe(1);
    expect(bad.opened).toBeGreaterThan(1);
  });
});

describe('requests', () => {
  interface Call {
    id?: string;
    n: number;
  }
  const calls = defineProfile<Call, Call>({
    codec: 'json',
    replies: { tag: (message, id) => ({ ...message, id }), idOf: ({ id }) => id },
  });

  test('over a connection that drops settle, every one: with their own reply, or with what is known; keyed ones with their reply (original fault 17) (pain 17) (pain 18)', async () => {
    await seeded(async (pick) => {
      const server = await startServer({
        onSocket: (socket) => {
          socket.on('message', (data) => {
            setImmediate(() => {
              socket.send(data as Buffer, { binary: false });
            });
          });
        },
      });
      const client = startClient({ url: server.url, profile: calls });
      await client.connect();
      const asked: Promise<string>[] = [];
      for (let n = 0; n < 1_000; n++) {
        const isKeyed = pick(2) === 0;
        const options = { timeoutMs: 15_000, ...(isKeyed && { idempotencyKey: `k${n}` }) };
        const kind = isKeyed ? 'keyed' : 'plain';
        asked.push(
          client.connection.request({ n }, options).then(
            (reply) => `${kind}: ${(reply as unknown as Call).n === n ? 'replied' : 'wrong reply'}`,
            (error: unknown) => `${kind}: ${(error as MessageError).code} ${(error as MessageError).outcome}`,
          ),
        );
        if (pick(40) === 0) DROPS[pick(DROPS.length)]?.(server);
        if (pick(10) === 0) await new Promise(setImmediate);
      }
      const { 'plain: replied': plain = 0, 'keyed: replied': keyed = 0, ...others } = tally(await Promise.all(asked));
      const known = ['plain: REPLY_LOST unknown', 'plain: OUTCOME_UNKNOWN unknown'];
      expect(Object.keys(others).filter((ending) => !known.includes(ending))).toEqual([]);
      expect(plain).toBeGreaterThan(100);
      expect(keyed).toBeGreaterThan(100);
      expect(client.connection.status.messages.waiting).toBe(0);
    });
  }, 60_000);

  test('with idempotency keys are all under way at once: none waits for the reply to another (pain 19)', async () => {
    const held: string[] = [];
    const server = await startServer({
      onSocket: (socket) => {
        socket.on('message', (data) => {
          held.push((data as Buffer).toString());
          // nobody is answered before everybody has asked, and the last comes first
          if (held.length === 500) for (const text of held.toReversed()) socket.send(text);
        });
      },
    });
    const client = startClient({ url: server.url, profile: calls });
    await client.connect();
    const asked = Array.from({ length: 500 }, (_, n) =>
      client.connection.request({ n }, { idempotencyKey: `k${n}`, timeoutMs: 10_000 }),
    );
    const replies = (await Promise.all(asked)) as unknown as Call[];
    expect(replies.map(({ n }) => n)).toEqual(asked.map((_, n) => n));
  });
});
