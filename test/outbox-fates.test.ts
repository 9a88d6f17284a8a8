import { describe, expect, test } from 'vitest';

import type { Receipt, SendOptions } from '../src/receipt.ts';
import { Line, OutboxRig } from './support/outbox.ts';
import { fateOf, microtasks } from './support/service.ts';

/** A line that gives nothing to the network until it is told to. */
function stalled(): Line {
  const line = new Line();
  line.holds = true;
  return line;
}

describe('a message in a socket', () => {
  test('is sent once its bytes have left the buffer, not before (original fault 6) (pain 16)', async () => {
    const r = new OutboxRig();
    const line = await r.attached(stalled());
    const receipts = ['aa', 'bbb', 'c'].map((text) => r.push(text));
    await r.turn(50);
    expect(receipts.map(({ fate }) => fate)).toEqual(['handed', 'handed', 'handed']);
    line.drains(2);
    await r.turn(50);
    expect(receipts.map(({ fate }) => fate)).toEqual(['sent', 'handed', 'handed']);
    line.drains();
    await r.turn(50);
    expect([receipts.map(({ fate }) => fate), r.clock.pending()]).toEqual([['sent', 'sent', 'sent'], 0]);
  });

  test('that compresses is sent when the buffer is empty, for its bytes are other bytes', async () => {
    const r = new OutboxRig();
    const line = stalled();
    line.isCompressing = true;
    await r.attached(line);
    const receipts = ['aa', 'bb'].map((text) => r.push(text));
    await r.turn();
    line.drains(3);
    await r.turn(50);
    expect(receipts.map(({ fate }) => fate)).toEqual(['handed', 'handed']);
    line.drains();
    await r.turn(50);
    expect(receipts.map(({ fate }) => fate)).toEqual(['sent', 'sent']);
  });

  test('that dies is unknown, in receipt, event and counters, and what waited is not touched (original fault 5) (pain 16)', async () => {
    const r = new OutboxRig();
    await r.attached(stalled());
    const handed = r.push('a');
    const fate = fateOf(handed.settled);
    await r.turn();
    const waiting = r.push('b');
    expect(r.lose()).toBe(1);
    await microtasks();
    expect([handed.fate, waiting.fate]).toEqual(['unknown', 'waiting']);
    expect(fate.error).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
    expect(r.undelivered).toEqual([['m1', 'OUTCOME_UNKNOWN']]);
    expect(r.outbox.counts).toMatchObject({ accepted: 2, sent: 0, unknown: 1, waiting: 1, dropped: 0 });
    expect((await r.attached()).sent).toEqual(['b']);
  });

  test('whose peer agreed to our close was read, and is sent', async () => {
    const r = new OutboxRig();
    await r.attached(stalled());
    const receipt = r.push('a');
    await r.turn();
    expect([r.lose({ wasRead: true }), receipt.fate]).toEqual([0, 'sent']);
  });

  test('that dies goes back to the head of its lane, if the peer would know it again (original fault 8) (pain 18)', async () => {
    const r = new OutboxRig();
    await r.attached(stalled());
    const keyed = ['a', 'b'].map((text) => r.push(text, { idempotencyKey: text }));
    r.push('x');
    const urgent = r.push('!', { priority: 'high', idempotencyKey: '!' });
    await r.turn();
    r.push('c');
    expect(r.lose()).toBe(1);
    expect([...keyed, urgent].map(({ fate }) => fate)).toEqual(['waiting', 'waiting', 'waiting']);
    expect((await r.attached()).sent).toEqual(['!', 'a', 'b', 'c']);
    expect(r.outbox.counts).toMatchObject({ accepted: 5, sent: 4, unknown: 1, waiting: 0 });
  });

  test('that the peer would know again does not hold up those after it (pain 19)', async () => {
    const r = new OutboxRig();
    const line = await r.attached(stalled());
    for (const text of ['a', 'b', 'c']) r.push(text, { idempotencyKey: text });
    await r.turn();
    expect(line.sent).toEqual(['a', 'b', 'c']);
  });

  test('that dies goes back, if the peer takes any message twice', async () => {
    const r = new OutboxRig({ resendSafe: () => true });
    await r.attached(stalled());
    r.push('a');
    await r.turn();
    expect(r.lose()).toBe(0);
    expect((await r.attached()).sent).toEqual(['a']);
  });

  test.each<[string, (r: OutboxRig, receipt: Receipt) => unknown, string]>([
    ['expires', (r) => r.turn(1_000), 'EXPIRED'],
    ['is taken back', (_r, receipt) => receipt.cancel(), 'SEND_CANCELLED'],
    ['is purged', (r) => r.outbox.purge(() => true), 'PURGED'],
    ['is superseded', (r) => r.push('newer', { coalesceKey: 'k' }), 'SUPERSEDED'],
    [
      'loses its connection',
      (r) => {
        r.outbox.close('CONNECTION_ENDED');
      },
      'CONNECTION_ENDED',
    ],
  ])(
    'that died with it before, and now %s, is in doubt: it may have left the first time (pain 16)',
    async (_how, ends, code) => {
      const r = new OutboxRig();
      await r.attached(stalled());
      const receipt = r.push('a', { idempotencyKey: 'a', ttlMs: 1_000, coalesceKey: 'k' });
      await r.turn();
      r.lose();
      await ends(r, receipt);
      expect([receipt.fate, r.undelivered]).toEqual(['unknown', [['m1', 'OUTCOME_UNKNOWN']]]);
      expect(r.errors[0]).toMatchObject({ outcome: 'unknown', cause: { code } });
      expect(r.outbox.counts).toMatchObject({ unknown: 1, dropped: 0 });
    },
  );

  test('that dies is unknown, keyed or not, where nothing may wait for another', async () => {
    const r = new OutboxRig({ queueing: () => false });
    await r.attached(stalled());
    const receipt = r.push('a', { idempotencyKey: 'a' });
    await r.turn();
    expect([r.lose(), receipt.fate, r.outbox.counts.waiting]).toEqual([1, 'unknown', 0]);
  });

  test('that dies while it takes the message is unknown, or goes back, and nothing looks into that socket any more', async () => {
    const r = new OutboxRig();
    const line = await r.attached(stalled());
    line.onSend = () => {
      line.isOpen = false;
      r.lose();
    };
    const receipts = [r.push('a'), r.push('b')];
    await r.turn(100);
    expect([receipts.map(({ fate }) => fate), r.clock.pending()]).toEqual([['unknown', 'waiting'], 0]);
    const next = await r.attached(stalled());
    next.onSend = line.onSend = () => {
      next.isOpen = false;
      r.lose();
      next.onSend = () => undefined;
    };
    const keyed = r.push('c', { priority: 'critical', idempotencyKey: 'c' });
    expect(keyed.fate).toBe('waiting');
  });

  test('that dies for good is unknown, whoever would know it again: there will be no other socket', async () => {
    const r = new OutboxRig();
    await r.attached(stalled());
    const receipt = r.push('a', { idempotencyKey: 'a' });
    await r.turn();
    r.outbox.close('CONNECTION_ENDED');
    expect([r.lose(), receipt.fate]).toEqual([1, 'unknown']);
  });

  test('that takes no more is not taken back: cancel() says so (pain 56)', async () => {
    const r = new OutboxRig();
    await r.attached(stalled());
    const receipt = r.push('a');
    await r.turn();
    expect([receipt.cancel(), receipt.fate]).toEqual([false, 'handed']);
  });
});

