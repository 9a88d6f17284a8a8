import { describe, expect, test } from 'vitest';

import { failure } from '../src/core/recovery.ts';
import { messageOf } from './support/session.ts';
import { PoolBench, Seat } from './support/channels.ts';
import { LIMITS } from './support/server-script.ts';

const narrow = (m: number, b = 65_536): ConstructorParameters<typeof PoolBench>[0] => ({
  limits: { ...LIMITS, win: { m, b } },
});
const greeting = (): ReturnType<typeof messageOf> => messageOf('hello', {}, { isGreeting: true });
const lost = failure('CONNECTION_LOST');

describe('a pool', () => {
  test('has its carrier opened by whoever comes first, and opens channels on the socket that there is', () => {
    const b = new PoolBench();
    const [one] = b.seats('one');
    expect([b.asked, one.told, b.pool.size, b.pool.wire]).toEqual([['connect'], [], 1, undefined]);
    b.links();
    const [two] = b.seats('two');
    expect([b.asked, one.told, two.told]).toEqual([['connect'], ['opened'], ['opened']]);
    expect(b.frames).toEqual([
      { t: 'open', c: 'one', n: 'service one' },
      { t: 'open', c: 'two', n: 'service two' },
    ]);
  });

  test('has its carrier hurry for who does not want to wait, unless there is a socket', () => {
    const b = new PoolBench();
    b.seats('one');
    b.pool.hurry();
    b.links();
    b.pool.hurry();
    b.pool.unlinked();
    b.pool.hurry();
    expect(b.asked).toEqual(['connect', 'hurry', 'hurry']);
  });

  test('never gives a name twice', () => {
    const { pool } = new PoolBench();
    expect([pool.freshName(), pool.freshName(), pool.freshName()]).toEqual(['c1', 'c2', 'c3']);
  });

  test('opens a channel with the last token of its connection, on each socket anew', () => {
    const b = new PoolBench();
    const [one] = b.seats('one');
    one.channel.token = 'first';
    b.links();
    b.relinks();
    one.connects().token = 'second';
    b.pool.join(one.channel);
    const openings = [b.frames];
    b.relinks();
    openings.push(b.frames);
    expect(openings).toEqual([
      [{ t: 'open', c: 'one', n: 'service one', auth: 'first' }],
      [{ t: 'open', c: 'one', n: 'service one', auth: 'second' }],
    ]);
  });

  test('brings what comes to whom it is for, and drops what is for nobody', () => {
    const b = new PoolBench();
    const [one, two] = b.seats('one', 'two');
    b.pool.deliver('two', 'text', { c: 'two' });
    b.pool.deliver('three', 'text', { c: 'three' });
    expect([one.received, two.received]).toEqual([[], ['text']]);
  });

  test('has the fate of each message told once, where it is of interest', () => {
    const b = new PoolBench();
    const [one] = b.seats('one');
    b.links();
    const [a, c] = b.sends(one, 'a', 'c');
    if (!a || !c) throw new Error('Nothing was sent.');
    expect([b.pool.outboxOf(a), b.pool.outboxOf(a)]).toEqual([one.double.outbox, undefined]);
    b.pool.acknowledged(a);
    b.pool.acknowledged(c);
    b.pool.acknowledged(c);
    expect(one.double.told).toEqual([['acknowledged', 'c']]);
    expect(b.pool.outboxOf(messageOf('own'))).toBeUndefined();
  });
});

