import { expect, test } from 'vitest';

import { MessageError } from '../../src/errors.ts';
import type { MemoryStore } from '../../src/server/memory-store.ts';
import { outbound } from '../../src/server/outbound.ts';
import { codeOf, startOutflow as start } from '../support/outflow.ts';

test('what the store has room for goes, and the rest with the next acknowledgement: one write each, however many wait', async () => {
  const { store, outflow, attach, settle, sent } = await start({ maxMessages: 50, bufferedBytes: 1e6 });
  const asked = askedOf(store);
  attach();
  const receipts = Array.from({ length: 400 }, (_, index) => outflow.send(outbound(index)));
  await settle();
  outflow.acknowledge(20);
  await settle();
  expect(asked).toEqual([256, 256]);
  expect(sent).toEqual([batch(1, 50), batch(51, 20)]);
  expect([receipts[69]?.position, receipts[70]?.position, outflow.size]).toEqual([70, null, 380]);
});

test('a store that is full when it is asked, and no longer when that is known, is asked again', async () => {
  const { store, outflow, attach, settle, sent } = await start({ maxMessages: 1 });
  attach();
  outflow.send(outbound('first'));
  await settle();
  const answer = answersLate(store);
  const receipt = outflow.send(outbound('second'));
  await settle();
  outflow.acknowledge(1);
  await settle();
  answer();
  await settle();
  outflow.acknowledge(2);
  expect([sent, await codeOf(receipt.settled)]).toEqual([['1["first"]', '2["second"]'], 'settled']);
});

test('a store that is full while there is a socket, and known to be only without one, is asked again before the session is over for it', async () => {
  const { store, outflow, attach, settle, told } = await start({ maxMessages: 1 });
  attach();
  outflow.send(outbound('first'));
  await settle();
  const answer = answersLate(store);
  outflow.send(outbound('second'));
  await settle();
  outflow.acknowledge(1);
  outflow.detach();
  await settle();
  answer();
  await settle();
  expect(told).toEqual(['caught up']);
  expect(await store.read('s', 1, { messages: 9, bytes: 99 })).toMatchObject([{ data: '"second"' }]);
});

test('a full store that could not be told of an acknowledgement is told when it is touched, and what waits goes', async () => {
  const { store, outflow, attach, settle, sent, faults } = await start({ maxMessages: 1 });
  attach();
  for (const data of ['first', 'second']) outflow.send(outbound(data));
  await settle();
  const ack = store.ack.bind(store);
  store.ack = () => Promise.reject(new Error('down'));
  outflow.acknowledge(1);
  await settle();
  store.ack = ack;
  expect([sent, faults.length]).toEqual([['1["first"]'], 1]);
  await outflow.touch();
  await settle();
  expect(sent).toEqual(['1["first"]', '2["second"]']);
});

test('a store that knows nothing of what the client acknowledges has lost it: the session cannot go on', async () => {
  const { store, outflow, attach, settle, told } = await start();
  attach();
  outflow.send(outbound('first'));
  await settle();
  store.ack = () => Promise.resolve('ahead');
  outflow.acknowledge(1);
  await settle();
  expect(told).toEqual(['caught up', 'the store has lost messages']);
});

test('what the store says of an acknowledgement once the session is over is nothing any more', async () => {
  const { store, outflow, attach, settle, told } = await start();
  attach();
  outflow.send(outbound('first'));
  await settle();
  store.ack = () => {
    outflow.end(new MessageError('CONNECTION_ENDED', { message: 'over' }));
    return Promise.resolve('ahead');
  };
  outflow.acknowledge(1);
  await settle();
  expect(told).toEqual(['caught up']);
});

test('what the store could not be told of makes room before it is asked for more without a socket', async () => {
  const { store, outflow, attach, settle, told, faults } = await start({ maxMessages: 2 });
  attach();
  for (const data of ['first', 'second', 'third']) outflow.send(outbound(data));
  await settle();
  const ack = store.ack.bind(store);
  store.ack = () => Promise.reject(new Error('down'));
  outflow.acknowledge(2);
  await settle();
  store.ack = ack;
  await store.detach('s', 1);
  outflow.detach();
  await settle();
  expect([told, faults.length]).toEqual([['caught up'], 1]);
  expect(await store.read('s', 2, { messages: 9, bytes: 99 })).toMatchObject([{ data: '"third"' }]);
});

test('a store that cannot say how far it is refuses nothing: what waits goes when it can', async () => {
  const { store, outflow, attach, settle, sent, faults } = await start();
  attach();
  const { append, touch } = { append: store.append.bind(store), touch: store.touch.bind(store) };
  store.append = () => Promise.resolve('overflow');
  store.touch = () => Promise.reject(new Error('down'));
  outflow.send(outbound('own'));
  await settle();
  expect([sent, outflow.size, faults.length]).toEqual([[], 1, 1]);
  store.append = append;
  store.touch = touch;
  await outflow.touch();
  await settle();
  expect(sent).toEqual(['1["own"]']);
});

test('a full store whose client goes while it is asked how far it is decides without it', async () => {
  const { store, outflow, attach, settle, told } = await start({ maxMessages: 1 });
  attach();
  await store.append('s', null, [outbound('of another node')]);
  const touch = store.touch.bind(store);
  store.touch = (...asked) => {
    outflow.detach();
    return touch(...asked);
  };
  outflow.send(outbound('own'));
  await settle();
  expect(told).toEqual(['caught up', 'overflowed']);
});