describe('a message that may not wait for ever', () => {
  test('is dropped when its time is up, and told (pain 14)', async () => {
    const r = new OutboxRig();
    const receipt = r.push('a', { ttlMs: 1_000 });
    await r.turn(999);
    expect(receipt.fate).toBe('waiting');
    await r.turn(1);
    expect([receipt.fate, r.undelivered, r.clock.pending()]).toEqual(['dropped', [['m1', 'EXPIRED']], 0]);
  });

  test('is never sent late, also when the machine slept and the timer did not fire (pain 14)', () => {
    const r = new OutboxRig();
    const stale = r.push('stale', { ttlMs: 1_000 });
    r.push('fresh', { ttlMs: 100_000 });
    const old = r.push('old!', { ttlMs: 1_000, priority: 'critical' });
    r.clock.sleep(50_000);
    const line = r.attach();
    r.outbox.flush();
    expect([line.sent, stale.fate, old.fate]).toEqual([['fresh'], 'dropped', 'dropped']);
  });

  test('is not sent late in the wake of a critical one', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    r.tell('pause');
    const stale = r.push('old!', { ttlMs: 1_000, priority: 'critical' });
    r.clock.sleep(50_000);
    r.tell('resume');
    r.push('new!', { priority: 'critical' });
    expect([line.sent, stale.fate]).toEqual([['new!'], 'dropped']);
  });

  test('takes no room in a write once its time is up', () => {
    const r = new OutboxRig({ limits: { maxBatchBytes: 10 } });
    r.push('999999999', { ttlMs: 1_000 });
    for (const text of ['55555', '66666']) r.push(text);
    r.clock.sleep(50_000);
    const line = r.attach();
    r.outbox.flush();
    expect([line.sent, line.writes]).toEqual([['55555', '66666'], [2]]);
  });

  test('needs no timer once it has left', async () => {
    const r = new OutboxRig();
    await r.attached();
    r.push('a', { ttlMs: 3_600_000 });
    await r.turn();
    expect(r.clock.pending()).toBe(0);
  });

  test('has its time counted from when it was handed in, over reconnections too', async () => {
    const r = new OutboxRig();
    await r.attached(stalled());
    r.tell('pause');
    const receipt = r.push('a', { ttlMs: 1_000 });
    await r.turn(600);
    r.lose();
    await r.turn(400);
    expect([receipt.fate, r.undelivered]).toEqual(['dropped', [['m1', 'EXPIRED']]]);
  });
});

