import { describe, expect, test } from 'vitest';

import { defineProfile } from '../src/protocol/profile.ts';
import { fateOf, NOTHING_LEFT, rig, TERMINAL } from './support/service.ts';

describe('a congested connection', () => {
  const queue = { highWaterBytes: 10, lowWaterBytes: 2 };

  test('says so in its status and by an event, and again when it is over (pain 52)', async () => {
    const r = rig({ terminal: { queue } });
    const { connection, socket } = await r.open();
    socket.holds = true;
    const receipts = ['12345678', '12345678', '12345678'].map((text) => connection.send(text));
    await r.settle();
    expect(r.status()).toMatchObject({ state: 'open', detail: 'congested', flow: 'congested' });
    expect(receipts.map(({ fate }) => fate)).toEqual(['handed', 'handed', 'handed']);
    connection.send('waits');
    await r.settle();
    expect(socket.sent).toHaveLength(3);
    socket.drains();
    await r.clock.advanceAsync(50);
    expect(r.status()).toMatchObject({ state: 'open', detail: 'open', flow: 'flowing' });
    expect(socket.sent).toHaveLength(4);
    const source = { connectionId: 'terminal:one', serviceType: 'terminal' };
    expect(r.of('flow')).toEqual([
      { ...source, isCongested: true },
      { ...source, isCongested: false },
    ]);
  });

  test('that is lost is congested no more, and its messages are accounted for', async () => {
    const r = rig({ terminal: { queue } });
    const { connection, socket } = await r.open();
    socket.holds = true;
    connection.send('1234567890');
    await r.settle();
    const waiting = connection.send('waits');
    socket.ends(1006);
    await r.settle();
    expect(r.of('flow').map(({ isCongested }) => isCongested)).toEqual([true, false]);
    expect(r.of('closed')).toMatchObject([{ inDoubt: 1 }]);
    expect(r.of('undelivered')).toMatchObject([{ messageId: 'm1', error: { code: 'OUTCOME_UNKNOWN' } }]);
    await r.reopen();
    expect([waiting.fate, r.sockets.last.sent]).toEqual(['sent', ['waits']]);
  });
});

describe('sending', () => {
  test('resolves when the message has left the buffer, and rejects when the socket dies with it (original fault 6) (pain 16)', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    socket.holds = true;
    const [first, second] = ['one', 'two!'].map((text) => fateOf(r.service.sendMessage(id, text)));
    await r.settle();
    socket.drains(3);
    await r.clock.advanceAsync(50);
    expect([first?.kind, second?.kind]).toEqual(['resolved', 'pending']);
    socket.ends(1006);
    await r.settle();
    expect(first?.value).toEqual({ outcome: 'sent', id: 'm1' });
    expect(second?.error).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown', connectionId: id });
  });

  test('with an idempotency key goes on with the next socket instead (pain 18)', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    socket.holds = true;
    const fate = fateOf(r.service.sendMessage(id, 'order', { idempotencyKey: 'order-1' }));
    await r.settle();
    socket.ends(1006);
    await r.settle();
    expect([fate.kind, r.of('closed')[0]?.inDoubt]).toEqual(['pending', 0]);
    await r.reopen();
    expect([fate.kind, r.sockets.last.sent]).toEqual(['resolved', ['order']]);
  });

  test('to one connection is not repeated because another is down (original fault 10)', async () => {
    const r = rig();
    const up = await r.open();
    const down = await r.open({ serviceType: 'terminal', terminalId: 'two' });
    down.socket.holds = true;
    for (const text of ['1', '2']) {
      up.connection.send(`up ${text}`);
      down.connection.send(`down ${text}`);
    }
    await r.settle();
    down.socket.ends(1006);
    await r.settle();
    down.connection.send('down 3');
    await r.reopen('terminal:two');
    expect(up.socket.sent).toEqual(['up 1', 'up 2']);
    expect(r.sockets.last.sent).toEqual(['down 3']);
  });

  test('in a handler that hears of the opening is sent on that opening (original fault 4)', async () => {
    const r = rig();
    r.service.on('opened', ({ connectionId }) => {
      for (const text of ['a', 'b']) r.service.connection(connectionId).send(text);
    });
    const { socket, connection } = await r.open();
    expect(socket.sent).toEqual(['a', 'b']);
    expect(connection.status.messages).toMatchObject({ accepted: 2, sent: 2 });
  });

  test('with a wrong option is refused, by the receipt, and nothing else happens', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    const wrong = [{ priority: 'urgent' }, { ttlMs: -1 }, { signal: 1 }, { coalesceKey: 1 }, { prio: 'high' }];
    for (const options of wrong) {
      const fate = fateOf(connection.send('x', options as never).settled);
      await r.settle();
      expect(fate.error).toMatchObject({ code: 'INVALID_OPTIONS', outcome: 'not_sent', connectionId: 'terminal:one' });
    }
    expect([socket.sent, connection.status.messages.refused]).toEqual([[], wrong.length]);
  });
});

