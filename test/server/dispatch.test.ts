import { expect, test } from 'vitest';

import type { WireMeta } from '../../src/protocol/frames.ts';
import type { Channels } from '../../src/server/channels.ts';
import { Dispatch } from '../../src/server/dispatch.ts';
import type { Intake } from '../../src/server/intake.ts';
import type { Letter, Mailbox } from '../../src/server/mailbox.ts';
import type { InboundMessage, InboundRequest } from '../../src/server/message.ts';
import { Receipt } from '../../src/server/receipt.ts';
import type { Replies } from '../../src/server/replies.ts';

function start() {
  const did: unknown[] = [];
  const letters: Letter[] = [];
  const dispatch = new Dispatch({
    mailbox: {
      put: (letter: Letter) => letters.push(letter),
      putVolatile: (message: InboundMessage) => did.push(['volatile', message.data]),
    } as unknown as Mailbox,
    channels: {
      put: (name: string, letter: Letter) => did.push([name, letter.message.data]),
      putVolatile: (name: string, { data }: InboundMessage) => did.push([name, 'volatile', data]),
    } as unknown as Channels,
    replies: { take: (id: string, { data }: InboundMessage) => did.push(['reply', id, data]) } as unknown as Replies,
    intake: {
      accept: (position: number) => did.push(['accept', position]),
      refuse: (position: number, { code }: { code: string }) => did.push(['refuse', position, code]),
    } as unknown as Intake,
    now: () => 1_000,
    send: (data, options, ids) => {
      did.push(['send', data, options, ids]);
      return new Receipt();
    },
  });
  const deliver = (data: unknown, meta: WireMeta = {}): void => {
    dispatch.deliver({ data, meta, position: 7, bytes: 3 });
  };
  return { dispatch, deliver, did, letters };
}

test('a message goes to the session, or to its channel', () => {
  const { deliver, did, letters } = start();
  deliver('a', { n: 't', h: { x: '1' }, k: 'k', x: 1_000 });
  deliver('b', { c: 'room' });
  expect(letters[0]?.message).toEqual({ data: 'a', position: 7, type: 't', headers: { x: '1' }, key: 'k' });
  letters[0]?.accept();
  letters[0]?.refuse({ code: 'NO', message: '', temporary: false, outcome: 'unknown' });
  expect(did).toEqual([
    ['room', 'b'],
    ['accept', 7],
    ['refuse', 7, 'NO'],
  ]);
});

test('a message that comes too late is refused', () => {
  const { deliver, did, letters } = start();
  deliver('a', { x: 999 });
  expect([did, letters]).toEqual([[['refuse', 7, 'EXPIRED']], []]);
});

test('a reply goes to who waits for it, past everything else', () => {
  const { deliver, did, letters } = start();
  deliver('a', { re: 'q1', c: 'room' });
  expect([did, letters]).toEqual([
    [
      ['reply', 'q1', 'a'],
      ['accept', 7],
    ],
    [],
  ]);
});

test('a request can be answered once, on its own channel', () => {
  const { deliver, did, letters } = start();
  deliver('a', { r: 'q1' });
  const request = letters[0]?.message as InboundRequest;
  const receipt = request.reply(undefined);
  expect(request.reply('again')).toBe(receipt);
  expect(did).toEqual([['send', null, {}, { re: 'q1' }]]);
});

test('an answer may say that the request failed', () => {
  const { deliver, did, letters } = start();
  deliver('a', { r: 'q1' });
  (letters[0]?.message as InboundRequest).reply('busy', { error: 'BUSY' });
  expect(did).toEqual([['send', 'busy', { headers: { error: 'BUSY' } }, { re: 'q1' }]]);
});

test('a volatile message has no position', () => {
  const { dispatch, did } = start();
  dispatch.volatile({ data: 'a', meta: {} });
  dispatch.volatile({ data: 'b', meta: { c: 'room' } });
  expect(did).toEqual([
    ['volatile', 'a'],
    ['room', 'volatile', 'b'],
  ]);
});
