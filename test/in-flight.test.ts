import { describe, expect, test } from 'vitest';

import { InFlight } from '../src/in-flight.ts';
import { OutboundMessage } from '../src/message.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { Line } from './support/outbox.ts';

function flying(): {
  inFlight: InFlight;
  clock: SimulatedClock;
  line: Line;
  sent: string[];
  hand: (text: string) => void;
} {
  const clock = new SimulatedClock();
  const line = new Line();
  line.holds = true;
  const sent: string[] = [];
  const inFlight = new InFlight({ clock, sent: ({ data }) => sent.push(data as string) });
  const hand = (text: string): void => {
    line.send(text);
    const origin = { number: 1, now: 0, cancel: () => false };
    inFlight.handed(new OutboundMessage({ data: text, bytes: text.length, form: 'text' }, {}, origin));
  };
  return { inFlight, clock, line, sent, hand };
}

describe('messages in a socket', () => {
  test('are told as sent at once where the buffer is empty, and no timer is set', () => {
    const { inFlight, clock, line, sent, hand } = flying();
    line.holds = false;
    for (const text of ['a', 'b']) hand(text);
    inFlight.look(line);
    expect([sent, inFlight.size, clock.pending()]).toEqual([['a', 'b'], 0, 0]);
  });

  test('are told as sent as the buffer empties, each when nothing of it is left', () => {
    const { inFlight, clock, line, sent, hand } = flying();
    for (const text of ['aaa', 'bb', 'c']) hand(text);
    inFlight.look(line);
    line.drains(2);
    clock.advance(50);
    expect(sent).toEqual([]);
    line.drains(1);
    clock.advance(50);
    expect(sent).toEqual(['aaa']);
    line.drains();
    clock.advance(50);
    expect([sent, inFlight.size, clock.pending()]).toEqual([['aaa', 'bb', 'c'], 0, 0]);
  });

  test('are told late, never early, where the buffer counts the headers of frames', () => {
    const { inFlight, clock, line, sent, hand } = flying();
    for (const text of ['aaa', 'bb']) hand(text);
    // what `ws` puts before each message
    line.send('hhhh');
    inFlight.look(line);
    line.drains(3);
    clock.advance(50);
    expect(sent).toEqual([]);
    line.drains();
    clock.advance(50);
    expect(sent).toEqual(['aaa', 'bb']);
  });

  test('are looked for less and less often while nothing happens, and soon again after something did', () => {
    const { inFlight, clock, line, hand } = flying();
    hand('a');
    inFlight.look(line);
    const waits: (number | null)[] = [];
    for (let look = 0; look < 8; look++) {
      waits.push(clock.untilNextMs());
      clock.advance(clock.untilNextMs() ?? 0);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 32, 32]);
    line.drains();
    clock.advance(32);
    hand('b');
    inFlight.look(line);
    expect(clock.untilNextMs()).toBe(1);
  });

  test('of no bytes are sent with those before them', () => {
    const { inFlight, clock, line, sent, hand } = flying();
    for (const text of ['a', '', 'b']) hand(text);
    inFlight.look(line);
    line.drains(1);
    clock.advance(50);
    expect(sent).toEqual(['a', '']);
  });

  test('are given back in order when the socket is gone, and nothing is looked at any more', () => {
    const { inFlight, clock, line, hand } = flying();
    for (const text of ['a', 'b']) hand(text);
    inFlight.look(line);
    inFlight.onceRelieved(0, () => undefined);
    expect(inFlight.takeAll().map(({ data }) => data)).toEqual(['a', 'b']);
    expect([inFlight.size, clock.pending()]).toEqual([0, 0]);
  });
});

describe('relief', () => {
  test('is told once, when the buffer is at the mark, and can be taken back', () => {
    const { inFlight, clock, line, hand } = flying();
    const told: string[] = [];
    hand('aaaa');
    inFlight.onceRelieved(1, () => told.push('first'));
    inFlight.look(line);
    line.drains(2);
    clock.advance(50);
    expect(told).toEqual([]);
    line.drains(1);
    clock.advance(50);
    expect(told).toEqual(['first']);
    inFlight.onceRelieved(0, () => told.push('second'))();
    line.drains();
    clock.advance(50);
    expect([told, clock.pending()]).toEqual([['first'], 0]);
  });
});
