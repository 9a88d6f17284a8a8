import { expect, test } from 'vitest';

import { Delivery } from '../../src/server/delivery.ts';
import type { Link } from '../../src/server/link.ts';
import { MemoryStore } from '../../src/server/memory-store.ts';
import { outbound } from '../../src/server/outbound.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { CLIENT_LIMITS } from '../support/wire-client.ts';

async function start() {
  const clock = new SimulatedClock();
  const store = new MemoryStore({ clock });
  await store.open({ sid: 's', ep: 'e', tokenHash: 'h', principal: 'ann', nonce: 'n', node: 'a', ttlMs: 1_000 });
  const told: string[] = [];
  const reads: number[] = [];
  const read = store.read.bind(store);
  store.read = (sid, after, most) => {
    reads.push(after);
    return read(sid, after, most);
  };
  const delivery = new Delivery(
    {
      sid: 's',
      store,
      tellAccepted: () => 0,
      caughtUp: () => told.push('caught up'),
      broken: ({ message }) => told.push(message),
      fault: (cause) => told.push(`fault: ${(cause as Error).message}`),
    },
    { top: 0, acknowledged: 0 },
  );
  const linkOf = (win = CLIENT_LIMITS.win, frame = 10_000) => {
    const sent: unknown[] = [];
    const link = {
      isOpen: true,
      limits: { ...CLIENT_LIMITS, frame, win },
      sent,
      sendBatch: (batch: unknown) => sent.push(batch),
      batch: (write: () => void) => {
        write();
      },
      close: (code: number) => {
        told.push(`closed ${code}`);
        link.isOpen = false;
      },
    };
    return link;
  };
  const attach = (link: ReturnType<typeof linkOf>, at: { received: number; top: number }): void => {
    delivery.attach(link as unknown as Link, at);
  };
  const append = async (...data: unknown[]) => {
    const messages = data.map((each) => outbound(each));
    const answer = await store.append('s', 1, messages);
    if (typeof answer === 'string') throw new Error(answer);
    return { first: answer.first, messages };
  };
  const settle = (): Promise<void> => clock.advanceAsync(0);
  return { store, delivery, attach, told, reads, linkOf, append, settle };
}

test('what was missed is read from the store in pages, before what is new', async () => {
  const { delivery, attach, told, reads, linkOf, append, settle } = await start();
  await append(...Array.from({ length: 600 }, (_, index) => index));
  const link = linkOf();
  attach(link, { received: 10, top: 600 });
  delivery.pump();
  const { first, messages } = await append('new');
  delivery.appended(first, messages);
  await settle();
  expect(reads).toEqual([10, 266, 522]);
  expect(link.sent.map((frame) => String(frame).split('[', 1)[0])).toEqual(['11', '267', '523']);
  expect([String(link.sent.at(-1)).endsWith('"new"]'), told]).toEqual([true, ['caught up']]);
});

test('what is at hand is not read again', async () => {
  const { delivery, attach, reads, linkOf, append } = await start();
  const link = linkOf();
  attach(link, { received: 0, top: 0 });
  delivery.pump();
  for (const data of ['a', 'b']) {
    const { first, messages } = await append(data);
    delivery.appended(first, messages);
  }
  expect([link.sent, reads]).toEqual([['1["a"]', '2["b"]'], []]);
});

test('what others have appended in between is read, in its place', async () => {
  const { delivery, attach, linkOf, append, settle } = await start();
  const link = linkOf();
  attach(link, { received: 0, top: 0 });
  await append('from elsewhere');
  const { first, messages } = await append('own');
  delivery.appended(first, messages);
  delivery.woken(1);
  await settle();
  expect(link.sent).toEqual(['1["from elsewhere","own"]']);
});

