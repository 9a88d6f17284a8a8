import { describe, expect, test } from 'vitest';

import type { HoldfastError } from '../../src/errors.ts';
import { Channels } from '../../src/server/channels.ts';
import type { Letter } from '../../src/server/mailbox.ts';
import { Receipt } from '../../src/server/receipt.ts';
import type { Channel } from '../../src/server/surface.ts';
import { startWireServer } from '../support/wire-server.ts';

function start(most = 64) {
  const told: unknown[] = [];
  const errors: HoldfastError[] = [];
  const receipts: Receipt[] = [];
  const channels = new Channels({
    limits: { channelsPerSession: most, windowMessages: 10, windowBytes: 200, frameBytes: 200 },
    outflow: {
      drop: (name, { code, outcome }) => told.push(['drop', name, code, outcome]),
      unsettled: () => receipts,
    },
    send: (data, { channel }) => {
      told.push(['send', channel, data]);
      return new Receipt();
    },
    tell: (frame) => {
      if (frame.t === 'flow') told.push([frame.w.m === 0 ? 'hold' : 'release', frame.c]);
      else if (frame.t === 'shut') told.push(['shut', frame.c, frame.why]);
    },
    report: (error) => errors.push(error),
  });
  const opened: Channel[] = [];
  const fates: string[] = [];
  const letter = (data: unknown, bytes = 1): Letter => ({
    message: { data, position: 1 },
    bytes,
    accept: () => fates.push(`${String(data)} accepted`),
    refuse: ({ code, outcome }) => fates.push(`${String(data)} ${code} ${outcome}`),
  });
  return { channels, told, errors, receipts, opened, fates, letter };
}

describe('the channels of a session', () => {
  test('are refused while nobody listens', () => {
    const { channels, told } = start();
    channels.open('a', 'chat');
    expect([told, channels.get('a')]).toEqual([[['shut', 'a', 'no such service']], undefined]);
  });

  test('are shown to the application, once each, and speak by themselves', () => {
    const { channels, told, opened, letter } = start();
    channels.onChannel((channel) => opened.push(channel));
    channels.open('a', 'chat');
    channels.open('a', 'chat');
    const [channel] = opened;
    expect([opened.length, channel?.name, channel?.service, channel?.isOpen]).toEqual([1, 'a', 'chat', true]);
    channel?.send('hi');
    const seen: unknown[] = [];
    channel?.onMessage(({ data }) => seen.push(data));
    channel?.onRequest(() => undefined);
    channels.put('a', letter('x'));
    channels.putVolatile('a', { data: 'v', position: null });
    channels.putVolatile('b', { data: 'v', position: null });
    expect([told, seen]).toEqual([[['send', 'a', 'hi']], ['x', 'v']]);
  });

  test('accept a message when it is in their queue, so that none holds up another', async () => {
    const { channels, fates, letter, opened } = start();
    channels.onChannel((channel) => opened.push(channel));
    channels.open('a', 'x');
    channels.put('a', letter('m'));
    expect(fates).toEqual(['m accepted']);
    for await (const { data } of opened[0] ?? []) {
      expect(data).toBe('m');
      break;
    }
    expect(fates).toEqual(['m accepted']);
  });

  test('are held back when their queue is long, and let go at half of it', () => {
    const { channels, told, letter, opened } = start();
    channels.onChannel((channel) => opened.push(channel));
    channels.open('a', 'x');
    for (let count = 0; count < 257; count++) channels.put('a', letter(count));
    expect(told).toEqual([['hold', 'a']]);
    channels.attached();
    expect(told).toEqual([
      ['hold', 'a'],
      ['hold', 'a'],
    ]);
    opened[0]?.onMessage(() => undefined);
    expect(told.at(-1)).toEqual(['release', 'a']);
    channels.put('a', letter('big', 262_144));
    expect(told.length).toBe(3);
  });

  test('are held back by bytes as well, and break the protocol when they go on', () => {
    const { channels, told, letter } = start();
    channels.onChannel(() => undefined);
    channels.open('a', 'x');
    channels.put('a', letter('big', 262_144));
    expect(told).toEqual([['hold', 'a']]);
    expect(() => channels.put('a', letter('more', 1_001))).toThrow('goes on');
  });

  test('are so many and no more', () => {
    const { channels, told } = start(1);
    channels.onChannel(() => undefined);
    channels.open('a', 'x');
    channels.open('b', 'x');
    expect([told, channels.get('a')?.isOpen, channels.get('b')]).toEqual([
      [['shut', 'b', 'too many channels']],
      true,
      undefined,
    ]);
    channels.shut('a');
    channels.expect('c');
    expect([channels.objectionTo('b'), channels.objectionTo('c')]).toEqual(['too many channels', null]);
  });

  test('refuse what comes after their end, and break the protocol with what was never theirs', () => {
    const { channels, told, fates, letter, opened } = start();
    channels.onChannel((channel) => opened.push(channel));
    channels.open('a', 'x');
    const closed: string[] = [];
    opened[0]?.onClosed(() => closed.push('closed'));
    opened[0]?.close('enough');
    opened[0]?.close('twice');
    channels.put('a', letter('late'));
    expect([told, fates, closed, opened[0]?.isOpen]).toEqual([
      [['shut', 'a', 'enough']],
      ['late CHANNEL_CLOSED rejected'],
      ['closed'],
      false,
    ]);
    expect(() => channels.put('b', letter('odd'))).toThrow('never opened');
  });

  test('answer a client that ends one, again and again until it hears that', () => {
    const { channels, told, opened } = start();
    channels.onChannel((channel) => opened.push(channel));
    channels.open('a', 'x');
    channels.shut('a');
    channels.shut('a');
    expect([told, opened[0]?.isOpen]).toEqual([
      [
        ['drop', 'a', 'CONNECTION_ENDED', 'not_sent'],
        ['shut', 'a', undefined],
        ['shut', 'a', undefined],
      ],
      false,
    ]);
    channels.open('a', 'x');
    expect(opened.length).toBe(2);
  });

  test('that ended while the client was away are refused once, for it may not know', () => {
    const { channels, told, opened } = start();
    channels.onChannel((channel) => opened.push(channel));
    channels.attached();
    channels.open('a', 'x');
    opened[0]?.close();
    channels.attached();
    channels.open('a', 'x');
    expect([opened.length, told.at(-1)]).toEqual([1, ['shut', 'a', 'closed']]);
    channels.open('a', 'x');
    expect(opened.length).toBe(2);
  });

  test('keep what comes for one that is being looked at, until it is opened or refused', () => {
    const { channels, fates, letter, opened } = start();
    channels.onChannel((channel) => opened.push(channel));
    for (const name of ['a', 'b']) {
      channels.expect(name);
      channels.put(name, letter(name));
    }
    expect(fates).toEqual([]);
    channels.open('a', 'x');
    channels.refuse('b', 'forbidden');
    expect(fates).toEqual(['a accepted', 'b CHANNEL_CLOSED rejected']);
    const seen: unknown[] = [];
    opened[0]?.onMessage(({ data }) => seen.push(data));
    expect(seen).toEqual(['a']);
  });

  test('forget the oldest ends, so that nobody fills the memory with them', () => {
    const { channels, letter, fates } = start();
    channels.onChannel(() => undefined);
    for (let number = 0; number < 300; number++) {
      channels.open(`c${number}`, 'x');
      channels.shut(`c${number}`);
    }
    expect(() => channels.put('c0', letter('old'))).toThrow('never opened');
    channels.put('c299', letter('new'));
    expect(fates).toEqual(['new CHANNEL_CLOSED rejected']);
  });

  test('end with their session', () => {
    const { channels, opened, told, errors } = start();
    channels.onChannel((channel) => opened.push(channel));
    channels.onChannel(() => {
      throw new Error('no');
    });
    channels.open('a', 'x');
    opened[0]?.onClosed(() => {
      throw new Error('no');
    });
    channels.end();
    expect([opened[0]?.isOpen, told, errors.map(({ code }) => code)]).toEqual([
      false,
      [],
      ['LISTENER_THREW', 'LISTENER_THREW'],
    ]);
  });
});

