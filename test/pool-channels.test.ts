import { describe, expect, test } from 'vitest';

import { PoolBench, type Seat } from './support/channels.ts';
import { LIMITS } from './support/server-script.ts';

describe('a channel that the server holds back', () => {
  test.each<[string, (b: PoolBench, one: Seat) => void]>([
    [
      'it is let go',
      (b) => {
        b.pool.noticed({ t: 'flow', c: 'one', w: { m: 9, b: 9 } });
      },
    ],
    [
      'it is no more',
      (b, one) => {
        b.pool.leave(one.channel);
      },
    ],
  ])('is not sent more of what another socket had, and what follows waits with it, until %s', (_what, act) => {
    const b = new PoolBench({ limits: { ...LIMITS, win: { m: 1, b: 65_536 } } });
    const [one, two] = b.seats('one', 'two');
    b.links();
    b.session.wire.resize({ m: 9, b: 65_536 });
    b.sends(one, 'a', 'b');
    b.sends(two, 'c');
    b.relinks();
    b.pool.noticed({ t: 'flow', c: 'one', w: { m: 0, b: 0 } });
    b.acknowledges(1);
    b.session.wire.look();
    const said = (): unknown[] => b.frames.flatMap((frame) => (frame.t === 'm' ? frame.b.map(({ d }) => d) : []));
    expect([said(), b.session.wire.hasRoom]).toEqual([['a'], false]);
    act(b, one);
    expect(said()).toEqual(['a', 'b']);
    b.acknowledges(2);
    expect(said()).toEqual(['a', 'b', 'c']);
  });
});

describe('a channel that the server ends', () => {
  test('fails, with why, and leaves in doubt what it had', () => {
    const b = new PoolBench();
    const [one, two] = b.seats('one', 'two');
    b.links();
    b.sends(one, 'x');
    b.pool.noticed({ t: 'shut', c: 'one', why: 'no such service' });
    expect(one.channel.loss).toEqual({ why: 'lost', inDoubt: 1 });
    expect([one.told, one.double.told, two.told]).toEqual([
      ['opened', 'lost', 'manual CHANNEL_REFUSED no such service'],
      [['forsaken', 'x']],
      ['opened'],
    ]);
    b.pool.noticed({ t: 'shut', c: 'one' });
    expect([b.pool.size, b.pool.leave(one.channel), one.told.length]).toEqual([1, [], 3]);
  });

  test('for its credentials is asked for again with fresh ones, also between two attempts', () => {
    for (const isAway of [false, true]) {
      const b = new PoolBench();
      const [seat] = b.seats('one', 'two');
      b.links();
      b.sends(seat, 'x');
      if (isAway) seat.channel.link = undefined;
      b.pool.noticed({ t: 'shut', c: seat.channel.name, why: 'forbidden' });
      if (isAway) b.pool.join(seat.connects());
      expect(seat.told.at(-1)).toBe('reauthenticate CHANNEL_REFUSED forbidden');
      expect(seat.channel.loss).toEqual({ why: 'forbidden', inDoubt: 1 });
    }
  });

  test('while its connection is between two attempts fails it at the next', () => {
    const b = new PoolBench();
    const [one] = b.seats('one', 'two');
    b.links();
    b.relinks();
    b.pool.noticed({ t: 'shut', c: 'one' });
    b.pool.join(one.connects());
    expect([one.told.at(-1), b.pool.size]).toEqual(['manual CHANNEL_REFUSED', 1]);
  });
});
