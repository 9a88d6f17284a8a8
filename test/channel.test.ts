import { describe, expect, test } from 'vitest';

import type { Channel } from '../src/channel.ts';
import { OutboundMessage } from '../src/message.ts';
import { Seat } from './support/channels.ts';
import { messageOf } from './support/session.ts';

const channel = (): Channel => new Seat('c1').channel;

describe('a channel', () => {
  test('keeps what leaves by it until its fate is known, in order, and counts it', () => {
    const c = channel();
    const [a, b] = [messageOf('one'), messageOf('three')];
    c.record(a);
    c.record(b);
    expect([c.size, c.bytes, a.channel, c.unacknowledged()]).toEqual([2, 8, 'c1', [a, b]]);
    expect([c.settle(a), c.settle(a), c.size, c.bytes]).toEqual([true, false, 1, 5]);
    expect([c.acknowledge(b), c.acknowledge(b), c.size, c.bytes]).toEqual([true, false, 0, 0]);
  });

  test('keeps volatile messages beside them, for they fill no window', () => {
    const c = channel();
    const fleeting = messageOf('v', { volatile: true });
    c.record(fleeting);
    expect([c.size, c.bytes, c.volatileSize, fleeting.channel]).toEqual([0, 0, 1, 'c1']);
    expect([c.settle(fleeting), c.settle(fleeting), c.volatileSize]).toEqual([true, false, 0]);
  });

  test('leaves everything in doubt that has no fate when its session is over, and begins anew', () => {
    const c = channel();
    const [fleeting, kept] = [messageOf('v', { volatile: true }), messageOf('k')];
    c.record(fleeting);
    c.record(kept);
    c.isOpened = true;
    c.greetings = [];
    c.hold(true);
    expect(c.forget()).toEqual([kept, fleeting]);
    expect([c.size, c.bytes, c.volatileSize, c.isOpened, c.isHeld, c.greetings]).toEqual([
      0,
      0,
      0,
      false,
      false,
      undefined,
    ]);
    expect([c.settle(kept), c.forget()]).toEqual([false, []]);
  });

  test('is held back and let go as the server says', () => {
    const c = channel();
    expect(c.isHeld).toBe(false);
    c.hold(true);
    c.acknowledge(OutboundMessage.greeting({ data: '', bytes: 0, form: 'text' }, 0));
    expect(c.isHeld).toBe(true);
    c.hold(false);
    expect(c.isHeld).toBe(false);
  });

  test('that was held back on another socket sends one message, and goes on when that was accepted', () => {
    const c = channel();
    c.doubtHold();
    expect(c.isHeld).toBe(false);
    c.hold(true);
    c.doubtHold();
    c.doubtHold();
    expect(c.isHeld).toBe(false);
    const [asking, next] = [messageOf('a'), messageOf('b')];
    c.record(asking);
    expect(c.isHeld).toBe(true);
    c.acknowledge(asking);
    c.record(next);
    expect(c.isHeld).toBe(false);
    c.hold(true);
    expect(c.isHeld).toBe(true);
  });
});
