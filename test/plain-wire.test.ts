import { describe, expect, test } from 'vitest';

import { OutboundMessage } from '../src/message.ts';
import { PlainWire } from '../src/plain-wire.ts';
import { SimulatedClock } from './support/clock.ts';
import { Line } from './support/outbox.ts';

function given(): { wire: PlainWire; line: Line; told: string[]; message: (text: string) => OutboundMessage } {
  const line = new Line();
  const told: string[] = [];
  const wire = new PlainWire(line, {
    clock: new SimulatedClock(),
    reports: {
      sent: ({ id }) => told.push(`sent ${id}`),
      refused: ({ id }, code) => told.push(`${code} ${id}`),
      orphaned: ({ id }) => told.push(`orphaned ${id}`),
    },
  });
  let number = 0;
  const message = (text: string): OutboundMessage =>
    new OutboundMessage(
      { data: text, bytes: text.length, form: 'text' },
      {},
      { number: ++number, now: 0, cancel: () => false },
    );
  return { wire, line, told, message };
}

/** Gives these, one by one. */
function from(messages: OutboundMessage[]): () => OutboundMessage | undefined {
  return () => messages.shift();
}

describe('the plain wire', () => {
  test('sends each message as one, all in one write, and counts an empty one as something', () => {
    const { wire, line, told, message } = given();
    expect(wire.write(from([message('a'), message(''), message('ccc')]))).toBe(5);
    wire.look();
    expect([line.sent, line.writes, told]).toEqual([['a', '', 'ccc'], [3], ['sent m1', 'sent m2', 'sent m3']]);
  });

  test('has room for whatever the socket takes, and waits for no answer', () => {
    const { wire, line } = given();
    expect([wire.hasRoom, wire.isSettled, wire.isOpen]).toEqual([true, true, true]);
    line.isOpen = false;
    expect(wire.isOpen).toBe(false);
  });

  test('leaves the rest alone when the socket closes in the middle', () => {
    const { wire, line, message } = given();
    const rest = [message('a'), message('b')];
    line.onSend = () => {
      line.isOpen = false;
    };
    wire.write(from(rest));
    expect(rest).toHaveLength(1);
  });

  test('goes on after a message that the socket refuses', () => {
    const { wire, line, told, message } = given();
    line.onSend = (data) => {
      if (data === 'bad') throw new Error('no');
    };
    wire.write(from([message('bad'), message('good')]));
    expect([line.sent, told, wire.size]).toEqual([['good'], ['SEND_FAILED m1'], 1]);
  });

  test('leaves in doubt what the buffer holds when the socket dies, unless the peer has read it', () => {
    for (const wasRead of [false, true]) {
      const { wire, line, told, message } = given();
      line.holds = true;
      wire.write(from([message('a'), message('b')]));
      const left = wire.lost({ wasRead });
      expect([left.map(({ id }) => id), told]).toEqual(wasRead ? [[], ['sent m1', 'sent m2']] : [['m1', 'm2'], []]);
    }
  });

  test('tells of a message that was being handed over when the socket died', () => {
    const { wire, line, told, message } = given();
    line.onSend = () => wire.lost({ wasRead: false });
    wire.writeVolatile(message('a'));
    expect(told).toEqual(['orphaned m1']);
  });

  test('tells once its buffer has fallen to the mark', () => {
    const { wire, line, message } = given();
    let relieved = 0;
    line.holds = true;
    wire.write(from([message('aaaa')]));
    wire.onceRelieved(2, () => (relieved += 1));
    wire.look();
    expect([wire.bufferedBytes, relieved]).toEqual([4, 0]);
    line.drains(2);
    wire.look();
    expect(relieved).toBe(1);
  });
});
