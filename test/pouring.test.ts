import { describe, expect, test } from 'vitest';

import { Backlog, DEFAULT_QUEUE, type OutboxLimits } from '../src/backlog.ts';
import { OutboundMessage } from '../src/message.ts';
import { PlainWire } from '../src/plain-wire.ts';
import { pour } from '../src/pouring.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { Line } from './support/outbox.ts';

interface Poured {
  handed: number;
  reports: string[];
  line: Line;
  backlog: Backlog;
}

function poured(
  texts: string[],
  limits: Partial<OutboxLimits> = {},
  { drains = false, line = new Line() } = {},
): Poured {
  const all = { ...DEFAULT_QUEUE, ...limits };
  const reports: string[] = [];
  const clock = new SimulatedClock();
  const backlog = new Backlog({
    clock,
    limits: () => all,
    taken: { messages: 0 },
    dropped: () => undefined,
    overflowed: () => undefined,
  });
  for (const [index, text] of texts.entries()) {
    const origin = { number: index, now: 0, cancel: () => false };
    backlog.place(new OutboundMessage({ data: text, bytes: text.length, form: 'text' }, {}, origin), () => true);
  }
  const handed = pour(backlog, {
    wire: new PlainWire(line, {
      clock,
      reports: { sent: () => undefined, refused: () => undefined, orphaned: () => undefined },
    }),
    flow: {
      congested: () => reports.push('congested'),
      ...(drains && { emptied: () => reports.push('emptied') }),
    },
    limits: all,
    later: () => reports.push('later'),
  });
  return { handed, reports, line, backlog };
}

describe('pouring', () => {
  test('writes no more messages and bytes at once than allowed, and a large message alone (original fault 13)', () => {
    const { line, handed, reports } = poured(['1', '2', '3', '4', '55555', '66666', '7777777777777', '8'], {
      maxBatchMessages: 3,
      maxBatchBytes: 10,
    });
    expect([line.writes, handed, reports]).toEqual([[3, 2, 1, 1, 1], 28, []]);
    expect(line.sent.join(' ')).toBe('1 2 3 4 55555 66666 7777777777777 8');
  });

  test('stops at the high water mark, and says so (pain 52)', () => {
    const line = new Line();
    line.holds = true;
    const { reports, backlog } = poured(['aaa', 'bbb', 'ccc'], { highWaterBytes: 4, maxBatchBytes: 1 }, { line });
    expect([line.sent, reports, backlog.size]).toEqual([['aaa', 'bbb'], ['congested'], 1]);
  });

  test('says so with the last message, too, unless it drains: then nothing is to come', () => {
    const [flowing, draining] = [false, true].map((drains) => {
      const line = new Line();
      line.holds = true;
      return poured(['aaaa'], { highWaterBytes: 4 }, { line, drains }).reports;
    });
    expect([flowing, draining]).toEqual([['congested'], []]);
  });

  test('puts the rest off where a socket does not tell of its buffer (pain 52)', () => {
    const { line, reports, backlog } = poured(['aaa', 'bbb', 'ccc'], { highWaterBytes: 4, maxBatchBytes: 1 });
    expect([line.sent, reports, backlog.size]).toEqual([['aaa', 'bbb'], ['later'], 1]);
  });

  test('of messages without a byte comes to an end as well', () => {
    const { handed, reports, backlog } = poured(['', '', ''], { highWaterBytes: 2, maxBatchMessages: 1 });
    expect([handed, reports, backlog.size]).toEqual([2, ['later'], 1]);
  });

  test('does nothing on a socket that takes nothing', () => {
    const line = new Line();
    line.isOpen = false;
    const { handed, reports, backlog } = poured(['a'], {}, { line });
    expect([handed, reports, line.sent, backlog.size]).toEqual([0, [], [], 1]);
  });
});