describe('a full queue', () => {
  test('is told by one event that names the policy, and by an answer to each message (pain 13)', async () => {
    const r = rig({ terminal: { queue: { maxMessages: 2, overflow: 'drop-oldest' } } });
    void r.service.connect(TERMINAL);
    const connection = r.service.connection('terminal:one');
    const fates = ['a', 'b', 'c', 'd'].map((text) => fateOf(connection.send(text).settled));
    await r.settle();
    expect(r.of('overflowed')).toEqual([
      { connectionId: 'terminal:one', serviceType: 'terminal', policy: 'drop-oldest' },
    ]);
    expect(fates.map(({ error }) => (error as { code?: string } | undefined)?.code)).toEqual([
      'DROPPED_FOR_ROOM',
      'DROPPED_FOR_ROOM',
      undefined,
      undefined,
    ]);
    expect(r.of('undelivered').map(({ messageId }) => messageId)).toEqual(['m1', 'm2']);
  });

  test('with the policy `wait` keeps the promise open until there was room, and the order', async () => {
    const r = rig({ terminal: { queue: { maxMessages: 1, overflow: 'wait' } } });
    void r.service.connect(TERMINAL);
    const connection = r.service.connection('terminal:one');
    const fates = ['a', 'b', 'c'].map((text) => fateOf(connection.send(text).settled));
    await r.settle();
    expect(fates.map(({ kind }) => kind)).toEqual(['pending', 'pending', 'rejected']);
    r.sockets.last.opens();
    await r.settle();
    expect([fates.slice(0, 2).map(({ kind }) => kind), r.sockets.last.sent]).toEqual([
      ['resolved', 'resolved'],
      ['a', 'b'],
    ]);
  });
});

