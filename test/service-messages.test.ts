import { describe, expect, test } from 'vitest';

import { fateOf, rig, TERMINAL, type RigOptions, type Rig } from './support/service.ts';

const ENDS: [what: string, end: (r: Rig) => Promise<void>, code: string][] = [
  [
    'closed',
    async (r) => {
      await r.service.disconnect('terminal:one');
    },
    'CONNECTION_ENDED',
  ],
  [
    'given up',
    async (r) => {
      r.sockets.last.ends(4403);
      await r.settle();
    },
    'CONNECTION_ENDED',
  ],
  ['destroyed with its service', (r) => r.destroy(), 'SERVICE_DESTROYED'],
];

/** A service whose connection is being dialled. */
async function connecting(options: RigOptions = {}): Promise<Rig> {
  const r = rig(options);
  void r.service.connect(TERMINAL);
  await r.settle();
  return r;
}

describe('a message', () => {
  test('resolves when it was handed to the socket, not before (original fault 6)', async () => {
    const r = await connecting();
    const fate = fateOf(r.service.sendMessage('terminal:one', 'ls'));
    await r.clock.advanceAsync(5_000);
    expect([fate.kind, r.status().messages]).toMatchObject(['pending', { accepted: 1, waiting: 1, sent: 0 }]);
    r.sockets.last.opens();
    await r.settle();
    expect([fate.kind, r.sockets.last.sent]).toEqual(['resolved', ['ls']]);
    expect(fate.value).toEqual({ outcome: 'sent', id: 'm1' });
    expect(r.status().messages).toMatchObject({ accepted: 1, waiting: 0, sent: 1 });
  });

  test('waits in order with others, and leaves in order', async () => {
    const r = await connecting();
    for (const text of ['a', 'b', 'c']) void r.service.sendMessage('terminal:one', text);
    r.sockets.last.opens();
    void r.service.sendMessage('terminal:one', 'd');
    await r.settle();
    void r.service.sendMessage('terminal:one', 'e');
    await r.settle();
    expect(r.sockets.last.sent).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('that waits survives a drop, and leaves after the reconnection, once (original fault 5)', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    await r.service.sendMessage(id, 'before');
    socket.ends(1006);
    await r.settle();
    const fates = [1, 2, 3].map((n) => fateOf(r.service.sendMessage(id, `gap ${n}`)));
    await r.passBackoff();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(fates.map(({ kind }) => kind)).toEqual(['pending', 'pending', 'pending']);
    const second = await r.reopen();
    expect(second.sent).toEqual(['gap 1', 'gap 2', 'gap 3']);
    expect(fates.map(({ kind }) => kind)).toEqual(['resolved', 'resolved', 'resolved']);
    second.ends(1006);
    await r.settle();
    expect((await r.reopen()).sent).toEqual([]);
    expect(r.status().messages).toMatchObject({ accepted: 4, sent: 4, dropped: 0, waiting: 0 });
  });

  test.each(ENDS)('that waits is told when the connection is %s, and was not sent', async (_what, end, code) => {
    const r = await connecting();
    const fate = fateOf(r.service.sendMessage('terminal:one', 'ls'));
    await r.settle();
    await end(r);
    expect(fate.error).toMatchObject({
      name: 'MessageError',
      code,
      outcome: 'not_sent',
      connectionId: 'terminal:one',
      serviceType: 'terminal',
    });
  });

  test.each(ENDS.slice(0, 2))(
    'to a connection that was %s is refused once, and nothing is tried (original fault 16)',
    async (_what, end, code) => {
      const r = await connecting();
      await end(r);
      const before = [r.sockets.constructions, r.events.length];
      await expect(r.service.sendMessage('terminal:one', 'ls')).rejects.toMatchObject({ code, outcome: 'not_sent' });
      await r.clock.advanceAsync(60_000);
      // the one event tells of the message itself
      expect([r.sockets.constructions, r.events.length - 1]).toEqual(before);
      expect(r.of('undelivered')).toMatchObject([{ messageId: 'm1', error: { code } }]);
      expect(r.status().messages).toMatchObject({ accepted: 0, refused: 1 });
    },
  );

  test('says why the connection had ended', async () => {
    const r = await connecting();
    r.sockets.last.ends(4403);
    await r.settle();
    await expect(r.service.sendMessage('terminal:one', 'ls')).rejects.toMatchObject({
      cause: { code: 'HANDSHAKE_FAILED', closeCode: 4403 },
    });
  });

  test('is taken again once the application connects again', async () => {
    const r = await connecting();
    r.sockets.last.ends(4403);
    await r.settle();
    void r.service.connect(TERMINAL);
    const fate = fateOf(r.service.sendMessage('terminal:one', 'ls'));
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect([fate.kind, r.sockets.last.sent]).toEqual(['resolved', ['ls']]);
  });

  test('that the socket refuses is told at once, and is not tried again (original fault 7)', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    socket.sendError = new Error('too big');
    const fates = ['a', 'b'].map((text) => fateOf(r.service.sendMessage(id, text)));
    await r.settle();
    expect(fates.map(({ error }) => error)).toMatchObject([
      { code: 'SEND_FAILED', outcome: 'not_sent', cause: socket.sendError },
      { code: 'SEND_FAILED' },
    ]);
    socket.sendError = undefined;
    await r.clock.advanceAsync(60_000);
    expect(socket.sent).toEqual([]);
    expect(r.status().messages).toMatchObject({ accepted: 2, dropped: 2, droppedBy: { SEND_FAILED: 2 }, waiting: 0 });
  });

  test('that cannot be encoded is refused, whatever the state, and harms no other', async () => {
    const r = await connecting();
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    for (const message of [cycle, 1n, undefined, () => undefined]) {
      await expect(r.service.sendMessage('terminal:one', message)).rejects.toMatchObject({ code: 'NOT_ENCODABLE' });
    }
    void r.service.sendMessage('terminal:one', { fine: true });
    r.sockets.last.opens();
    await r.settle();
    expect(r.sockets.last.sent).toEqual(['{"fine":true}']);
    expect(r.status().messages).toMatchObject({ accepted: 1, refused: 4 });
  });

  test('that cannot be encoded is told with the connection it was for', async () => {
    const r = rig();
    const { id } = await r.open();
    await expect(r.service.sendMessage(id, undefined)).rejects.toMatchObject({
      code: 'NOT_ENCODABLE',
      connectionId: id,
      serviceType: 'terminal',
    });
  });

  test('keeps what it was when it was given', async () => {
    const r = await connecting();
    const bytes = new Uint8Array([1, 2, 3]);
    const object = { n: 1 };
    void r.service.sendMessage('terminal:one', bytes);
    void r.service.sendMessage('terminal:one', object);
    bytes.fill(0);
    object.n = 2;
    r.sockets.last.opens();
    await r.settle();
    expect(r.sockets.last.sent).toEqual([new Uint8Array([1, 2, 3]), '{"n":1}']);
  });
});

