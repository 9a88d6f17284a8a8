import { expect, test } from 'vitest';

import { MessageError } from '../../src/errors.ts';
import type { AskOptions } from '../../src/server/message.ts';
import { Receipt } from '../../src/server/receipt.ts';
import { Replies } from '../../src/server/replies.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

function start() {
  const clock = new SimulatedClock();
  const replies = new Replies(clock, '7');
  const ids: string[] = [];
  const receipts: Receipt[] = [];
  const ask = (options: AskOptions = {}) =>
    replies.ask((id) => {
      const receipt = new Receipt();
      ids.push(id);
      receipts.push(receipt);
      return receipt;
    }, options);
  return { clock, replies, ids, receipts, ask };
}

test('a reply goes to who asked for it, whatever the order', async () => {
  const { replies, ids, ask, clock } = start();
  const [first, second] = [ask(), ask()];
  expect(ids).toEqual(['7.1', '7.2']);
  replies.take('7.2', { data: 'b', meta: {} });
  replies.take('7.1', { data: 'a', meta: {} });
  replies.take('7.1', { data: 'again', meta: {} });
  expect([await first, await second, replies.size, clock.pending()]).toEqual(['a', 'b', 0, 0]);
});

test('a reply that says that it failed rejects', async () => {
  const { replies, ask } = start();
  const asked = ask();
  replies.take('7.1', { data: 'no', meta: { h: { error: 'BUSY' } } });
  await expect(asked).rejects.toMatchObject({
    code: 'REQUEST_REFUSED',
    outcome: 'rejected',
    message: 'The client answered with BUSY.',
  });
});

test('a reply that does not come in time is not waited for', async () => {
  const { ask, clock, replies } = start();
  const [short, long] = [ask({ timeoutMs: 5 }), ask()];
  clock.advance(5);
  await expect(short).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'unknown' });
  clock.advance(29_995);
  await expect(long).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
  expect([replies.size, clock.pending()]).toEqual([0, 0]);
});

test('a signal takes a request back, before it is sent and after', async () => {
  const { ask, ids, clock } = start();
  const controller = new AbortController();
  const asked = ask({ signal: controller.signal });
  controller.abort();
  await expect(asked).rejects.toMatchObject({ code: 'REQUEST_ABORTED', outcome: 'unknown' });
  await expect(ask({ signal: controller.signal })).rejects.toMatchObject({ outcome: 'not_sent' });
  expect([ids, clock.pending()]).toEqual([['7.1'], 0]);
});

test('a request whose message was refused is told so', async () => {
  const { ask, receipts } = start();
  const asked = ask();
  receipts[0]?.settle(new MessageError('QUEUE_FULL'));
  await expect(asked).rejects.toMatchObject({ code: 'QUEUE_FULL' });
});

test('the end answers every request, and those to come', async () => {
  const { ask, replies, clock } = start();
  const asked = ask();
  replies.end();
  await expect(asked).rejects.toMatchObject({ code: 'REPLY_LOST', outcome: 'unknown' });
  await expect(ask()).rejects.toMatchObject({ code: 'CONNECTION_ENDED' });
  expect(clock.pending()).toBe(0);
});