describe('taking a message back', () => {
  test('by its receipt works while it waits, and once', async () => {
    const r = new OutboxRig();
    const receipt = r.push('a');
    expect([receipt.cancel(), receipt.cancel(), receipt.fate]).toEqual([true, false, 'dropped']);
    expect((await r.attached()).sent).toEqual([]);
  });

  test('by its signal works while it waits, with the reason of the signal (pain 56)', async () => {
    const r = new OutboxRig();
    const controller = new AbortController();
    r.push('a', { signal: controller.signal });
    controller.abort(new Error('gone'));
    expect(r.errors[0]).toMatchObject({ code: 'SEND_ABORTED', outcome: 'not_sent', cause: { message: 'gone' } });
    expect((await r.attached()).sent).toEqual([]);
  });

  test('before it was handed in leaves nothing of it (pain 56)', () => {
    const r = new OutboxRig();
    expect(r.push('a', { signal: AbortSignal.abort('early') }).fate).toBe('dropped');
    expect(r.outbox.counts).toMatchObject({ accepted: 0, refused: 1 });
  });

  test('leaves no listener on a signal, whatever became of the message (pain 62)', async () => {
    const r = new OutboxRig();
    const listeners = new Set<unknown>();
    const signal = new AbortController().signal;
    signal.addEventListener = (_type: string, listener: unknown) => void listeners.add(listener);
    signal.removeEventListener = (_type: string, listener: unknown) => void listeners.delete(listener);
    const sendings: SendOptions[] = [{}, { ttlMs: 10 }, { coalesceKey: 'k' }, { coalesceKey: 'k' }, {}];
    const receipts = sendings.map((options, index) => r.push(`${index}`, { ...options, signal }));
    expect(listeners.size).toBe(receipts.length - 1);
    receipts[0]?.cancel();
    await r.turn(10);
    await r.attached();
    expect([receipts.map(({ fate }) => fate), listeners.size]).toEqual([
      ['dropped', 'dropped', 'dropped', 'sent', 'sent'],
      0,
    ]);
  });
});

describe('a coalesce key', () => {
  test('lets a newer message take the place of a waiting one, which is told (pain 14)', async () => {
    const r = new OutboxRig();
    const older = r.push('80x24', { coalesceKey: 'size' });
    r.push('between');
    r.push('120x40', { coalesceKey: 'size' });
    expect([older.fate, r.undelivered]).toEqual(['dropped', [['m1', 'SUPERSEDED']]]);
    expect((await r.attached()).sent).toEqual(['120x40', 'between']);
  });

  test('does not reach a message that has left, nor one of another key', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    r.push('80x24', { coalesceKey: 'size' });
    await r.turn();
    r.push('dark', { coalesceKey: 'theme' });
    r.push('120x40', { coalesceKey: 'size' });
    await r.turn();
    expect(line.sent).toEqual(['80x24', 'dark', '120x40']);
  });

  test('moves to the lane of the newer message, at its end', async () => {
    const r = new OutboxRig();
    r.push('weak', { coalesceKey: 'k', priority: 'low' });
    r.push('other', { priority: 'high' });
    r.push('strong', { coalesceKey: 'k', priority: 'high' });
    expect((await r.attached()).sent).toEqual(['other', 'strong']);
  });

  test('keeps the older where there is no room for the newer', () => {
    const r = new OutboxRig({ limits: { maxBytes: 10 } });
    const older = r.push('short', { coalesceKey: 'k' });
    const newer = r.push('much too long', { coalesceKey: 'k' });
    expect([older.fate, newer.fate, r.undelivered]).toEqual(['waiting', 'dropped', [['m2', 'QUEUE_FULL']]]);
  });
});
