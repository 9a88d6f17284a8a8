import { describe, expect, test } from 'vitest';

import { MessageError } from '../src/errors.ts';
import { OutboundMessage, shown } from '../src/message.ts';
import type { SendOptions } from '../src/receipt.ts';
import { fateOf, microtasks, rig, TERMINAL } from './support/service.ts';

const error = new MessageError('CONNECTION_ENDED');

function messageOf(number = 1, options: SendOptions = {}, now = 0): OutboundMessage {
  return new OutboundMessage({ data: 'payload', bytes: 7, form: 'text' }, options, {
    number,
    now,
    cancel: () => false,
  });
}

describe('a receipt', () => {
  test('is pending until its fate is known', async () => {
    const receipt = messageOf();
    const fate = fateOf(receipt.settled);
    await microtasks();
    expect(fate.kind).toBe('pending');
    receipt.ended('sent');
    await microtasks();
    expect(fate).toEqual({ kind: 'resolved', value: { outcome: 'sent', id: 'm1' } });
  });

  test('tells that the peer has accepted its message, where the wire knows that', async () => {
    const receipt = messageOf();
    const fate = fateOf(receipt.settled);
    receipt.moved('handed');
    receipt.ended('acknowledged');
    receipt.ended('unknown', error);
    await microtasks();
    expect([fate, receipt.fate]).toEqual([
      { kind: 'resolved', value: { outcome: 'acknowledged', id: 'm1' } },
      'acknowledged',
    ]);
  });

  test('tells a fate that was decided before anybody asked', async () => {
    const [sent, dropped] = [messageOf(), messageOf(2)];
    sent.ended('sent');
    dropped.ended('dropped', error);
    await expect(sent.settled).resolves.toEqual({ outcome: 'sent', id: 'm1' });
    await expect(dropped.settled).rejects.toBe(error);
  });

  test('has one fate, the first, and one promise', async () => {
    const receipt = messageOf();
    const first = receipt.settled;
    receipt.ended('sent');
    receipt.ended('dropped', error);
    expect(receipt.settled).toBe(first);
    await expect(first).resolves.toMatchObject({ outcome: 'sent' });
  });

  test('keeps its first fate for who asks later', async () => {
    const receipt = messageOf();
    receipt.ended('sent');
    receipt.ended('dropped', error);
    await expect(receipt.settled).resolves.toEqual({ outcome: 'sent', id: 'm1' });
  });

  test('can be left alone: a rejection that nobody listens to is no unhandled one (pain 46)', async () => {
    const unhandled: unknown[] = [];
    const hear = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', hear);
    const receipt = messageOf();
    void receipt.settled;
    receipt.ended('dropped', error);
    // unhandled rejections are told when the microtasks are done
    await new Promise(setImmediate);
    process.off('unhandledRejection', hear);
    expect(unhandled).toEqual([]);
  });
});

