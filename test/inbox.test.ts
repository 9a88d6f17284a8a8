import { describe, expect, test } from 'vitest';

import { InboundError } from '../src/errors.ts';
import { Inbox } from '../src/inbox.ts';
import { JsonPayload } from '../src/protocol/profile.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { microtasks, rig, TERMINAL } from './support/service.ts';

function inbox(): { inbox: Inbox; clock: SimulatedClock; delivered: unknown[]; reported: unknown[] } {
  const clock = new SimulatedClock();
  const delivered: unknown[] = [];
  const reported: unknown[] = [];
  const made = new Inbox({
    clock,
    decode: (data) => {
      if (data === 'broken') throw new InboundError('NOT_DECODABLE', data);
      return data;
    },
    undecodable: ({ code }) => reported.push(code),
    intercept: (message) => message === 'for the connection itself',
    deliver: (message) => delivered.push(message),
    report: (cause) => reported.push(cause),
  });
  return { inbox: made, clock, delivered, reported };
}

describe('a frame that comes together with the handshake', () => {
  test('is heard by who subscribes after awaiting connect', async () => {
    const r = rig();
    const heard: unknown[] = [];
    const use = async (): Promise<void> => {
      const id = await r.service.connect(TERMINAL);
      r.service.connection(id).subscribe((data) => heard.push(data));
    };
    const used = use();
    await r.settle();
    r.sockets.last.opens();
    r.sockets.last.says('welcome');
    r.sockets.last.says('second');
    await used;
    expect(heard).toEqual([]);
    await r.settle();
    r.sockets.last.says('third');
    expect(heard).toEqual(['welcome', 'second', 'third']);
    expect(r.of('message').map(({ data }) => data)).toEqual(['welcome', 'second', 'third']);
  });

  test('is heard by who reads with for await', async () => {
    const r = rig();
    const first = (async () => {
      const id = await r.service.connect(TERMINAL);
      for await (const message of r.service.connection(id)) return message;
      return undefined;
    })();
    await r.settle();
    r.sockets.last.opens();
    r.sockets.last.says('welcome');
    await r.settle();
    expect(await first).toBe('welcome');
  });

  test('is read by who awaited connect, although the connection is closed in the same turn', async () => {
    const r = rig();
    const read: unknown[] = [];
    void (async () => {
      const id = await r.service.connect(TERMINAL);
      for await (const message of r.service.connection(id)) read.push(message);
    })().catch(() => undefined);
    await r.settle();
    r.sockets.last.opens();
    r.sockets.last.says('why you are refused');
    await microtasks();
    r.sockets.last.ends(4403);
    await r.settle();
    expect(read).toEqual(['why you are refused']);
  });

  test('is told before the end of the connection it came by', async () => {
    const r = rig();
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.opens();
    r.sockets.last.says('why you are refused');
    r.sockets.last.ends(4403);
    await r.settle();
    const types = r.events.map(({ type }) => type);
    expect(types.indexOf('message')).toBeLessThan(types.indexOf('closed'));
  });

  test('comes before the ones of the next turn, and each comes once', () => {
    const { inbox: box, clock, delivered } = inbox();
    box.attach();
    box.receive('a');
    box.receive('b');
    expect([delivered, box.received]).toEqual([[], 2]);
    clock.advance(0);
    box.receive('c');
    clock.advance(1_000);
    expect([delivered, clock.pending()]).toEqual([['a', 'b', 'c'], 0]);
  });

  test('is not held back where somebody listens already', () => {
    const { inbox: box, clock, delivered } = inbox();
    const heard: unknown[] = [];
    box.subscribe((data) => heard.push(data));
    box.attach();
    box.receive('a');
    expect([heard, delivered, clock.pending()]).toEqual([['a'], ['a'], 0]);
  });
});