describe('the queue of a connection', () => {
  test('can be held back and let go, over a reconnection', async () => {
    const r = rig();
    const { connection } = await r.open();
    connection.pause();
    const receipt = connection.send('later');
    await r.settle();
    expect(r.status()).toMatchObject({ state: 'open', detail: 'paused', flow: 'paused' });
    r.sockets.last.ends(1006);
    await r.settle();
    await r.reopen();
    expect([receipt.fate, r.status().flow]).toEqual(['waiting', 'paused']);
    connection.resume();
    await r.settle();
    expect([receipt.fate, r.sockets.last.sent, r.status().flow]).toEqual(['sent', ['later'], 'flowing']);
  });

  test('that is held back is let go by a close, and held back no more afterwards', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    connection.pause();
    const receipt = connection.send('last words');
    const closed = connection.close();
    await r.settle();
    expect([socket.sent, receipt.fate]).toEqual([['last words'], 'sent']);
    socket.ends(1000);
    await closed;
    void connection.connect();
    connection.send('first words');
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect(r.sockets.last.sent).toEqual(['first words']);
  });

  test('can be looked at, purged and waited for (pain 14)', async () => {
    const r = rig();
    void r.service.connect(TERMINAL);
    const connection = r.service.connection('terminal:one');
    for (const text of ['a', 'bb', 'c']) connection.send(text);
    expect(connection.inspectQueue().map(({ id, bytes }) => [id, bytes])).toEqual([
      ['m1', 1],
      ['m2', 2],
      ['m3', 1],
    ]);
    expect(connection.purgeQueue(({ bytes }) => bytes === 2)).toBe(1);
    const drained = fateOf(connection.drainQueue());
    await r.settle();
    expect(drained.kind).toBe('pending');
    r.sockets.last.opens();
    await r.settle();
    expect([drained.kind, r.sockets.last.sent]).toEqual(['resolved', ['a', 'c']]);
    connection.pause();
    connection.send('d');
    expect([connection.purgeQueue(), connection.inspectQueue()]).toEqual([1, []]);
    expect(() => connection.purgeQueue(1 as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
  });
});

describe('closing', () => {
  test('lets what waits leave first, within its deadline; the rest is told as dropped', async () => {
    const r = rig({
      terminal: { queue: { highWaterBytes: 4, lowWaterBytes: 0, maxBatchBytes: 4 }, drainTimeoutMs: 500 },
    });
    const { connection, socket } = await r.open();
    socket.holds = true;
    const receipts = ['1111', '2222', '3333'].map((text) => connection.send(text));
    const closed = fateOf(connection.close());
    await r.settle();
    expect([socket.closeCalls, r.status()]).toMatchObject([
      [],
      { state: 'closing', detail: 'draining', flow: 'draining' },
    ]);
    socket.drains();
    await r.clock.advanceAsync(100);
    expect(receipts.map(({ fate }) => fate)).toEqual(['sent', 'handed', 'waiting']);
    await r.clock.advanceAsync(500);
    expect([socket.closeCalls.length, receipts[2]?.fate]).toEqual([1, 'dropped']);
    socket.ends(1000);
    await r.settle();
    // the peer agreed to the close, and so has read what was in the socket
    expect([closed.kind, receipts.map(({ fate }) => fate)]).toEqual(['resolved', ['sent', 'sent', 'dropped']]);
    expect(r.of('undelivered')).toMatchObject([
      { messageId: 'm3', error: { code: 'CONNECTION_ENDED', outcome: 'not_sent' } },
    ]);
  });

  test('and connecting at once swaps the socket: what waits goes to the new one, what was asked is answered (pain 20)', async () => {
    const echoes = defineProfile<string, string>({ codec: 'text', replies: { answers: () => false } });
    const queue = { highWaterBytes: 4, lowWaterBytes: 0, maxBatchBytes: 4 };
    const r = rig({ terminal: { queue, profile: echoes } });
    const { connection, socket } = await r.open();
    const asked = fateOf(connection.request('ask?'));
    await r.settle();
    socket.holds = true;
    const [handed, waiting] = ['1111', '2222'].map((text) => connection.send(text));
    await r.settle();
    void connection.close();
    void connection.connect();
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect([handed?.fate, waiting?.fate, r.sockets.last.sent]).toEqual(['unknown', 'sent', ['2222']]);
    expect(asked.error).toMatchObject({ code: 'REPLY_LOST', outcome: 'unknown' });
  });

  test('refuses what is sent meanwhile (pain 57)', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    socket.holds = true;
    connection.send('first');
    void connection.close();
    expect(connection.send('second').fate).toBe('dropped');
    await r.settle();
    expect(connection.send('third').fate).toBe('dropped');
    expect(connection.status.messages).toMatchObject({ accepted: 1, refused: 2 });
  });

  test('of a service answers everything, and leaves nothing', async () => {
    const r = rig({ terminal: { queue: { highWaterBytes: 1, lowWaterBytes: 0 } } });
    const { connection, socket } = await r.open();
    socket.holds = true;
    const fates = ['a', 'b'].map((text) => fateOf(connection.send(text).settled));
    const drained = fateOf(connection.drainQueue({ timeoutMs: 60_000 }));
    await r.settle();
    await r.destroy();
    expect(fates.map(({ kind }) => kind)).toEqual(['rejected', 'rejected']);
    expect([drained.kind, r.leftovers()]).toEqual(['resolved', NOTHING_LEFT]);
    expect(connection.send('late').fate).toBe('dropped');
    expect(() => {
      connection.pause();
    }).toThrow(expect.objectContaining({ code: 'SERVICE_DESTROYED' }));
  });
});