test('the window is kept, by messages and by bytes', async () => {
  const { delivery, attach, linkOf, append, settle } = await start();
  const link = linkOf({ m: 2, b: 10 });
  attach(link, { received: 0, top: 0 });
  const { first, messages } = await append(1, 2, 3, 'x'.repeat(20), 4);
  delivery.appended(first, messages);
  expect([link.sent, delivery.acknowledge(2)]).toEqual([['1[1,2]'], true]);
  delivery.pump();
  expect(link.sent.slice(1)).toEqual([`3[3,"${'x'.repeat(20)}"]`]);
  expect([delivery.acknowledge(3), delivery.acknowledge(3)]).toEqual([true, false]);
  delivery.pump();
  expect(link.sent.length).toBe(2);
  delivery.setWindow({ messages: 9, bytes: 100 });
  await settle();
  expect([link.sent.at(-1), delivery.acknowledged, delivery.top]).toEqual(['5[4]', 3, 5]);
});

test('a new socket begins where its client is, whatever the one before was sent', async () => {
  const { delivery, attach, linkOf, append, settle } = await start();
  const [first, second] = [linkOf(), linkOf()];
  attach(first, { received: 0, top: 0 });
  const one = await append('a', 'b');
  delivery.appended(one.first, one.messages);
  delivery.detach();
  attach(second, { received: 1, top: 2 });
  delivery.pump();
  await settle();
  expect([first.sent, second.sent]).toEqual([['1["a","b"]'], ['2["b"]']]);
});

test('a page that comes for a socket that is gone is not sent to the next', async () => {
  const { delivery, attach, linkOf, append, settle } = await start();
  await append('a', 'b', 'c');
  const [first, second] = [linkOf(), linkOf()];
  attach(first, { received: 0, top: 3 });
  delivery.pump();
  attach(second, { received: 2, top: 3 });
  delivery.pump();
  await settle();
  expect([first.sent, second.sent]).toEqual([[], ['3["c"]']]);
});

test('a store that lost what it should have kept ends the session', async () => {
  const { store, delivery, attach, told, linkOf, append, settle } = await start();
  await append('a');
  store.read = () => Promise.resolve([]);
  attach(linkOf(), { received: 0, top: 1 });
  delivery.pump();
  await settle();
  expect(told).toEqual(['the store has lost messages']);
});

test('a message from elsewhere that the client cannot take ends it as well', async () => {
  const { delivery, attach, told, linkOf, append, settle } = await start();
  await append('x'.repeat(500));
  const link = linkOf(CLIENT_LIMITS.win, 200);
  attach(link, { received: 0, top: 1 });
  delivery.pump();
  await settle();
  expect([told, link.sent]).toEqual([['a message is larger than the client takes'], []]);
});

test('a store that fails costs the client a retry', async () => {
  const { store, delivery, attach, told, linkOf, append, settle } = await start();
  await append('a');
  store.read = () => Promise.reject(new Error('down'));
  const link = linkOf();
  attach(link, { received: 0, top: 1 });
  delivery.pump();
  await settle();
  expect(told).toEqual(['fault: down', 'closed 4103']);
});

test('a socket whose client said less than it has acknowledged since goes on after that', async () => {
  const { store, delivery, attach, told, linkOf, append, settle } = await start();
  const [before, after] = [linkOf(), linkOf()];
  attach(before, { received: 0, top: 0 });
  const { first, messages } = await append('a', 'b');
  delivery.appended(first, messages);
  // its hello says 0, and before the welcome this comes by the socket before
  delivery.acknowledge(1);
  await store.ack('s', 1, 1);
  attach(after, { received: 0, top: 2 });
  delivery.pump();
  await settle();
  expect([after.sent, told]).toEqual([['2["b"]'], ['caught up', 'caught up']]);
});

test('what an older socket has sent may be acknowledged on the newer one, before that has sent it again', async () => {
  const { delivery, attach, linkOf, append, settle } = await start();
  await append(...Array.from({ length: 600 }, (_, index) => index));
  const link = linkOf();
  attach(link, { received: 0, top: 600 });
  delivery.pump();
  // the client took them on the older socket while this one said hello
  expect([delivery.acknowledge(400), delivery.acknowledged]).toEqual([true, 400]);
  await settle();
  // nor is the page sent that was asked for before: its messages have other positions
  expect(link.sent.map((frame) => String(frame).split(',', 2).join())).toEqual(['401[400,401']);
  expect(() => delivery.acknowledge(601)).toThrow('never sent');
});
