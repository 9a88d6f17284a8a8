import { describe, expect, test } from 'vitest';

import { MessageError } from '../src/errors.ts';
import { Line, OutboxRig } from './support/outbox.ts';
import { fateOf, microtasks } from './support/service.ts';

describe('the outbox', () => {
  test('hands over at the end of the turn, so that what one turn sends leaves in one write, in order', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    r.push('a');
    r.push('b');
    expect(line.sent).toEqual([]);
    await microtasks();
    expect([line.sent, line.writes]).toEqual([['a', 'b'], [2]]);
  });

  test('has copies of the bytes of one turn lie beside each other, and none beside those of the next', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    const own = new Uint8Array(1_000);
    for (let turn = 1; turn <= 2; turn++) {
      for (let copy = 0; copy < 4; copy++) r.outbox.push(own.fill(turn));
      await microtasks();
    }
    const sent = line.sent as Uint8Array[];
    expect(sent.map(([first]) => first)).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    // the first two of a turn have memory of their own
    expect(sent.map(({ buffer }) => buffer.byteLength)).toEqual([
      1_000, 1_000, 2_000, 2_000, 1_000, 1_000, 2_000, 2_000,
    ]);
    expect(new Set(sent.map(({ buffer }) => buffer)).size).toBe(6);
  });

  test.each(['while nobody is connected', 'one critical message after the other'])(
    'gives copies memory of their own where they would outlive each other: %s',
    async (when) => {
      const r = new OutboxRig();
      const line = new Line();
      const isCritical = when !== 'while nobody is connected';
      if (isCritical) await r.attached(line);
      for (let copy = 1; copy <= 4; copy++)
        r.outbox.push(new Uint8Array(1_000).fill(copy), isCritical ? { priority: 'critical' } : {});
      if (!isCritical) await r.attached(line);
      const sent = line.sent as Uint8Array[];
      expect(sent.map(([first]) => first)).toEqual([1, 2, 3, 4]);
      expect(sent.map(({ buffer }) => buffer.byteLength)).toEqual([1_000, 1_000, 1_000, 1_000]);
    },
  );

  test('hands over 25 of many requests when the next is asked, with what came before them, and what is left at the end of the turn', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    r.push('a');
    for (let number = 1; number <= 60; number++) r.outbox.push(`r${number}`, {}, { r: `r${number}` });
    expect(line.writes).toEqual([26, 25]);
    await microtasks();
    expect(line.writes).toEqual([26, 25, 10]);
    expect(line.sent).toEqual(['a', ...Array.from({ length: 60 }, (_, index) => `r${index + 1}`)]);
  });

  test('takes no request that closes it by what is handed over before: it is refused, and settled', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    line.onSend = () => {
      r.outbox.close('CONNECTION_ENDED');
    };
    const receipts = Array.from({ length: 26 }, (_, n) => r.outbox.push(`${n}`, {}, { r: `r${n}` }));
    await r.turn();
    expect(receipts.at(-1)?.error).toMatchObject({ code: 'CONNECTION_ENDED' });
    expect(r.outbox.counts).toMatchObject({ waiting: 0, refused: 1 });
  });

  test('keeps what was given while no transport is attached (original fault 4)', async () => {
    const r = new OutboxRig();
    r.push('a');
    await r.turn();
    expect(r.outbox.counts.waiting).toBe(1);
    const line = await r.attached();
    expect(line.sent).toEqual(['a']);
  });

  test('keeps what it was about to hand over when the transport goes within the turn', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    r.push('a');
    r.lose();
    await r.turn();
    expect([line.sent, r.outbox.counts]).toMatchObject([[], { waiting: 1, sent: 0 }]);
  });

  test('hands the first over a turn after the transport came: one that ends at once is trusted with nothing', async () => {
    const r = new OutboxRig();
    r.push('a');
    const line = r.attach();
    r.push('b');
    r.push('!', { priority: 'critical' });
    await microtasks();
    r.lose();
    await r.turn();
    expect([line.sent, r.outbox.counts]).toMatchObject([[], { waiting: 3, sent: 0 }]);
    const next = await r.attached();
    expect(next.sent).toEqual(['!', 'a', 'b']);
  });

  test('trusts nothing to a transport that is closing: it would be discarded without a word (pain 57)', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    r.push('a');
    await r.turn();
    line.isOpen = false;
    r.push('b');
    r.push('!', { priority: 'critical' });
    await r.turn();
    expect([line.sent, r.outbox.counts]).toMatchObject([['a'], { waiting: 2, sent: 1 }]);
  });

  test('keeps the rest when the transport goes in the middle of a flush (original fault 8)', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    line.onSend = () => {
      line.isOpen = false;
    };
    for (const text of ['a', 'b', 'c']) r.push(text);
    await r.turn();
    expect([line.sent, r.outbox.counts]).toMatchObject([['a'], { sent: 1, waiting: 2 }]);
    r.lose();
    expect((await r.attached()).sent).toEqual(['b', 'c']);
  });

  test('goes on with the next when the transport refuses one (original fault 9)', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    line.onSend = (data) => {
      if (data === 'b') throw new Error('no');
    };
    const fates = ['a', 'b', 'c'].map((text) => fateOf(r.push(text).settled));
    await r.turn();
    expect([line.sent, fates.map(({ kind }) => kind), r.undelivered]).toEqual([
      ['a', 'c'],
      ['resolved', 'rejected', 'resolved'],
      [['m2', 'SEND_FAILED']],
    ]);
  });

  test('flushes once at a time: what is sent while it hands over follows in order (original fault 11)', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    line.onSend = (data) => {
      if (data !== 'a') return;
      r.push('!', { priority: 'critical' });
      r.push('c');
      r.outbox.flush();
    };
    r.push('a');
    r.push('b');
    await r.turn();
    expect(line.sent).toEqual(['a', '!', 'b', 'c']);
  });

  test('does not take back what is being handed over, whoever asks at that moment', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    const controller = new AbortController();
    const receipt = r.push('a', { signal: controller.signal });
    const asked: boolean[] = [];
    line.onSend = () => {
      asked.push(receipt.cancel());
      controller.abort();
    };
    r.push('b');
    await r.turn();
    expect([asked, line.sent, receipt.fate]).toEqual([[false, false], ['a', 'b'], 'sent']);
    expect(r.outbox.counts).toMatchObject({ accepted: 2, sent: 2, dropped: 0, waiting: 0, waitingBytes: 0 });
  });

  test('closed, drops what waits and refuses what comes, each with an error of its own', async () => {
    const r = new OutboxRig();
    const waiting = fateOf(r.push('a').settled);
    r.outbox.close('CONNECTION_ENDED', new Error('why'));
    const late = [fateOf(r.push('b').settled), fateOf(r.push('c').settled)];
    await r.turn();
    for (const { error } of [waiting, ...late]) {
      expect(error).toBeInstanceOf(MessageError);
      expect(error).toMatchObject({ code: 'CONNECTION_ENDED', connectionId: 'c', cause: { message: 'why' } });
    }
    expect(new Set([waiting.error, ...late.map(({ error }) => error)]).size).toBe(3);
    expect(r.outbox.counts).toEqual({
      accepted: 1,
      sent: 0,
      acknowledged: 0,
      dropped: 1,
      droppedBy: { CONNECTION_ENDED: 1 },
      unknown: 0,
      waiting: 0,
      waitingBytes: 0,
      refused: 2,
    });
    expect(r.clock.pending()).toBe(0);
  });

  test('that refuses lets leave what waits already', async () => {
    const r = new OutboxRig();
    r.push('a');
    r.outbox.refuse('CONNECTION_ENDED');
    expect(r.push('b').fate).toBe('dropped');
    expect((await r.attached()).sent).toEqual(['a']);
  });

  test('opened again, takes messages again', async () => {
    const r = new OutboxRig();
    r.outbox.close('CONNECTION_ENDED');
    r.outbox.open();
    r.push('a');
    expect((await r.attached()).sent).toEqual(['a']);
  });

  test('with queueing off keeps nothing for later: what waits when the transport goes is dropped', async () => {
    const r = new OutboxRig({ queueing: () => false });
    expect(r.push('a').fate).toBe('dropped');
    const line = await r.attached();
    const receipt = r.push('b');
    r.lose();
    await r.turn();
    expect([line.sent, receipt.fate, r.undelivered]).toEqual([
      [],
      'dropped',
      [
        ['m1', 'NOT_OPEN'],
        ['m2', 'NOT_OPEN'],
      ],
    ]);
  });

  test('refuses a message that is larger than allowed, and nothing else (pain 13)', async () => {
    const r = new OutboxRig({ limits: { maxMessageBytes: 3 } });
    const line = await r.attached();
    const fates = ['abc', 'abcd', 'üü', 'é'].map((text) => r.push(text));
    await r.turn();
    expect([line.sent, line.isOpen]).toEqual([['abc', 'é'], true]);
    expect(r.undelivered).toEqual([
      ['m2', 'MESSAGE_TOO_BIG'],
      ['m3', 'MESSAGE_TOO_BIG'],
    ]);
    expect(fates.map(({ fate }) => fate)).toEqual(['sent', 'dropped', 'dropped', 'sent']);
  });

  test('gives every message an id of its own, also the refused', () => {
    const r = new OutboxRig({ limits: { maxMessages: 1 } });
    expect(['a', 'b', undefined, 'c'].map((message) => r.push(message).id)).toEqual(['m1', 'm2', 'm3', 'm4']);
  });

  test('tells its chart edges only: of a thousand messages and their flushes it hears nothing', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    const before = r.edges.length;
    for (let turn = 0; turn < 100; turn++) {
      for (let index = 0; index < 10; index++) r.push({ turn, index });
      await r.turn(5);
    }
    expect([line.sent.length, r.edges.slice(before)]).toEqual([1_000, []]);
  });
});

