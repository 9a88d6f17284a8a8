import { describe, expect, test } from 'vitest';

import { defineProfile } from '../src/protocol/profile.ts';
import { fateOf, NOTHING_LEFT, rig, type Rig } from './support/service.ts';

interface Call {
  id?: string;
  op: string;
}

const calls = defineProfile<Call, Call>({
  codec: 'json',
  replies: { tag: (message, id) => ({ ...message, id }), idOf: ({ id, op }) => (op === 'reply' ? id : undefined) },
});

function calling(): Rig {
  return rig({ terminal: { profile: calls } });
}

describe('a request', () => {
  test('resolves with its reply, which no subscriber sees (original fault 18)', async () => {
    const r = calling();
    const { connection, socket } = await r.open();
    const heard: unknown[] = [];
    connection.subscribe((message) => heard.push(message));
    const asked = fateOf(connection.request({ op: 'list' }));
    await r.settle();
    expect(socket.sent).toEqual(['{"op":"list","id":"r1"}']);
    socket.says('{"op":"news","id":"r1"}');
    socket.says('{"op":"reply","id":"r1"}');
    await r.settle();
    expect(asked.value).toEqual({ op: 'reply', id: 'r1' });
    expect([heard, r.of('message').length]).toEqual([[{ op: 'news', id: 'r1' }], 1]);
  });

  test('waits for a connection, and counts its time from the call on (pain 17)', async () => {
    const r = calling();
    void r.service.connect({ serviceType: 'terminal', terminalId: 'one' });
    const asked = fateOf(r.service.connection('terminal:one').request({ op: 'list' }, { timeoutMs: 1_000 }));
    await r.clock.advanceAsync(1_000);
    expect(asked.error).toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'not_sent' });
    r.sockets.last.opens();
    await r.settle();
    expect(r.sockets.last.sent).toEqual([]);
  });

  test('is not sent again when the connection is lost, and says that it may have been acted on (original fault 17) (pain 18)', async () => {
    const r = calling();
    const { connection } = await r.open();
    const asked = fateOf(connection.request({ op: 'pay' }));
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    const socket = await r.reopen();
    expect([asked.error, socket.sent]).toMatchObject([{ code: 'REPLY_LOST', outcome: 'unknown' }, []]);
  });

  test('with an idempotency key is sent again, and its reply is the reply (pain 18)', async () => {
    const r = calling();
    const { connection } = await r.open();
    const asked = fateOf(connection.request({ op: 'pay' }, { idempotencyKey: 'pay-1' }));
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    const socket = await r.reopen();
    expect(socket.sent).toEqual(['{"op":"pay","id":"r1"}']);
    socket.says('{"op":"reply","id":"r1"}');
    await r.settle();
    expect(asked.value).toEqual({ op: 'reply', id: 'r1' });
  });

  test('of one connection is not touched by the end of another (original fault 31)', async () => {
    const r = calling();
    const one = await r.open();
    const other = await r.open({ serviceType: 'terminal', terminalId: 'two' });
    const [here, there] = [one, other].map(({ connection }) => fateOf(connection.request({ op: 'list' })));
    await r.settle();
    void other.connection.close();
    other.socket.ends(1000);
    await r.settle();
    one.socket.says('{"op":"reply","id":"r1"}');
    await r.settle();
    expect([here, there]).toMatchObject([{ kind: 'resolved' }, { error: { code: 'REPLY_LOST', outcome: 'unknown' } }]);
  });

  test('settles when its connection closes, is given up or is destroyed, and leaves nothing (original fault 31) (pain 17)', async () => {
    for (const end of ['close', 'give up', 'destroy']) {
      const r = calling();
      const { connection, socket } = await r.open();
      const fates = ['a', 'b'].map((op) => fateOf(connection.request({ op }, { timeoutMs: 1e9 })));
      await r.settle();
      connection.pause();
      fates.push(fateOf(connection.request({ op: 'waits' })));
      if (end === 'close') void connection.close();
      if (end === 'give up') socket.ends(4403);
      if (end === 'destroy') await r.destroy();
      if (end === 'close') socket.ends(1000);
      await r.settle();
      expect(fates.map(({ kind }) => kind)).toEqual(['rejected', 'rejected', 'rejected']);
      await r.destroy();
      expect(r.leftovers()).toEqual(NOTHING_LEFT);
    }
  });

  test('asked of a service without replies, or with a wrong option, is refused', async () => {
    const plain = rig();
    const { connection } = await plain.open();
    const fates = [
      fateOf(connection.request('x')),
      fateOf(connection.request('x', { timeoutMs: 0 })),
      fateOf(connection.request('x', { retries: 3 } as never)),
    ];
    await plain.settle();
    expect(fates.map(({ error }) => (error as { code: string }).code)).toEqual([
      'NO_CORRELATION',
      'INVALID_OPTIONS',
      'INVALID_OPTIONS',
    ]);
  });

  test('whose replies cannot be told because the profile throws is still there for the next message', async () => {
    const thrown = new Error('odd');
    const profile = defineProfile<Call, Call>({
      codec: 'json',
      replies: {
        tag: (message, id) => ({ ...message, id }),
        idOf: ({ op, id }) => {
          if (op === 'odd') throw thrown;
          return id;
        },
      },
    });
    const r = rig({ terminal: { profile } });
    const { connection, socket } = await r.open();
    const asked = fateOf(connection.request({ op: 'list' }));
    await r.settle();
    socket.says('{"op":"odd"}');
    socket.says('{"op":"reply","id":"r1"}');
    await r.settle();
    expect([asked.kind, r.bugs.map(({ cause }) => cause), r.of('message').length]).toEqual(['resolved', [thrown], 1]);
  });
});