describe('channels on the wire', () => {
  test('carry messages beside the session’s own, and are held back by the client one by one', async () => {
    const { join, sessions, settle } = startWireServer({
      onSession: (session) => {
        session.onChannel((channel) => channel.onMessage(({ data }) => channel.send(data)));
      },
    });
    const client = await join();
    client.says({ t: 'open', c: 'room', n: 'chat' }, '{"t":"m","s":1,"b":[{"d":"a","c":"room"}]}');
    await settle();
    expect(client.of('m')).toEqual([{ t: 'm', s: 1, b: [{ d: 'a', c: 'room' }], a: 1 }]);
    client.says({ t: 'flow', w: { m: 0, b: 0 }, c: 'room' });
    sessions[0]?.channel('room')?.send('held');
    sessions[0]?.send('free');
    await settle();
    expect(client.of('batch')).toEqual([{ t: 'batch', s: 2, d: ['free'] }]);
    client.says({ t: 'flow', w: { m: 1, b: 1 }, c: 'room' });
    await settle();
    expect(client.of('m').at(-1)).toMatchObject({ s: 3, b: [{ d: 'held' }] });
    client.says({ t: 'ack', a: 3 });
    await settle();
    sessions[0]?.channel('room')?.close('enough');
    client.says('{"t":"m","s":2,"b":[{"d":"late","c":"room"}]}');
    await settle();
    expect(client.of('shut')).toEqual([{ t: 'shut', c: 'room', why: 'enough' }]);
    expect(client.of('nack')).toMatchObject([{ s: 2, e: 2, c: 'CHANNEL_CLOSED', out: 'rejected' }]);
  });
});