describe('the bounds of what waits', () => {
  test('are by count: one too many is refused, and the others keep their place', async () => {
    const r = await connecting({ terminal: { queue: { maxMessages: 2 } } });
    const fates = ['a', 'b', 'c'].map((text) => fateOf(r.service.sendMessage('terminal:one', text)));
    await r.settle();
    expect(fates.map(({ kind }) => kind)).toEqual(['pending', 'pending', 'rejected']);
    expect(fates[2]?.error).toMatchObject({ code: 'QUEUE_FULL', outcome: 'not_sent', category: 'queue' });
    expect((fates[2]?.error as Error).message).toContain('2 of 2 messages');
    expect(r.status().messages).toMatchObject({ accepted: 2, refused: 1, waiting: 2, dropped: 0 });
    r.sockets.last.opens();
    await r.settle();
    expect(r.sockets.last.sent).toEqual(['a', 'b']);
    await r.service.sendMessage('terminal:one', 'd');
    expect(r.sockets.last.sent).toEqual(['a', 'b', 'd']);
  });

  test('are by bytes, as the wire counts them', async () => {
    const r = await connecting({ terminal: { queue: { maxBytes: 8 } } });
    const fates = ['€€', 'éé', 'x', new Uint8Array(4)].map((message) =>
      fateOf(r.service.sendMessage('terminal:one', message)),
    );
    await r.settle();
    expect(fates.map(({ kind }) => kind)).toEqual(['pending', 'rejected', 'pending', 'rejected']);
    expect(r.status().messages).toMatchObject({ waiting: 2, waitingBytes: 7, refused: 2 });
  });

  test('are none on an open line: a burst of one turn passes, and so does one large message', async () => {
    const r = rig({ terminal: { queue: { maxMessages: 2, maxBytes: 10 } } });
    const { connection, socket } = await r.open();
    const fates = ['1', '2', '3', '4'].map((text) => fateOf(connection.send(text).settled));
    await r.settle();
    const large = fateOf(connection.send('x'.repeat(11)).settled);
    await r.settle();
    expect([...fates, large].map(({ kind }) => kind)).toEqual(Array<string>(5).fill('resolved'));
    expect(socket.sent).toHaveLength(5);
  });

  test('of 0 let nothing wait, and an open connection send', async () => {
    const r = rig({ terminal: { queue: { maxMessages: 0 } } });
    const { id } = await r.open();
    const fate = fateOf(r.service.sendMessage(id, 'x'));
    await r.settle();
    expect(fate.kind).toBe('resolved');
  });

  test('make room again when a message is taken back', async () => {
    const r = await connecting({ terminal: { queue: { maxMessages: 1 } } });
    const connection = r.service.connection('terminal:one');
    expect(connection.send('a').cancel()).toBe(true);
    expect(fateOf(connection.send('b').settled).kind).toBe('pending');
    r.sockets.last.opens();
    await r.settle();
    expect(r.sockets.last.sent).toEqual(['b']);
  });
});

describe('with enableMessageQueue off', () => {
  test('a message to a connection that is not open is refused at once', async () => {
    const r = await connecting({ enableMessageQueue: false });
    await expect(r.service.sendMessage('terminal:one', 'ls')).rejects.toMatchObject({
      code: 'NOT_OPEN',
      outcome: 'not_sent',
    });
    r.sockets.last.opens();
    await r.settle();
    expect(r.sockets.last.sent).toEqual([]);
  });

  test('a message to an open one is sent as ever', async () => {
    const r = rig({ enableMessageQueue: false });
    const { id, socket } = await r.open();
    await r.service.sendMessage(id, 'ls');
    expect(socket.sent).toEqual(['ls']);
    socket.ends(1006);
    await r.settle();
    await expect(r.service.sendMessage(id, 'ls')).rejects.toMatchObject({ code: 'NOT_OPEN' });
  });

  test('a message whose socket ends in the same turn is refused then, and does not wait after all', async () => {
    const r = rig({ enableMessageQueue: false });
    const { id, socket } = await r.open();
    const fate = fateOf(r.service.sendMessage(id, 'ls'));
    socket.ends(1006);
    await r.settle();
    expect([fate.error, r.status().messages.waiting]).toMatchObject([{ code: 'NOT_OPEN', outcome: 'not_sent' }, 0]);
  });
});
