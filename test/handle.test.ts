import { describe, expect, test } from 'vitest';

import { fateOf, rig, TERMINAL } from './support/service.ts';

describe('a connection as an object', () => {
  test('is the same one that the service’s methods reach by id, over every reconnection', async () => {
    const r = rig();
    const { id, connection, socket } = await r.open();
    expect([connection.id, connection.serviceType]).toEqual([id, 'terminal']);
    socket.ends(1006);
    await r.settle();
    await r.reopen();
    expect(r.service.connection(id)).toBe(connection);
    expect(connection.status).toEqual(r.service.getConnectionStatus(id));
    void connection.close();
    r.sockets.last.ends(1000);
    await r.settle();
    expect([connection.status.state, r.state()]).toEqual(['closed', 'closed']);
  });

  test('can be connected again from closed and from failed', async () => {
    const r = rig();
    const { connection } = await r.open();
    r.sockets.last.ends(4403);
    await r.settle();
    const again = fateOf(connection.connect());
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect([again.kind, connection.status.state]).toEqual(['resolved', 'open']);
  });

  test('takes a signal and a deadline for its connect, as the service does', async () => {
    const r = rig();
    const { connection } = await r.open();
    void connection.close();
    r.sockets.last.ends(1000);
    await r.settle();
    const told = r.events.length;
    const aborted = fateOf(connection.connect({ signal: AbortSignal.abort() }));
    await r.settle();
    // nothing was begun
    expect([aborted.error, r.events.length]).toMatchObject([{ code: 'CONNECT_ABORTED' }, told]);
    const late = fateOf(connection.connect({ timeoutMs: 10 }));
    await r.clock.advanceAsync(10);
    expect([late.error, connection.status.state]).toMatchObject([{ code: 'CONNECT_DEADLINE' }, 'closed']);
  });

  test('sends without throwing: what becomes of the message is told by the receipt', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    const receipts = [connection.send('a'), connection.send(undefined), connection.send({ n: 1 })];
    expect(receipts.map(({ id }) => id)).toEqual(['m1', 'm2', 'm3']);
    const fates = receipts.map(({ settled }) => fateOf(settled));
    await r.settle();
    expect(fates.map(({ kind }) => kind)).toEqual(['resolved', 'rejected', 'resolved']);
    expect(socket.sent).toEqual(['a', '{"n":1}']);
  });

  test('ends a subscription that was ended, and no other (original fault 47)', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    const heard: unknown[] = [];
    const end = connection.subscribe((data) => heard.push(data));
    connection.subscribe((data) => heard.push(`also ${data as string}`));
    socket.says('a');
    end();
    socket.says('b');
    await r.settle();
    expect(heard).toEqual(['a', 'also a', 'also b']);
  });

  test('keeps its subscribers over a close and a new connect', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    const heard: unknown[] = [];
    connection.subscribe((data) => heard.push(data));
    void connection.close();
    socket.ends(1000);
    await r.settle();
    await r.open();
    r.sockets.last.says('again');
    await r.settle();
    expect(heard).toEqual(['again']);
  });

  test('is closed with `code` and `reason`, and refuses a code that cannot be sent', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    await expect(connection.close({ code: 1001 })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    void connection.close({ code: 4000, reason: 'bye' });
    await r.settle();
    expect(socket.closeCalls).toEqual([{ code: 4000, reason: 'bye' }]);
  });

  test('drops what its peer still says while it closes', async () => {
    const r = rig();
    const { connection, socket } = await r.open();
    void connection.close();
    await r.settle();
    socket.says('too late');
    socket.ends(1000);
    await r.settle();
    expect(r.of('message')).toEqual([]);
    await r.open();
    expect([r.of('message'), connection.status.messages.received]).toEqual([[], 0]);
  });

  test('of a service with other connections hears its own messages only', async () => {
    const r = rig();
    const terminal = await r.open();
    const chat = await r.open({ serviceType: 'chat' });
    const heard: unknown[] = [];
    terminal.connection.subscribe((data) => heard.push(data));
    chat.socket.says('for the chat');
    terminal.socket.says('for the terminal');
    await r.settle();
    expect(heard).toEqual(['for the terminal']);
    expect(r.of('message').map(({ connectionId }) => connectionId)).toEqual(['chat', 'terminal:one']);
  });

  test('is unknown to a service that never made it', () => {
    const r = rig();
    expect(() => r.service.connection(TERMINAL.serviceType)).toThrow(/No connection has the id "terminal"/);
  });

  test.each([{ timeoutMs: Number.NaN }, { timeoutMs: -1 }, { signal: {} }, { timeout: 5 }])(
    'refuses the connect options %o as the service does',
    async (options) => {
      const r = rig();
      const { connection } = await r.open();
      r.sockets.last.ends(4403);
      await r.settle();
      const fate = fateOf(connection.connect(options as never));
      await r.settle();
      expect(fate.error).toMatchObject({ code: 'INVALID_OPTIONS' });
    },
  );

  test('that has failed ends an iteration begun then, as it ends one begun before', async () => {
    const r = rig();
    const { connection } = await r.open();
    r.sockets.last.ends(4403);
    await r.settle();
    const next = fateOf(connection.messages().next());
    await r.destroy();
    expect(next.kind).not.toBe('pending');
    const late = fateOf(connection.messages().next());
    await r.settle();
    expect(late.kind).not.toBe('pending');
  });
});