describe('looking at what waits', () => {
  test('shows it without its payload, the strongest lane first (pain 14)', () => {
    const r = new OutboxRig();
    r.push('secret', { ttlMs: 5_000, coalesceKey: 'size' });
    r.push('urgent', { priority: 'high' });
    expect(r.outbox.inspect()).toEqual([
      { id: 'm2', priority: 'high', bytes: 6, expiresAt: null, coalesceKey: null },
      { id: 'm1', priority: 'normal', bytes: 6, expiresAt: r.clock.now() + 5_000, coalesceKey: 'size' },
    ]);
  });

  test('and purging drops what is picked, says so to each, and keeps the rest in order (pain 14)', async () => {
    const r = new OutboxRig();
    const receipts = ['a', 'bb', 'c', 'dd'].map((text) => r.push(text));
    expect(r.outbox.purge(({ bytes }) => bytes === 2)).toBe(2);
    expect(receipts.map(({ fate }) => fate)).toEqual(['waiting', 'dropped', 'waiting', 'dropped']);
    expect(r.outbox.counts).toMatchObject({ dropped: 2, droppedBy: { PURGED: 2 }, waiting: 2, waitingBytes: 2 });
    expect((await r.attached()).sent).toEqual(['a', 'c']);
  });

  test('waiting until nothing does is over at once when nothing does, and when the socket has given all away', async () => {
    const r = new OutboxRig();
    const line = new Line();
    line.holds = true;
    const idle: string[] = [];
    r.outbox.onceIdle(() => idle.push('at once'));
    await r.attached(line);
    r.push('a');
    r.outbox.onceIdle(() => idle.push('once'));
    const forget = r.outbox.onceIdle(() => idle.push('never'));
    forget();
    await r.turn(10);
    expect(idle).toEqual(['at once']);
    line.drains();
    await r.turn(100);
    r.push('b');
    await r.turn(10);
    expect(idle).toEqual(['at once', 'once']);
  });
});