test('what the client has accepted before the store said that it took it is settled then', async () => {
  const { store, outflow, attach, settle } = await start();
  attach();
  const answer = answersLate(store);
  const receipt = outflow.send(outbound('first'));
  await settle();
  await outflow.touch();
  await settle();
  outflow.acknowledge(1);
  answer();
  await settle();
  expect(await Promise.race([codeOf(receipt.settled), settle().then(() => 'open')])).toBe('settled');
});

test('what is large is given to the store a few at a time', async () => {
  const { store, outflow, attach, settle } = await start({ bufferedBytes: 1e6, maxBytes: 1e6 });
  attach();
  const asked = askedOf(store);
  for (let index = 0; index < 5; index++) outflow.send(outbound('x'.repeat(100_000)));
  await settle();
  expect(asked).toEqual([2, 2, 1]);
});

test('a store that another node has filled is waited for, though its wake has not come', async () => {
  const { store, outflow, attach, settle, sent } = await start({ maxMessages: 2 });
  attach();
  await store.append('s', null, [outbound('of another'), outbound('node')]);
  const receipt = outflow.send(outbound('own'));
  await settle();
  outflow.acknowledge(1);
  await settle();
  outflow.acknowledge(3);
  expect(sent).toEqual(['1["of another","node"]', '3["own"]']);
  expect(await codeOf(receipt.settled)).toBe('settled');
});

test('what the store takes goes though some of its channels are held back, and the others wait for both', async () => {
  const { outflow, attach, settle, sent } = await start({ maxMessages: 1 });
  attach();
  outflow.hold('room', true);
  for (const channel of ['room', 'other', 'other']) outflow.send(outbound(1, { channel }));
  await settle();
  outflow.hold('room', false);
  await settle();
  expect([sent, outflow.size]).toEqual([['{"t":"m","s":1,"b":[{"d":1,"c":"other"}]}'], 3]);
  outflow.acknowledge(1);
  await settle();
  outflow.acknowledge(2);
  await settle();
  expect(sent.slice(1)).toEqual([
    '{"t":"m","s":2,"b":[{"d":1,"c":"room"}]}',
    '{"t":"m","s":3,"b":[{"d":1,"c":"other"}]}',
  ]);
});

test('the end leaves in doubt what a store that was nearly full has taken, and nothing else', async () => {
  const { store, outflow, attach, settle } = await start({ maxMessages: 2 });
  attach();
  const answer = answersLate(store);
  const receipts = [1, 2, 3, 4].map((data) => outflow.send(outbound(data)));
  await settle();
  const codes = receipts.map(({ settled }) => codeOf(settled));
  answer();
  // its answer is here, and not seen yet
  await Promise.resolve();
  await Promise.resolve();
  outflow.end(new MessageError('CONNECTION_ENDED', { message: 'over' }));
  await settle();
  expect(await Promise.all(codes)).toEqual([
    'OUTCOME_UNKNOWN unknown',
    'OUTCOME_UNKNOWN unknown',
    'CONNECTION_ENDED not_sent',
    'CONNECTION_ENDED not_sent',
  ]);
});

test('a store that gives no positions, or too many, leaves its messages in doubt', async () => {
  for (const last of [0, 2, NaN]) {
    const { store, outflow, attach, settle, faults } = await start();
    attach();
    store.append = () => Promise.resolve({ first: 1, last });
    const receipt = outflow.send(outbound('lost'));
    await settle();
    expect([await codeOf(receipt.settled), faults]).toEqual([
      'SEND_FAILED unknown',
      [new Error(`the store has given ${last} positions to 1 messages`)],
    ]);
  }
});

test('what was refused to an older generation is not sent by the newer one when its channel is no more', async () => {
  const { store, outflow, attach, settle, sent, ownership, wish } = await start();
  attach();
  const answer = answersLate(store);
  const receipts = ['room', 'other'].map((channel) => outflow.send(outbound(1, { channel })));
  await store.open({ ...wish, tokenHash: 'newer' });
  await settle();
  outflow.drop('room', new MessageError('CONNECTION_ENDED', { message: 'no more' }));
  ownership.adopt(2);
  answer();
  await settle();
  outflow.acknowledge(1);
  expect(sent).toEqual(['{"t":"m","s":1,"b":[{"d":1,"c":"other"}]}']);
  expect(await Promise.all(receipts.map(({ settled }) => codeOf(settled)))).toEqual([
    'CONNECTION_ENDED not_sent',
    'settled',
  ]);
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
    return append(sid, gen, messages.slice(0, 2));
  };
  const receipts = [1, 2, 3, 4].map((data) => outflow.send(outbound(data, { channel: data % 2 ? 'odd' : 'even' })));
  await settle();
  outflow.drop('odd', new MessageError('CONNECTION_ENDED', { message: 'no more' }));
  store.append = append;
  answer();
  await settle();
  outflow.acknowledge(2);
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

/** How many messages each append asks the store to take. */
function askedOf(store: MemoryStore): number[] {
  const asked: number[] = [];
  const append = store.append.bind(store);
  store.append = (sid, gen, messages) => {
    asked.push(messages.length);
    return append(sid, gen, messages);
  };
  return asked;
}

/** The next append of the store is answered when that is called; those after it at once. */
function answersLate(store: MemoryStore): () => void {
  const append = store.append.bind(store);
  let answer: () => void = () => undefined;
  store.append = async (...asked) => {
    store.append = append;
    const answered = await append(...asked);
    await new Promise<void>((resolve) => (answer = resolve));
    return answered;
  };
  return () => {
    answer();
  };
}

function batch(first: number, count: number): string {
  return `${first}[${Array.from({ length: count }, (_, index) => first - 1 + index).join(',')}]`;
}