describe('the socket of a pool', () => {
  test('hears of every channel before anything is sent again', () => {
    const b = new PoolBench();
    const [one, two] = b.seats('one', 'two');
    b.links();
    b.sends(one, 'a');
    b.relinks();
    expect(b.frames.map(({ t }) => t)).toEqual(['open', 'open', 'm']);
    expect([one.told, two.told]).toEqual([
      ['opened', 'reconnect CONNECTION_LOST'],
      ['opened', 'reconnect CONNECTION_LOST'],
    ]);
    b.pool.join(one.connects());
    expect([one.told.at(-1), b.frames.length]).toEqual(['resumed', 3]);
  });

  test('hears of channels that are no more, until it has answered and has accepted all that they said', () => {
    const b = new PoolBench();
    const [one, two] = b.seats('one', 'two');
    b.links();
    b.sends(one, 'a');
    expect(b.pool.leave(one.channel)).toHaveLength(1);
    expect(b.pool.leave(one.channel)).toEqual([]);
    expect(b.frames.at(-1)).toEqual({ t: 'shut', c: 'one' });
    b.pool.noticed({ t: 'shut', c: 'one' });
    b.relinks();
    expect(b.frames.map((frame) => 'c' in frame && `${frame.t} ${frame.c}`)).toEqual(['shut one', 'open two', false]);
    b.acknowledges(1);
    b.relinks();
    expect(b.frames.map(({ t }) => t)).toEqual(['open']);
    expect(two.double.told).toEqual([]);
  });

  test('is not told of a channel that was never opened on one', () => {
    const b = new PoolBench();
    const [one] = b.seats('one', 'two');
    b.pool.leave(one.channel);
    b.links();
    expect(b.frames).toEqual([{ t: 'open', c: 'two', n: 'service two' }]);
  });

  test('is looked at for those who wait for its buffer, and not for those whom the server holds back', () => {
    const b = new PoolBench();
    const [one, two] = b.seats('one', 'two');
    b.links();
    const told: string[] = [];
    b.pool.noticed({ t: 'flow', c: 'one', w: { m: 0, b: 0 } });
    b.pool.onceRelieved(one.channel, { lowWaterBytes: 10, relieved: () => told.push('one') });
    b.session.wire.look();
    expect(b.session.clock.pending()).toBe(0);
    b.session.line.holds = true;
    b.sends(two, 'x'.repeat(100));
    b.pool.onceRelieved(two.channel, { lowWaterBytes: 10, relieved: () => told.push('two') });
    b.session.wire.look();
    expect(b.session.clock.pending()).toBe(1);
    b.session.line.drains();
    b.session.clock.advance(100);
    expect([told, b.session.clock.pending()]).toEqual([['two'], 0]);
    b.pool.noticed({ t: 'flow', c: 'one', w: { m: 9, b: 9 } });
    expect(told).toEqual(['two', 'one']);
  });

  test('that is lost is waited for by those who were not told of it', () => {
    const b = new PoolBench();
    const [one] = b.seats('one');
    b.pool.failing(lost);
    b.pool.unlinked();
    expect(one.told).toEqual([]);
    b.links();
    b.pool.failing(failure('LINK_DEAD'));
    b.pool.unlinked();
    expect(one.told).toEqual(['opened', 'reconnect LINK_DEAD']);
  });

  test('is no more once the carrier gives up: all are told at once', () => {
    const b = new PoolBench();
    const [one] = b.seats('one');
    b.pool.failing(failure('INVALID_URL'));
    expect(one.told).toEqual(['manual INVALID_URL']);
    b.pool.ended(failure('INVALID_URL'));
    // what was is not the reason of what comes
    b.pool.join(one.connects());
    b.pool.join(one.connects());
    b.pool.unlinked();
    expect(one.told).toEqual(['manual INVALID_URL', 'manual INVALID_URL']);
  });
});

describe('the room in the window of a pool', () => {
  test('is all for one that is alone, and half of it for one of several', () => {
    const b = new PoolBench(narrow(4));
    const [one] = b.seats('one');
    expect(b.pool.hasRoom(one.channel)).toBe(false);
    b.links();
    b.sends(one, 'a', 'b');
    expect(b.pool.hasRoom(one.channel)).toBe(true);
    const [two] = b.seats('two');
    expect([b.pool.hasRoom(one.channel), b.pool.hasRoom(two.channel)]).toEqual([false, true]);
    let relieved = 0;
    b.pool.onceRelieved(one.channel, { lowWaterBytes: 0, relieved: () => (relieved += 1) });
    b.pool.leave(two.channel);
    expect([relieved, b.pool.hasRoom(one.channel)]).toEqual([1, true]);
  });

  test('lets one message through however small or narrow it is', () => {
    const b = new PoolBench(narrow(1, 10));
    const [one, two] = b.seats('one', 'two');
    b.links();
    expect(b.pool.hasRoom(two.channel)).toBe(true);
    b.sends(one, 'x'.repeat(20));
    expect([b.pool.hasRoom(one.channel), b.pool.hasRoom(two.channel)]).toEqual([false, false]);
    b.acknowledges(1);
    expect(b.pool.hasRoom(one.channel)).toBe(true);
  });

  test('is offered first to who has not sent for longest', () => {
    const b = new PoolBench();
    const [one, two] = b.seats('one', 'two');
    b.links();
    const told: string[] = [];
    for (const [name, { channel }] of Object.entries({ one, two }))
      b.pool.onceRelieved(channel, { lowWaterBytes: 0, relieved: () => told.push(name) });
    b.pool.tookTurn(two.channel);
    b.pool.tookTurn(one.channel);
    b.pool.relieve();
    expect(told).toEqual(['two', 'one']);
  });

  test('is waited for by greetings, and nothing passes them', () => {
    const b = new PoolBench(narrow(2));
    const [one, two] = b.seats('one', 'two');
    b.links();
    b.sends(one, 'a', 'b');
    b.pool.greet(two.channel, [greeting()]);
    expect([b.pool.hasRoom(two.channel), two.channel.size]).toEqual([false, 0]);
    b.acknowledges(2);
    expect([two.channel.size, b.frames.at(-1)]).toEqual([1, { t: 'm', s: 3, b: [{ d: 'hello', c: 'two' }] }]);
  });
});