describe('the inbox', () => {
  test('hands over in order of arrival: first to the service, then to each subscriber', () => {
    const { inbox: box, delivered } = inbox();
    const order: string[] = [];
    box.subscribe((data) => order.push(`one ${data as string}, after ${delivered.length}`));
    const end = box.subscribe((data) => order.push(`other ${data as string}`));
    box.receive('a');
    end();
    box.receive('b');
    expect(order).toEqual(['one a, after 1', 'other a', 'one b, after 2']);
  });

  test('reports what a subscriber throws, and goes on', () => {
    const { inbox: box, reported } = inbox();
    const heard: unknown[] = [];
    box.subscribe(() => {
      throw new Error('thrown');
    });
    box.subscribe((data) => heard.push(data));
    box.receive('a');
    expect([heard, reported]).toEqual([['a'], [new Error('thrown')]]);
  });

  test('tells of a frame that is no message, and goes on with the next', () => {
    const { inbox: box, delivered, reported } = inbox();
    const heard: unknown[] = [];
    box.subscribe((data) => heard.push(data));
    for (const frame of ['a', 'broken', 'b']) box.receive(frame);
    expect([heard, delivered, reported, box.received]).toEqual([['a', 'b'], ['a', 'b'], ['NOT_DECODABLE'], 3]);
  });

  test('shows nobody what is for the connection itself', () => {
    const { inbox: box, delivered } = inbox();
    const heard: unknown[] = [];
    box.subscribe((data) => heard.push(data));
    box.attach();
    for (const frame of ['for the connection itself', 'a']) box.receive(frame);
    expect([heard, delivered]).toEqual([['a'], ['a']]);
  });

  test('hands on what came beside a message by its own names, and to the connection all of it', () => {
    const intercepted: unknown[] = [];
    const delivered: unknown[] = [];
    const box = new Inbox({
      clock: new SimulatedClock(),
      decode: (payload) => (payload as JsonPayload).value,
      undecodable: () => undefined,
      intercept: (message, meta) => intercepted.push([message, meta]) < 0,
      deliver: (message, meta) => delivered.push([message, meta]),
      report: () => undefined,
    });
    const heard: unknown[] = [];
    box.subscribe((message, meta) => heard.push([message, meta]));
    box.receive(new JsonPayload('a'), { n: 'kind', h: { x: 'y' }, k: 'key', c: 'channel', x: 5 });
    box.receive(new JsonPayload('b'), {});
    box.receive(new JsonPayload('c'));
    expect(heard).toEqual([
      ['a', { type: 'kind', headers: { x: 'y' }, key: 'key' }],
      ['b', {}],
      ['c', undefined],
    ]);
    expect([delivered, intercepted[0]]).toEqual([
      heard,
      ['a', { n: 'kind', h: { x: 'y' }, k: 'key', c: 'channel', x: 5 }],
    ]);
  });

  test('keeps what came beside a message that it holds back', () => {
    const { inbox: box, clock } = inbox();
    const heard: unknown[] = [];
    box.attach();
    box.receive('a', { n: 'kind' });
    box.subscribe((message, meta) => heard.push([message, meta]));
    clock.advance(0);
    expect(heard).toEqual([['a', { type: 'kind' }]]);
  });

  test('is not handed over once the connection has ended, until a socket is read again', () => {
    const { inbox: box, delivered } = inbox();
    box.subscribe(() => undefined);
    box.attach();
    box.receive('a');
    box.end(null);
    box.receive('late');
    expect([box.received, delivered]).toEqual([1, ['a']]);
    box.attach();
    box.receive('b');
    expect(delivered).toEqual(['a', 'b']);
  });

  test('that was held back is not handed over either, once the first of it has ended the connection', () => {
    const { inbox: box, clock, delivered } = inbox();
    box.attach();
    box.receive('a');
    box.receive('b');
    box.subscribe(() => {
      box.end(null);
    });
    clock.advance(0);
    expect(delivered).toEqual(['a']);
  });

  test('cleared, holds no timer and no listener, and has lost nothing that was held back', async () => {
    const { inbox: box, clock, delivered } = inbox();
    const heard: unknown[] = [];
    box.attach();
    box.receive('a');
    box.subscribe((data) => heard.push(data));
    const iteration = box.iterate(10);
    box.clear();
    box.receive('late');
    await microtasks();
    expect([clock.pending(), heard, delivered]).toEqual([0, ['a'], ['a']]);
    // whoever listened is gone, even where something were read again
    box.attach();
    box.receive('again');
    clock.advance(0);
    expect(heard).toEqual(['a']);
    expect([await iteration.next(), await iteration.next()]).toEqual([
      { done: false, value: 'a' },
      { done: true, value: undefined },
    ]);
  });
});
