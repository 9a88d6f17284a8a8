import { describe, expect, test } from 'vitest';

import { OutboxRig } from './support/outbox.ts';
import { microtasks } from './support/service.ts';

const kilobyte = (mark = 'x'): string => mark.repeat(1_024);

describe('a write', () => {
  test('follows a fixed wait, where one is asked for', async () => {
    const r = new OutboxRig({ limits: { lingerMs: 20 } });
    const line = await r.attached();
    r.push('a');
    await r.turn(19);
    r.push('b');
    expect(line.sent).toEqual([]);
    await r.turn(1);
    expect([line.sent, line.writes]).toEqual([['a', 'b'], [2]]);
  });
});

describe('a critical message', () => {
  test('leaves at once, and takes none along (original fault 12)', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    r.push('a');
    r.push('b', { priority: 'high' });
    r.push('!', { priority: 'critical' });
    expect(line.sent).toEqual(['!']);
    await microtasks();
    expect(line.sent).toEqual(['!', 'b', 'a']);
  });

  test('leaves before what gathers, and after the critical ones before it', async () => {
    const r = new OutboxRig({ limits: { lingerMs: 20 } });
    r.push('!1', { priority: 'critical' });
    const line = await r.attached();
    r.push('a');
    r.push('!2', { priority: 'critical' });
    r.push('!3', { priority: 'critical' });
    expect(line.sent).toEqual(['!1', '!2', '!3']);
  });

  test.each(['pause', 'congestion'])('waits as any other does during %s', async (obstacle) => {
    const r = new OutboxRig({ limits: { highWaterBytes: 1, lowWaterBytes: 0 } });
    const line = await r.attached();
    line.holds = true;
    if (obstacle === 'pause') r.tell('pause');
    else {
      r.push('fills the buffer');
      await r.turn();
    }
    const before = line.sent.length;
    r.push('!', { priority: 'critical' });
    await r.turn();
    expect(line.sent).toHaveLength(before);
  });

  test('waits while the buffer is full of what is none of the queue’s, such as probes', async () => {
    const r = new OutboxRig({ limits: { highWaterBytes: 4, lowWaterBytes: 0 } });
    const line = await r.attached();
    line.holds = true;
    line.send('probe');
    r.push('!', { priority: 'critical' });
    expect(line.sent).toEqual(['probe']);
    await r.turn();
    expect(line.sent).toEqual(['probe']);
    line.drains();
    r.clock.advance(1_000);
    await r.turn();
    expect(line.sent).toEqual(['probe', '!']);
  });
});

describe('congestion', () => {
  const limits = { highWaterBytes: 4_096, lowWaterBytes: 1_024, maxBatchBytes: 1_024 };

  test('stops what is handed over at the high water mark, and is told once (original fault 13) (pain 52)', async () => {
    const r = new OutboxRig({ limits });
    const line = await r.attached();
    line.holds = true;
    for (let count = 0; count < 20; count++) r.push(kilobyte());
    await r.turn(100);
    expect([line.bufferedBytes, line.sent.length, r.mode]).toEqual([4_096, 4, 'congested']);
    expect(r.edges.filter((edge) => edge === 'congested')).toHaveLength(1);
    r.push(kilobyte());
    await r.turn(100);
    expect([line.sent.length, r.outbox.counts.waiting]).toEqual([4, 21]);
  });

  test('is told although nothing more waits: who has more to send should know', async () => {
    const r = new OutboxRig({ limits });
    const line = await r.attached();
    line.holds = true;
    r.push(kilobyte('x').repeat(4));
    await r.turn();
    expect(r.mode).toBe('congested');
    line.drains();
    await r.turn(50);
    expect([r.mode, r.clock.pending()]).toEqual(['flowing', 0]);
  });

  test('is told by a critical message, too', async () => {
    const r = new OutboxRig({ limits });
    const line = await r.attached();
    line.holds = true;
    r.push(kilobyte('x').repeat(4), { priority: 'critical' });
    expect(r.mode).toBe('congested');
  });

  test('lasts until the buffer has fallen to the low water mark, not only below the high one (pain 52)', async () => {
    const r = new OutboxRig({ limits });
    const line = await r.attached();
    line.holds = true;
    for (let count = 0; count < 6; count++) r.push(kilobyte());
    await r.turn();
    line.drains(3_071);
    await r.turn(100);
    expect([line.sent.length, r.mode]).toEqual([4, 'congested']);
    line.drains(1);
    await r.turn(100);
    expect([line.sent.length, r.mode]).toEqual([6, 'flowing']);
  });

  test('comes and goes as often as it must, and loses nothing and no order', async () => {
    const r = new OutboxRig({ limits });
    const line = await r.attached();
    line.holds = true;
    for (let count = 0; count < 40; count++) r.push(kilobyte(String.fromCharCode(65 + count)));
    for (let cycle = 0; cycle < 20; cycle++) {
      await r.turn(50);
      expect(line.bufferedBytes).toBeLessThanOrEqual(limits.highWaterBytes);
      line.drains(4_096);
    }
    await r.turn(50);
    const order = line.sent.map((data) => (data as string).charCodeAt(0) - 65);
    expect(order).toEqual(Array.from({ length: 40 }, (_, index) => index));
    expect(r.edges.filter((edge) => edge === 'congested').length).toBeGreaterThan(5);
    expect([r.mode, r.clock.pending(), r.outbox.counts]).toMatchObject(['flowing', 0, { sent: 40, waiting: 0 }]);
  });

  test('ends with the socket, and its timer too', async () => {
    const r = new OutboxRig({ limits });
    const line = await r.attached();
    line.holds = true;
    for (let count = 0; count < 6; count++) r.push(kilobyte());
    await r.turn();
    expect(r.lose()).toBe(4);
    expect([r.mode, r.clock.pending(), r.outbox.counts.waiting]).toEqual(['free', 0, 2]);
  });

  test('where a socket never tells of its buffer, no more than the mark is handed over in one turn (pain 52)', async () => {
    const r = new OutboxRig({ limits });
    const line = await r.attached();
    for (let count = 0; count < 10; count++) r.push(kilobyte());
    await microtasks();
    expect([line.sent.length, r.clock.untilNextMs()]).toEqual([4, 0]);
    await r.turn();
    expect([line.sent.length, r.clock.pending()]).toEqual([10, 0]);
  });
});

