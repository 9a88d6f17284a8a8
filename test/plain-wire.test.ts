import { describe, expect, test } from 'vitest';

import type { OutboundMessage } from '../src/message.ts';
import { owned, PlainWire } from '../src/plain-wire.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { Line } from './support/outbox.ts';
import { messageOf } from './support/session.ts';

function plain(line = new Line()): {
  line: Line;
  clock: SimulatedClock;
  wire: PlainWire;
  told: unknown[];
  write: (...messages: OutboundMessage[]) => number;
} {
  const clock = new SimulatedClock();
  const told: unknown[] = [];
  const wire = new PlainWire(line, {
    clock,
    reports: {
      sent: ({ data }) => told.push(['sent', data]),
      refused: ({ data }, code, details) => told.push([code, data, (details?.cause as Error).message]),
      orphaned: ({ data }) => told.push(['orphaned', data]),
    },
  });
  return { line, clock, wire, told, write: (...messages) => wire.write(() => messages.shift()) };
}

describe('a plain wire', () => {
  test('hands over each message as it is, in one write, and says how many bytes that was', () => {
    const { line, write } = plain();
    expect(
      write(messageOf('abc', { type: 'n', idempotencyKey: 'k' }), messageOf(''), messageOf(Uint8Array.of(7))),
    ).toBe(5);
    expect([line.sent, line.writes]).toEqual([['abc', '', Uint8Array.of(7)], [3]]);
  });

  test('tells a message as sent once it has left the buffer, and looks for that', () => {
    const { line, clock, wire, told, write } = plain();
    line.holds = true;
    write(messageOf('a'), messageOf('b'));
    wire.look();
    expect([told, wire.size]).toEqual([[], 2]);
    line.drains(1);
    clock.advance(100);
    expect([told, wire.size]).toEqual([[['sent', 'a']], 1]);
    line.drains();
    clock.advance(100);
    expect([told.length, clock.pending()]).toEqual([2, 0]);
  });

  test('always has room, and never waits for an answer', () => {
    const { wire } = plain();
    expect([wire.hasRoom, wire.isSettled]).toEqual([true, true]);
  });

  test('takes nothing more once the socket closes in the middle', () => {
    const { line, write } = plain();
    line.onSend = () => {
      line.isOpen = false;
    };
    const rest = messageOf('b');
    write(messageOf('a'), rest);
    expect([line.sent, rest.fate]).toEqual([['a'], 'waiting']);
  });

  test('tells a message that the socket refuses, with why, and goes on with the next', () => {
    const { line, told, write } = plain();
    line.onSend = (data) => {
      if (data === 'a') throw new Error('no');
    };
    write(messageOf('a'), messageOf('b'));
    expect([line.sent, told]).toEqual([['b'], [['SEND_FAILED', 'a', 'no']]]);
  });

  test('hands over a volatile message as any other', () => {
    const { line, wire } = plain();
    wire.writeVolatile(messageOf('a', { volatile: true }));
    expect([line.sent, wire.size]).toEqual([['a'], 1]);
  });

  test.each([
    [false, ['a', 'b'], []],
    [
      true,
      [],
      [
        ['sent', 'a'],
        ['sent', 'b'],
      ],
    ],
  ])(
    'that is lost, with everything read: %j, gives back what was in the buffer or tells it as sent',
    (wasRead, back, reported) => {
      const { line, clock, wire, told, write } = plain();
      line.holds = true;
      write(messageOf('a'), messageOf('b'));
      wire.look();
      expect(wire.lost({ wasRead }).map(({ data }) => data)).toEqual(back);
      expect([told, wire.size, clock.pending()]).toEqual([reported, 0, 0]);
    },
  );

  test('that is lost while the socket takes a message tells that one as orphaned', () => {
    const { line, wire, told, write } = plain();
    line.onSend = () => {
      wire.lost({ wasRead: false });
    };
    write(messageOf('a'));
    expect([told, wire.size]).toEqual([[['orphaned', 'a']], 0]);
  });

  test('gives relief when the buffer is at the mark, unless that is taken back', () => {
    const { line, clock, wire, write } = plain();
    const told: string[] = [];
    line.holds = true;
    write(messageOf('aaaa'));
    wire.onceRelieved(1, () => told.push('relieved'));
    wire.look();
    line.drains(3);
    clock.advance(100);
    expect(told).toEqual(['relieved']);
    wire.onceRelieved(0, () => told.push('taken back'))();
    line.drains();
    clock.advance(100);
    expect(told).toEqual(['relieved']);
  });

  test('knows its socket', () => {
    const { line, wire } = plain();
    line.holds = true;
    line.send('abc');
    expect([wire.isOpen, wire.bufferedBytes]).toEqual([true, 3]);
    line.close();
    expect(wire.isOpen).toBe(false);
  });
});

describe('the message that a frame of a plain wire is', () => {
  test('is text, or an ArrayBuffer that nobody else has', () => {
    const read = Uint8Array.of(9, 1, 2, 9);
    const messages = [read.subarray(1, 3), read.subarray(2, 2), new Uint8Array(0)].map(owned);
    read.fill(0);
    expect(messages).toEqual([Uint8Array.of(1, 2).buffer, new ArrayBuffer(0), new ArrayBuffer(0)]);
    expect(owned('null')).toBe('null');
  });

  test('is where it lies when there is nothing beside it, and when it is an ArrayBuffer already', () => {
    const { buffer } = Uint8Array.of(1, 2);
    expect([owned(new Uint8Array(buffer)), owned(buffer)].every((message) => message === buffer)).toBe(true);
  });

  test('is never what an empty one is for all others', () => {
    const nothing = new Uint8Array(0);
    expect(owned(nothing)).not.toBe(nothing.buffer);
  });
});