describe('a message', () => {
  test('is normal, never expires and is known to nobody, unless something else is said', () => {
    expect(messageOf()).toMatchObject({
      id: 'm1',
      priority: 'normal',
      expiresAt: Infinity,
      coalesceKey: undefined,
      isKeyed: false,
      fate: 'waiting',
    });
    const options: SendOptions = { priority: 'low', ttlMs: 50, coalesceKey: 'k', idempotencyKey: '' };
    expect(messageOf(2, options, 1_000)).toMatchObject({
      priority: 'low',
      expiresAt: 1_050,
      coalesceKey: 'k',
      isKeyed: true,
    });
  });

  test('carries its key, its kind, its headers and what its connection adds, and nothing where there is nothing', () => {
    const headers = { x: 'y' };
    const options: SendOptions = { idempotencyKey: 'k', type: 'n', headers };
    const origin = { number: 1, now: 0, cancel: () => false, meta: { r: 'r1' } };
    const message = new OutboundMessage({ data: '', bytes: 0, form: 'text' }, options, origin);
    headers.x = 'changed later';
    expect([message.meta, message.metaBytes]).toEqual([{ k: 'k', n: 'n', h: { x: 'y' }, r: 'r1' }, 40]);
    expect([messageOf().meta, messageOf().metaBytes]).toEqual([undefined, 0]);
    expect(new OutboundMessage({ data: '', bytes: 0, form: 'text' }, {}, origin).meta).toEqual({ r: 'r1' });
  });

  test('is no greeting, and of no channel, unless it is made so', () => {
    const greeting = OutboundMessage.greeting({ data: 'hi', bytes: 2, form: 'text' }, 3);
    expect([messageOf(), greeting]).toMatchObject([
      { isGreeting: false, isVolatile: false, channel: undefined },
      { isGreeting: true, data: 'hi', priority: 'normal' },
    ]);
    expect(greeting.cancel()).toBe(false);
    expect(messageOf(1, { volatile: true }).isVolatile).toBe(true);
  });

  test.each(['waiting', 'handed', 'sent', 'acknowledged', 'dropped', 'unknown'] as const)(
    'that is %s is over, or not',
    (fate) => {
      const message = messageOf();
      const isOver = fate !== 'waiting' && fate !== 'handed';
      if (isOver) message.ended(fate, error);
      else message.moved(fate);
      expect([message.fate, message.isOver]).toEqual([fate, isOver]);
    },
  );

  test('lets go of its payload once its fate is final: a receipt may be kept for long', () => {
    const message = messageOf();
    message.moved('handed');
    expect([message.data, message.fate]).toEqual(['payload', 'handed']);
    message.ended('unknown', error);
    expect([message.data, message.fate]).toEqual(['', 'unknown']);
  });

  test('is in doubt once it comes back from a socket', () => {
    const message = messageOf();
    message.moved('handed');
    expect(message.isInDoubt).toBe(false);
    message.moved('waiting');
    expect(message.isInDoubt).toBe(true);
  });

  test('calls back once when its fate is final', () => {
    const message = messageOf();
    let calls = 0;
    message.whenSettled(() => {
      calls += 1;
    });
    message.ended('dropped', error);
    message.ended('sent');
    expect(calls).toBe(1);
  });

  test('is shown without its payload', () => {
    expect(shown(messageOf(3, { ttlMs: 1, coalesceKey: 'k' }, 9))).toEqual({
      id: 'm3',
      priority: 'normal',
      bytes: 7,
      expiresAt: 10,
      coalesceKey: 'k',
    });
    expect(shown(messageOf())).toMatchObject({ expiresAt: null, coalesceKey: null });
  });
});

describe('taking a message back', () => {
  test('while it waits keeps it from the wire, says so, and tells its promise', async () => {
    const r = rig();
    void r.service.connect(TERMINAL);
    const connection = r.service.connection('terminal:one');
    const [kept, taken] = [connection.send('kept'), connection.send('taken')];
    const fate = fateOf(taken.settled);
    expect([taken.cancel(), taken.cancel()]).toEqual([true, false]);
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect(fate.error).toMatchObject({ code: 'SEND_CANCELLED', outcome: 'not_sent', severity: 'warning' });
    expect([r.sockets.last.sent, kept.cancel()]).toEqual([['kept'], false]);
    expect(connection.status.messages).toMatchObject({ accepted: 2, sent: 1, dropped: 1, waiting: 0, waitingBytes: 0 });
  });

  test('on an open line works until the end of the turn', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    expect(connection.send('a').cancel()).toBe(true);
    await r.settle();
    expect(socket.sent).toEqual([]);
  });

  test('that was refused, or dropped, changes nothing', async () => {
    const r = rig();
    const { connection } = await r.open();
    const refused = connection.send(undefined);
    expect(refused.cancel()).toBe(false);
    r.sockets.last.ends(1006);
    await r.settle();
    const dropped = connection.send('a');
    await connection.close();
    expect(dropped.cancel()).toBe(false);
    await expect(dropped.settled).rejects.toMatchObject({ code: 'CONNECTION_ENDED' });
    expect(connection.status.messages).toMatchObject({ accepted: 1, dropped: 1, refused: 1 });
  });
});
