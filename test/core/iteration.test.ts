import { describe, expect, test } from 'vitest';

import { HoldfastError } from '../../src/errors.ts';
import type { Connection } from '../../src/handle.ts';
import { MessageIteration } from '../../src/core/iteration.ts';
import type { InboundData } from '../../src/transport/transport.ts';
import { fateOf, microtasks, rig, type Fate } from '../support/service.ts';

/** Reads a connection until it ends; what it read is kept, and how it ended. */
function read(connection: Connection, until = Infinity): { read: InboundData[]; fate: Fate<string> } {
  const messages: InboundData[] = [];
  const loop = async (): Promise<string> => {
    for await (const message of connection) {
      messages.push(message);
      if (messages.length >= until) break;
    }
    return 'over';
  };
  return { read: messages, fate: fateOf(loop()) };
}

describe('reading a connection with for await', () => {
  test('gives each message once, in order, over every reconnection', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    const reader = read(connection);
    socket.says('a');
    socket.says('b');
    await r.settle();
    socket.ends(1006);
    await r.settle();
    const next = await r.reopen();
    next.says('c');
    await r.settle();
    expect([reader.read, reader.fate.kind]).toEqual([['a', 'b', 'c'], 'pending']);
  });

  test('ends when the connection is closed, after what came before', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    const reader = read(connection);
    socket.says('a');
    void connection.close();
    socket.ends(1000);
    await r.settle();
    expect([reader.read, reader.fate]).toEqual([['a'], { kind: 'resolved', value: 'over' }]);
  });

  test('throws when the connection fails, after what came before', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    await r.settle();
    const reader = read(connection);
    socket.says('a');
    socket.ends(4403);
    await r.settle();
    expect(reader.read).toEqual(['a']);
    expect(reader.fate.error).toMatchObject({ code: 'CLOSED_BY_PEER', closeCode: 4403 });
  });

  test('stops at break, and nothing is kept for it any more', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    const reader = read(connection, 1);
    const other = read(connection);
    for (const text of ['a', 'b', 'c']) socket.says(text);
    await r.settle();
    expect([reader.read, reader.fate.kind, other.read]).toEqual([['a'], 'resolved', ['a', 'b', 'c']]);
  });

  test('by several readers gives each of them everything', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    const readers = [read(connection), read(connection), read(connection)];
    socket.says('a');
    socket.says('b');
    await r.settle();
    expect(readers.map((reader) => reader.read)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  test('too slowly ends with an error, after what was kept, and stops nobody else', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    const slow = connection.messages({ maxBuffered: 2 });
    const other = read(connection);
    for (const text of ['a', 'b', 'c', 'd']) socket.says(text);
    await r.settle();
    expect([await slow.next(), await slow.next()]).toEqual([
      { done: false, value: 'a' },
      { done: false, value: 'b' },
    ]);
    await expect(slow.next()).rejects.toMatchObject({ code: 'ITERATION_OVERFLOW', category: 'queue' });
    expect(await slow.next()).toEqual({ done: true, value: undefined });
    expect([other.read, r.bugs, r.state()]).toEqual([['a', 'b', 'c', 'd'], [], 'open']);
  });
});

describe('an iteration', () => {
  function iteration(maxBuffered = 10): { messages: MessageIteration; ended: () => number } {
    let ends = 0;
    const messages = new MessageIteration(maxBuffered, () => {
      ends += 1;
    });
    return { messages, ended: () => ends };
  }

  test('answers those who ask ahead in the order they asked', async () => {
    const { messages } = iteration();
    const fates = [fateOf(messages.next()), fateOf(messages.next()), fateOf(messages.next())];
    messages.push('a');
    messages.push('b');
    messages.end(null);
    await microtasks();
    expect(fates.map(({ value }) => value)).toEqual([
      { done: false, value: 'a' },
      { done: false, value: 'b' },
      { done: true, value: undefined },
    ]);
  });

  test('tells an error once, and lets go once', async () => {
    const { messages, ended } = iteration();
    const fates = [fateOf(messages.next()), fateOf(messages.next())];
    messages.end(new HoldfastError('ITERATION_OVERFLOW'));
    messages.end(null);
    await microtasks();
    expect(fates.map(({ kind }) => kind)).toEqual(['rejected', 'resolved']);
    expect([await messages.next(), ended()]).toEqual([{ done: true, value: undefined }, 1]);
  });

  test('keeps nothing where nothing may be kept', async () => {
    const { messages } = iteration(0);
    const first = messages.next();
    messages.push('a');
    expect(await first).toEqual({ done: false, value: 'a' });
    messages.push('b');
    await expect(messages.next()).rejects.toMatchObject({ code: 'ITERATION_OVERFLOW' });
  });

  test('takes an empty text for the message it is', async () => {
    const { messages } = iteration();
    messages.push('');
    expect(await messages.next()).toEqual({ done: false, value: '' });
  });

  test('that is over takes no further message', async () => {
    const iteration = new MessageIteration(10, () => undefined);
    await iteration.return();
    iteration.push('late');
    expect(await iteration.next()).toEqual({ done: true, value: undefined });
  });

  test('that was returned drops what is unread', async () => {
    const { messages } = iteration();
    messages.push('unread');
    await messages.return();
    expect(await messages.next()).toEqual({ done: true, value: undefined });
  });

  test('that was returned answers whoever still waits', async () => {
    const { messages, ended } = iteration();
    const waiting = fateOf(messages.next());
    expect(await messages.return()).toEqual({ done: true, value: undefined });
    await microtasks();
    expect([waiting.value, await messages.next(), ended()]).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
      1,
    ]);
  });

  test('with a bound that is none is refused', async () => {
    const r = rig();
    const { connection } = await r.open();
    for (const maxBuffered of [Number.NaN, -1, 1.5]) {
      expect(() => connection.messages({ maxBuffered })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTIONS' }) as Error,
      );
    }
  });
});