describe('pausing', () => {
  test('holds messages back, over reconnections too, until it is over', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    r.tell('pause');
    r.push('a');
    await r.turn(50);
    expect([line.sent, r.mode]).toEqual([[], 'paused']);
    r.lose();
    const next = await r.attached();
    expect([next.sent, r.mode]).toEqual([[], 'paused']);
    r.tell('resume');
    await r.turn();
    expect([next.sent, r.mode]).toEqual([['a'], 'flowing']);
  });

  test('does not hold back a message that expires meanwhile', async () => {
    const r = new OutboxRig();
    await r.attached();
    r.tell('pause');
    const receipt = r.push('a', { ttlMs: 100 });
    await r.turn(100);
    expect(receipt.fate).toBe('dropped');
  });
});

describe('draining', () => {
  test('lets everything leave, held back or not, and says so when it has', async () => {
    const r = new OutboxRig();
    const line = await r.attached();
    r.tell('pause');
    for (const text of ['a', 'b', 'c']) r.push(text);
    r.tell('drain');
    await r.turn();
    expect([line.sent, r.mode]).toEqual([['a', 'b', 'c'], 'drained']);
  });

  test('of nothing is over at once', async () => {
    const r = new OutboxRig();
    await r.attached();
    r.tell('drain');
    expect(r.mode).toBe('drained');
  });

  test('waits for a socket that has enough, and goes on when it has room', async () => {
    const r = new OutboxRig({ limits: { highWaterBytes: 2, lowWaterBytes: 0, maxBatchBytes: 1 } });
    const line = await r.attached();
    line.holds = true;
    for (const text of ['a', 'b', 'c', 'd', 'e']) r.push(text);
    r.tell('drain');
    const modes: string[] = [];
    for (let cycle = 0; cycle < 4; cycle++) {
      await r.turn(50);
      modes.push(`${r.mode} after ${line.sent.length}`);
      line.drains();
    }
    expect(modes).toEqual(['clogged after 2', 'clogged after 4', 'drained after 5', 'drained after 5']);
  });
});

describe('overflowing', () => {
  test('is told once, until half of the queue is free again', () => {
    const r = new OutboxRig({ limits: { maxMessages: 4 } });
    const overflows = (): number => r.edges.filter((edge) => edge === 'overflowed').length;
    for (let count = 0; count < 10; count++) r.push('x');
    expect(overflows()).toBe(1);
    r.outbox.purge(({ id }) => id === 'm1');
    r.push('x');
    r.push('x');
    expect(overflows()).toBe(1);
    r.outbox.purge(() => true);
    for (let count = 0; count < 5; count++) r.push('x');
    expect(overflows()).toBe(2);
  });

  test('does not happen on a line that takes messages: a burst passes, whatever its size', async () => {
    const r = new OutboxRig({ limits: { maxMessages: 4 } });
    const line = await r.attached();
    const receipts = Array.from({ length: 100 }, (_, index) => r.push(`${index}`));
    await r.turn();
    expect([line.sent.length, receipts.every(({ fate }) => fate === 'sent')]).toEqual([100, true]);
    expect(r.edges).not.toContain('overflowed');
  });
});
