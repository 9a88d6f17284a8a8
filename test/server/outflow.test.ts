import { expect, test } from 'vitest';

import { MessageError } from '../../src/errors.ts';
import { outbound } from '../../src/server/outbound.ts';
import { CLIENT_LIMITS } from '../support/wire-client.ts';
import { codeOf, startOutflow as start } from '../support/outflow.ts';

test('one append a tick takes everything that was sent in it', async () => {
  const { store, outflow, attach, settle, sent } = await start();
  const sizes: number[] = [];
  const append = store.append.bind(store);
  store.append = (sid, gen, messages) => {
    sizes.push(messages.length);
    return append(sid, gen, messages);
  };
  attach();
  for (const data of [1, 2, 3]) outflow.send(outbound(data));
  await settle();
  outflow.send(outbound(4));
  await settle();
  expect([sizes, sent]).toEqual([
    [3, 1],
    ['1[1,2,3]', '4[4]'],
  ]);
});

test('a flood in one direction is gathered for a millisecond at a time, until the client says something', async () => {
  const { clock, outflow, attach, flood, sent } = await start();
  attach();
  await flood(12);
  expect(sent).toHaveLength(8);
  await clock.advanceAsync(1);
  expect(sent.slice(8)).toEqual(['9[9,10,11,12]']);
  // a window that brings nothing ends it
  await clock.advanceAsync(1);
  for (let turn = 0; turn < 28; turn++) {
    outflow.heard();
    await flood(1);
  }
  expect([sent.length, clock.pending()]).toEqual([37, 0]);
});

test('what is held back is nothing to gather for: no timer looks at it again and again', async () => {
  const { clock, outflow, attach, settle, flood, sent } = await start();
  attach();
  outflow.hold('c', true);
  await flood(12, { channel: 'c' });
  await clock.advanceAsync(2);
  expect([sent, clock.pending()]).toEqual([[], 0]);
  outflow.hold('c', false);
  await settle();
  expect(sent).toHaveLength(1);
});

test('what is gathered is over with the session, and holds no timer', async () => {
  const { clock, outflow, attach, flood } = await start();
  attach();
  const last = await flood(9);
  expect(clock.pending()).toBe(1);
  outflow.end(new MessageError('CONNECTION_ENDED'));
  expect([clock.pending(), await codeOf(last.settled)]).toEqual([0, 'CONNECTION_ENDED not_sent']);
});

test('nothing is sent before the store has it (trap 1)', async () => {
  const { store, outflow, attach, settle, sent } = await start();
  let answer: () => void = () => undefined;
  const append = store.append.bind(store);
  store.append = async (sid, gen, messages) => {
    await new Promise<void>((resolve) => (answer = resolve));
    return append(sid, gen, messages);
  };
  attach();
  outflow.send(outbound('one'));
  await settle();
  expect(sent).toEqual([]);
  answer();
  await settle();
  expect(sent).toEqual(['1["one"]']);
});

test('what the client has accepted is settled, and forgotten by the store', async () => {
  const { store, outflow, attach, settle } = await start();
  attach();
  const receipts = [1, 2].map((data) => outflow.send(outbound(data)));
  await settle();
  outflow.acknowledge(1);
  await settle();
  expect([outflow.size, await codeOf(receipts[0]?.settled ?? Promise.reject(new Error()))]).toEqual([1, 'settled']);
  expect(await store.read('s', 1, { messages: 9, bytes: 9 })).toMatchObject([{ data: '2' }]);
  expect(await store.read('s', 0, { messages: 9, bytes: 9 })).toEqual([]);
  expect(() => {
    outflow.acknowledge(3);
  }).toThrow('never sent');
});

test('who waits for the last acknowledgement is called once it is here', async () => {
  const { outflow, attach, settle } = await start();
  attach();
  const calls: string[] = [];
  outflow.onceSettled(() => calls.push('at once'))();
  outflow.send(outbound(1));
  const end = outflow.onceSettled(() => calls.push('settled'));
  await settle();
  expect(calls).toEqual(['at once']);
  outflow.acknowledge(1);
  expect(calls).toEqual(['at once', 'settled']);
  end();
});