test('a channel that the application closed stays closed, however often its client misses that', async () => {
  const opened: string[] = [];
  const { join, resume, sessions, settle } = startWireServer({
    onSession: (session) => {
      session.onChannel((channel) => {
        opened.push(channel.name);
        channel.onMessage(() => undefined);
      });
    },
  });
  let client = await join();
  client.says({ t: 'open', c: 'room', n: 'chat' });
  await settle();
  sessions[0]?.channel('room')?.close('enough');
  // what it says on a socket that dies of it is never read
  for (let socket = 0; socket < 3; socket++) {
    client = await resume(client);
    client.says({ t: 'open', c: 'room', n: 'chat' });
    await settle();
    expect(client.of('shut')).toMatchObject([{ c: 'room' }]);
  }
  expect(opened).toEqual(['room']);
});

describe('the credentials of channels', () => {
  /** A server whose channels are for those whose token may have their service. */
  function guarded(mayHave: (auth: string | undefined, service: string) => boolean | Promise<boolean>) {
    const asked: unknown[] = [];
    const wired = startWireServer({
      authenticate: async ({ auth, channel, resume }) => {
        if (!channel) return { principal: 'ann' };
        asked.push([auth, channel.name, resume]);
        return (await mayHave(auth, channel.service)) ? { principal: 'ann' } : null;
      },
      onSession: (session) => session.onChannel(() => undefined),
    });
    return { ...wired, asked };
  }

  test('are their own, of the principal of their session', async () => {
    const asked: unknown[] = [];
    const { join, sessions, settle } = startWireServer({
      authenticate: ({ auth = 'ann', channel }) => {
        asked.push(channel);
        return { principal: auth };
      },
      onSession: (session) => {
        session.onChannel(() => undefined);
      },
    });
    const client = await join();
    client.says({ t: 'open', c: 'a', n: 'chat', auth: 'ann' }, { t: 'open', c: 'b', n: 'chat', auth: 'mal' });
    client.says('{"t":"m","s":1,"b":[{"d":1,"c":"a"},{"d":2,"c":"b"}]}');
    await settle();
    expect(asked.slice(1)).toEqual([
      { name: 'a', service: 'chat' },
      { name: 'b', service: 'chat' },
    ]);
    expect([sessions[0]?.channel('a')?.isOpen, client.of('shut')]).toEqual([
      true,
      [{ t: 'shut', c: 'b', why: 'forbidden' }],
    ]);
    expect(client.of('nack')).toMatchObject([{ s: 2 }]);
  });

  test('are the session’s where there are no others, which may not be enough', async () => {
    const { join, settle, sessions, asked } = guarded((auth, service) => auth === 'root' || service !== 'admin');
    const client = await join({ auth: 'ann' });
    client.says({ t: 'open', c: 'a', n: 'chat' }, { t: 'open', c: 'b', n: 'admin' });
    client.says('{"t":"m","s":1,"b":[{"d":1,"c":"b"}]}');
    await settle();
    expect(asked).toEqual([
      ['ann', 'a', false],
      ['ann', 'b', false],
    ]);
    expect([sessions[0]?.channel('a')?.isOpen, sessions[0]?.channel('b')]).toEqual([true, undefined]);
    expect(client.of('shut')).toEqual([{ t: 'shut', c: 'b', why: 'forbidden' }]);
    expect(client.of('nack')).toMatchObject([{ s: 1, c: 'CHANNEL_CLOSED' }]);
  });

  test('of the session are the last ones that were accepted on its socket', async () => {
    const { join, resume, settle, asked } = guarded(() => true);
    const client = await join({ auth: 'first' });
    client.says({ t: 'auth', tok: 'second' });
    await settle();
    client.says({ t: 'open', c: 'a', n: 'chat' });
    await settle();
    client.leave();
    const again = await resume(client, {}, { auth: 'third' });
    again.says({ t: 'open', c: 'a', n: 'chat' }, { t: 'open', c: 'b', n: 'chat' });
    await settle();
    expect(asked).toEqual([
      ['second', 'a', false],
      ['third', 'b', false],
    ]);
  });

  test('are not looked at where nobody would have the channel', async () => {
    const { join, settle, asked } = guarded(() => true);
    const client = await join();
    for (let number = 0; number < 65; number++) client.says({ t: 'open', c: `c${number}`, n: 'chat' });
    expect(client.of('shut')).toEqual([{ t: 'shut', c: 'c64', why: 'too many channels' }]);
    client.says({ t: 'auth', tok: 'fresh' });
    await settle();
    expect([asked.length, client.of('auth').length, client.closed]).toEqual([64, 1, undefined]);
  });

  test('let a channel in that was ended and opened anew while they were looked at, by its new ones', async () => {
    const answers: ((may: boolean) => void)[] = [];
    const { join, settle, sessions } = guarded(() => new Promise((resolve) => answers.push(resolve)));
    const client = await join();
    client.says({ t: 'open', c: 'a', n: 'old' }, { t: 'shut', c: 'a' }, { t: 'open', c: 'a', n: 'new' });
    client.says('{"t":"m","s":1,"b":[{"d":1,"c":"a"}]}');
    await settle();
    answers[0]?.(true);
    await settle();
    expect(sessions[0]?.channel('a')).toBeUndefined();
    answers[1]?.(true);
    await settle();
    expect([sessions[0]?.channel('a')?.service, client.of('shut').length]).toEqual(['new', 1]);
  });
});
