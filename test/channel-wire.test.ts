import { describe, expect, test } from 'vitest';

import { ChannelWire } from '../src/channel-wire.ts';
import type { OutboundMessage } from '../src/message.ts';
import { PoolBench, type Seat } from './support/channels.ts';
import { LIMITS } from './support/server-script.ts';
import { framesOf, messageOf } from './support/session.ts';

const give = (...texts: string[]): (() => OutboundMessage | undefined) => {
  const messages = texts.map((text) => messageOf(text));
  return () => messages.shift();
};

function linked(window = LIMITS.win): { bench: PoolBench; one: Seat; two: Seat; wire: ChannelWire } {
  const bench = new PoolBench({ limits: { ...LIMITS, win: window } });
  const [one, two] = bench.seats('one', 'two');
  bench.links();
  return { bench, one, two, wire: new ChannelWire(one.channel, bench.pool) };
}

describe('the wire of a channel', () => {
  test('hands messages to the session, with the name of the channel, and keeps none itself', () => {
    const { bench, one, wire } = linked();
    expect(wire.write(give('a', 'bc'))).toBe(3);
    expect(framesOf(bench.session.line, 'm')).toEqual([
      {
        t: 'm',
        s: 1,
        b: [
          { d: 'a', c: 'one' },
          { d: 'bc', c: 'one' },
        ],
      },
    ]);
    expect([wire.size, one.channel.size, wire.isSettled]).toEqual([0, 2, false]);
    bench.acknowledges(2);
    expect([one.channel.size, wire.isSettled, one.double.told]).toEqual([
      0,
      true,
      [
        ['acknowledged', 'a'],
        ['acknowledged', 'bc'],
      ],
    ]);
  });

  test('takes half of the window, and is told when there is room again', () => {
    const { bench, wire } = linked({ m: 4, b: 1_000 });
    wire.write(give('a', 'b', 'c'));
    expect([bench.session.session.outgoing.size, wire.hasRoom]).toEqual([2, false]);
    let relieved = 0;
    wire.onceRelieved(0, () => {
      relieved += 1;
    });
    wire.look();
    expect(relieved).toBe(0);
    bench.acknowledges(1);
    expect([relieved, wire.hasRoom]).toEqual([1, true]);
    bench.acknowledges(2);
    expect(relieved).toBe(1);
  });

  test('tells nobody who has taken that back', () => {
    const { bench, wire } = linked({ m: 2, b: 1_000 });
    wire.write(give('a'));
    let relieved = 0;
    const count = (): void => {
      relieved += 1;
    };
    const first = wire.onceRelieved(0, count);
    const second = wire.onceRelieved(0, count);
    first();
    second();
    bench.acknowledges(1);
    expect(relieved).toBe(0);
  });

  test('counts volatile messages while they are in the buffer of the socket', () => {
    const { bench, wire } = linked();
    bench.session.line.holds = true;
    wire.writeVolatile(messageOf('v', { volatile: true }));
    expect([wire.size, wire.isSettled, bench.session.wire.size]).toEqual([1, true, 0]);
    expect(framesOf(bench.session.line, 'v')).toEqual([{ t: 'v', b: [{ d: 'v', c: 'one' }] }]);
  });

  test('is as open as the socket, and waits while there is none', () => {
    const { bench, wire } = linked();
    bench.session.line.holds = true;
    wire.write(give('abc'));
    expect([wire.isOpen, wire.bufferedBytes > 0]).toEqual([true, true]);
    bench.session.line.close();
    expect(wire.isOpen).toBe(false);
    bench.pool.unlinked();
    expect([wire.isOpen, wire.bufferedBytes, wire.hasRoom, wire.write(give('x'))]).toEqual([false, 0, false, 0]);
    wire.look();
    bench.session.moveTo();
    bench.links(true);
    expect(wire.isOpen).toBe(true);
    expect([wire.lost(), wire.isOpen]).toEqual([[], false]);
  });
});