describe('the loss of a session', () => {
  test('is kept for each that had a part in it until it is told, and added up', () => {
    const b = new PoolBench();
    const [one, two] = b.seats('one', 'two');
    b.links();
    b.sends(one, 'a', 'b');
    b.pool.unlinked();
    const [late] = b.seats('late');
    expect(b.pool.lost('expired')).toBe(2);
    b.session.session.end();
    b.pool.join(two.connects());
    b.session.moveTo();
    b.links();
    b.pool.unlinked();
    expect(b.pool.lost('again')).toBe(0);
    b.pool.join(one.connects());
    b.links();
    expect([one.told.at(-1), late.told.filter((what) => what !== 'lost')]).toEqual([
      'opened, 2 in doubt: expired',
      ['opened', 'reconnect CONNECTION_LOST'],
    ]);
    expect(two.told).toEqual([
      'opened',
      'reconnect CONNECTION_LOST',
      'lost',
      'opened, 0 in doubt: expired',
      'reconnect CONNECTION_LOST',
      'lost',
    ]);
  });

  test('by a move ends what is open, for it is to begin anew', () => {
    const b = new PoolBench();
    const [one] = b.seats('one');
    b.links();
    b.pool.lost('unknown');
    expect([one.told, b.pool.wire]).toEqual([
      ['opened', 'lost', 'reconnect CONNECTION_LOST the session was lost'],
      undefined,
    ]);
  });
});

describe('the end of the carrier', () => {
  test('ends all, and tells those who are between two attempts at the next', () => {
    const b = new PoolBench();
    const [one, two] = b.seats('one', 'two');
    b.links();
    b.sends(two, 'x');
    b.pool.unlinked();
    b.pool.join(one.connects());
    b.pool.ended(failure('CONNECT_TIMEOUT'));
    expect([one.told.at(-1), two.told.slice(1)]).toEqual([
      'manual CONNECT_TIMEOUT',
      ['reconnect CONNECTION_LOST', 'lost'],
    ]);
    expect(two.double.told).toEqual([['forsaken', 'x']]);
    const asked = b.asked.length;
    b.pool.join(two.connects());
    expect([two.told.at(-1), b.asked.length]).toEqual(['manual CONNECT_TIMEOUT', asked]);
  });

  test('is forgotten when there is another socket before they come back', () => {
    const b = new PoolBench();
    const [one] = b.seats('one');
    b.links();
    b.pool.unlinked();
    b.pool.ended(null);
    b.session.session.end();
    b.session.moveTo();
    b.links();
    b.pool.join(one.connects());
    expect(one.told).toEqual(['opened', 'reconnect CONNECTION_LOST', 'lost', 'opened, 0 in doubt: ended']);
  });
});

describe('a pool that nobody uses', () => {
  test('tells its carrier so, and releases it a second later', () => {
    const b = new PoolBench();
    const [one] = b.seats('one');
    b.links();
    b.pool.leave(one.channel);
    b.session.clock.advance(999);
    expect([b.asked, b.pool.wire !== undefined]).toEqual([['connect', 'vacate'], true]);
    b.session.clock.advance(1);
    expect([b.asked, b.pool.wire, b.session.clock.pending()]).toEqual([['connect', 'vacate', 'release'], undefined, 0]);
    b.pool.join(new Seat('two').channel);
    expect(b.asked.at(-1)).toBe('connect');
  });

  test('is used again by whoever comes in time', () => {
    const b = new PoolBench();
    const [one] = b.seats('one');
    b.links();
    b.pool.leave(one.channel);
    b.session.clock.advance(999);
    b.pool.join(new Seat('two').channel);
    b.session.clock.advance(10_000);
    expect([b.asked, b.session.clock.pending()]).toEqual([['connect', 'vacate'], 0]);
  });
});