test('a message that the client cannot take is refused at once', async () => {
  const { outflow, attach, link } = await start();
  link.limits = { ...CLIENT_LIMITS, frame: 100 };
  attach();
  expect(await codeOf(outflow.send(outbound('x'.repeat(60))).settled)).toBe('MESSAGE_TOO_BIG not_sent');
});

test('a message that the client cannot take is refused while it has no socket, too: the session could not go on with it', async () => {
  const { outflow, attach, link } = await start();
  link.limits = { ...CLIENT_LIMITS, frame: 100 };
  attach();
  outflow.detach();
  expect(await codeOf(outflow.send(outbound('x'.repeat(60))).settled)).toBe('MESSAGE_TOO_BIG not_sent');
});

test('more than may wait is refused, and the client called too slow', async () => {
  const { outflow, attach, link, told } = await start();
  attach();
  link.bufferedBytes = 4_990;
  expect(await codeOf(outflow.send(outbound('x')).settled)).toBe('QUEUE_FULL not_sent');
  expect(told).toEqual(['caught up', 'too slow']);
});

test('messages of a channel that is held back wait, and let others by', async () => {
  const { outflow, attach, settle, sent } = await start();
  attach();
  outflow.hold('room', true);
  outflow.send(outbound('held', { channel: 'room' }));
  outflow.send(outbound('free'));
  await settle();
  expect(sent).toEqual(['1["free"]']);
  outflow.hold('room', false);
  outflow.hold('room', false);
  await settle();
  expect(sent[1]).toBe('{"t":"m","s":2,"b":[{"d":"held","c":"room"}]}');
});

test('copies for a channel that is held back lie alone, for they stay when the others are gone', async () => {
  const { outflow, attach } = await start();
  attach();
  outflow.hold('held', true);
  const lengths = ['free', 'held', undefined].map((channel) => {
    const memory = outflow.memoryFor(channel);
    return Array.from({ length: 4 }, () => memory.take(100).buffer.byteLength);
  });
  expect(lengths).toEqual([
    [100, 100, 200, 200],
    [100, 100, 100, 100],
    [400, 400, 400, 400],
  ]);
});

test('messages of a channel that was held back on one socket go on the next, until that says so as well', async () => {
  const { outflow, attach, settle, sent } = await start();
  attach();
  outflow.hold('room', true);
  outflow.send(outbound('held', { channel: 'room' }));
  await settle();
  expect(sent).toEqual([]);
  outflow.detach();
  attach();
  await settle();
  expect(sent).toEqual(['{"t":"m","s":1,"b":[{"d":"held","c":"room"}]}']);
});

test('messages of a channel that is no more are not sent, as far as they wait, and the others go', async () => {
  const { outflow, attach, settle, sent } = await start();
  attach();
  outflow.hold('room', true);
  const receipts = ['room', 'other'].map((channel) => outflow.send(outbound(channel, { channel })));
  await settle();
  outflow.drop('room', new MessageError('CONNECTION_ENDED', { message: 'no more' }));
  outflow.send(outbound('again', { channel: 'room' }));
  await settle();
  expect(sent).toEqual([
    '{"t":"m","s":1,"b":[{"d":"other","c":"other"}]}',
    '{"t":"m","s":2,"b":[{"d":"again","c":"room"}]}',
  ]);
  expect([await codeOf(receipts[0]?.settled ?? Promise.resolve()), outflow.waitingBytes, outflow.size]).toEqual([
    'CONNECTION_ENDED not_sent',
    0,
    2,
  ]);
});

test('messages that wait for a change of the owner when their channel ends are not sent either', async () => {
  const { outflow, attach, settle, sent, ownership } = await start();
  attach();
  let decide: () => void = () => undefined;
  void ownership.during(() => new Promise<void>((resolve) => (decide = resolve)));
  const receipt = outflow.send(outbound('late', { channel: 'room' }));
  await settle();
  outflow.drop('room', new MessageError('CONNECTION_ENDED', { message: 'no more' }));
  decide();
  await settle();
  expect([sent, await codeOf(receipt.settled), outflow.waitingBytes]).toEqual([[], 'CONNECTION_ENDED not_sent', 0]);
});

