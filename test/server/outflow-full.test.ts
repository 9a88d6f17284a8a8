import { expect, test } from 'vitest';

import { MessageError } from '../../src/errors.ts';
import { outbound } from '../../src/server/outbound.ts';
import { codeOf, startOutflow as start } from '../support/outflow.ts';

test('what the store has room for goes, and the rest with the next acknowledgement: two writes each, however many wait', async () => {
  const { store, outflow, attach, settle, sent } = await start({ maxMessages: 50, bufferedBytes: 1e6 });
  const asked: number[] = [];
  const append = store.append.bind(store);
  store.append = (sid, gen, messages) => {
    asked.push(messages.length);
    return append(sid, gen, messages);
  };
  attach();
  const receipts = Array.from({ length: 400 }, (_, index) => outflow.send(outbound(index)));
  await settle();
  outflow.acknowledge(20);
  await settle();
  expect(asked).toEqual([256, 256, 256, 256]);
  expect(sent).toEqual([batch(1, 50), batch(51, 20)]);
  expect([receipts[69]?.position, receipts[70]?.position, outflow.size]).toEqual([70, null, 380]);
});

test('a store that is full when it is asked, and no longer when that is known, is asked again', async () => {
  const { store, outflow, attach, settle, sent } = await start({ maxMessages: 1 });
  attach();
  const append = store.append.bind(store);
  outflow.send(outbound('first'));
  await settle();
  let answer: () => void = () => undefined;
  store.append = async (...asked) => {
    const answered = await append(...asked);
    await new Promise<void>((resolve) => (answer = resolve));
    return answered;
  };
  const receipt = outflow.send(outbound('second'));
  await settle();
  outflow.acknowledge(1);
  await settle();
  store.append = append;
  answer();
  await settle();
  outflow.acknowledge(2);
  expect([sent, await codeOf(receipt.settled)]).toEqual([['1["first"]', '2["second"]'], 'settled']);
});

test('a message that the store can never keep is refused, and the others go', async () => {
  const { outflow, attach, settle, sent } = await start({ maxBytes: 50 });
  attach();
  const receipts = ['a', 'x'.repeat(60), 'b'].map((data) => outflow.send(outbound(data)));
  await settle();
  outflow.acknowledge(1);
  await settle();
  expect(sent).toEqual(['1["a"]', '2["b"]']);
  expect(await codeOf(receipts[1]?.settled ?? Promise.resolve())).toBe('MESSAGE_TOO_BIG not_sent');
});

test('without a socket more than the store keeps is told as an overflow', async () => {
  const { store, outflow, settle, told } = await start({ maxMessages: 2 });
  await store.detach('s', 1);
  for (const data of [1, 2, 3]) outflow.send(outbound(data));
  await settle();
  expect(told).toEqual(['overflowed']);
});

test('messages that the store may have go on when their channel ends, unless it has no room for them', async () => {
  const { store, outflow, attach, settle, sent } = await start();
  attach();
  const append = store.append.bind(store);
  let answer: (isRoom: boolean) => void = () => undefined;
  store.append = async (...asked) => {
    const hasRoom = await new Promise<boolean>((resolve) => (answer = resolve));
    return hasRoom ? append(...asked) : 'overflow';
  };
  const receipts: Promise<void>[] = [];
  for (const hasRoom of [true, false]) {
    receipts.push(outflow.send(outbound(hasRoom, { channel: 'room' })).settled);
    await settle();
    outflow.drop('room', new MessageError('CONNECTION_ENDED', { message: 'no more' }));
    answer(hasRoom);
    await settle();
  }
  outflow.acknowledge(1);
  expect(sent).toEqual(['{"t":"m","s":1,"b":[{"d":true,"c":"room"}]}']);
  expect(await Promise.all(receipts.map(codeOf))).toEqual(['settled', 'CONNECTION_ENDED not_sent']);
  expect(outflow.size).toBe(0);
});

test('what the store had no room for does not go when its channel ends meanwhile, and what it took does', async () => {
  const { store, outflow, attach, settle, sent } = await start();
  attach();
  const append = store.append.bind(store);
  let answer: () => void = () => undefined;
  store.append = async (sid, gen, messages) => {
    await new Promise<void>((resolve) => (answer = resolve));
    // there is room for the others by the time that they are given to it again
    return append(sid, gen, messages.slice(0, 2));
  };
  const receipts = [1, 2, 3, 4].map((data) => outflow.send(outbound(data, { channel: data % 2 ? 'odd' : 'even' })));
  await settle();
  outflow.drop('odd', new MessageError('CONNECTION_ENDED', { message: 'no more' }));
  store.append = append;
  answer();
  await settle();
  outflow.acknowledge(3);
  expect(sent).toEqual([
    '{"t":"m","s":1,"b":[{"d":1,"c":"odd"},{"d":2,"c":"even"}]}',
    '{"t":"m","s":3,"b":[{"d":4,"c":"even"}]}',
  ]);
  expect(await Promise.all(receipts.map(({ settled }) => codeOf(settled)))).toEqual([
    'settled',
    'settled',
    'CONNECTION_ENDED not_sent',
    'settled',
  ]);
  expect([outflow.size, outflow.waitingBytes]).toEqual([0, 0]);
});

function batch(first: number, count: number): string {
  return `${first}[${Array.from({ length: count }, (_, index) => first - 1 + index).join(',')}]`;
}