test('receipts of a channel are known until they are acknowledged', async () => {
  const { outflow, attach, settle } = await start();
  attach();
  const [first, , second] = ['room', 'other', 'room'].map((channel) => outflow.send(outbound(1, { channel })));
  expect(outflow.unsettled('room')).toEqual([first, second]);
  await settle();
  outflow.acknowledge(2);
  outflow.hold('room', true);
  const held = outflow.send(outbound(2, { channel: 'room' }));
  expect(outflow.unsettled('room')).toEqual([second, held]);
});

test('messages are refused by their keys as well', async () => {
  const { outflow, attach, settle } = await start();
  attach();
  const receipts = ['a', 'b', undefined].map((key) => outflow.send(outbound(1, key === undefined ? {} : { key })));
  await settle();
  outflow.refusedByKey(['b', 'c'], new MessageError('MESSAGE_REJECTED', { outcome: 'rejected' }));
  outflow.acknowledge(3);
  expect(await Promise.all(receipts.map(({ settled }) => codeOf(settled)))).toEqual([
    'settled',
    'MESSAGE_REJECTED rejected',
    'settled',
  ]);
});

test('a store that fails leaves its messages in doubt, and those that follow are sent', async () => {
  const { store, outflow, attach, settle, sent, faults } = await start();
  const append = store.append.bind(store);
  store.append = () => Promise.reject(new Error('down'));
  attach();
  const receipt = outflow.send(outbound('lost'));
  await settle();
  expect([await codeOf(receipt.settled), faults.length]).toEqual(['SEND_FAILED unknown', 1]);
  store.append = append;
  outflow.send(outbound('next'));
  await settle();
  expect([sent, outflow.waitingBytes]).toEqual([['1["next"]'], 0]);
});

test('a store that cannot take an acknowledgement is told of it with the next', async () => {
  const { store, outflow, attach, settle, faults } = await start();
  const ack = store.ack.bind(store);
  attach();
  for (const data of [1, 2]) outflow.send(outbound(data));
  await settle();
  store.ack = () => Promise.reject(new Error('down'));
  outflow.acknowledge(1);
  await settle();
  store.ack = ack;
  outflow.acknowledge(2);
  await settle();
  expect([faults.length, await store.read('s', 1, { messages: 9, bytes: 9 })]).toEqual([1, []]);
});

test('writes that another owner has fenced end it all', async () => {
  const { store, outflow, attach, settle, sent, told, wish } = await start();
  attach();
  await store.open({ ...wish, node: 'b' });
  const receipt = outflow.send(outbound(1));
  await settle();
  expect([sent, told]).toEqual([[], ['caught up', 'fenced']]);
  outflow.end(new MessageError('CONNECTION_ENDED', { message: 'over' }));
  expect(await codeOf(receipt.settled)).toBe('CONNECTION_ENDED not_sent');
});

test('the end settles everything: what was never kept was not sent, the rest is unknown', async () => {
  const { outflow, attach, settle } = await start();
  attach();
  const kept = outflow.send(outbound(1));
  await settle();
  const waiting = outflow.send(outbound(2));
  outflow.end(new MessageError('CONNECTION_ENDED', { message: 'over' }));
  outflow.end(new MessageError('CONNECTION_ENDED', { message: 'twice' }));
  const late = outflow.send(outbound(3));
  expect([await codeOf(kept.settled), await codeOf(waiting.settled), await codeOf(late.settled)]).toEqual([
    'OUTCOME_UNKNOWN unknown',
    'CONNECTION_ENDED not_sent',
    'CONNECTION_ENDED not_sent',
  ]);
});

test('the end leaves in doubt what the store may have by then', async () => {
  const { store, outflow, attach, settle } = await start();
  attach();
  const append = store.append.bind(store);
  store.append = async (...asked) => {
    await append(...asked);
    // its answer is lost on the way
    return new Promise(() => undefined);
  };
  const underway = outflow.send(outbound(1));
  await settle();
  const waiting = outflow.send(outbound(2));
  outflow.end(new MessageError('CONNECTION_ENDED', { message: 'over' }));
  expect([await codeOf(underway.settled), await codeOf(waiting.settled)]).toEqual([
    'OUTCOME_UNKNOWN unknown',
    'CONNECTION_ENDED not_sent',
  ]);
  expect(await store.read('s', 0, { messages: 9, bytes: 99 })).toHaveLength(1);
});
