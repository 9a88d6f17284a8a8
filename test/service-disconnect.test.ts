import { describe, expect, test } from 'vitest';

import { deferred, fateOf, rig, TERMINAL } from './support/service.ts';

describe('disconnect', () => {
  test('closes with the code and the reason, and resolves when the peer has agreed', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    const fate = fateOf(r.service.disconnect(id, { code: 4001, reason: 'done here' }));
    await r.settle();
    expect(socket.closeCalls).toEqual([{ code: 4001, reason: 'done here' }]);
    expect([fate.kind, r.state()]).toEqual(['pending', 'closing']);
    socket.ends(4001, 'done here');
    await r.settle();
    expect([fate.kind, r.state()]).toEqual(['resolved', 'closed']);
    expect(r.of('closed')).toEqual([
      {
        connectionId: id,
        serviceType: 'terminal',
        code: 4001,
        reason: 'done here',
        wasClean: true,
        initiator: 'local',
        error: null,
        inDoubt: 0,
      },
    ]);
    expect(r.of('error')).toEqual([]);
  });

  test('waits for the peer no longer than its deadline (pain 35)', async () => {
    const r = rig({ terminal: { closeTimeoutMs: 500 } });
    const { id, socket } = await r.open();
    const fate = fateOf(r.service.disconnect(id));
    await r.clock.advanceAsync(499);
    expect(fate.kind).toBe('pending');
    await r.clock.advanceAsync(1);
    expect([fate.kind, r.state(), r.clock.pending()]).toEqual(['resolved', 'closed', 0]);
    expect(r.of('closed')).toMatchObject([{ code: 1000, wasClean: false, initiator: 'local', error: null }]);
    socket.ends(1006);
    await r.settle();
    expect(r.of('closed')).toHaveLength(1);
  });

  test('cuts a reason that no close frame can carry (pain 51)', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    void r.service.disconnect(id, { reason: 'é'.repeat(100) });
    await r.settle();
    expect(socket.closeCalls).toEqual([{ code: 1000, reason: 'é'.repeat(61) }]);
    expect(r.bugs).toEqual([]);
  });

  test.each([{ code: 1006 }, { code: 999 }, { code: 5000 }, { code: 3000.5 }, { reason: 5 }, { cod: 1000 }])(
    'refuses %o, and the connection stays open (pain 51)',
    async (options) => {
      const r = rig();
      const { id } = await r.open();
      await expect(r.service.disconnect(id, options as never)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
      expect(r.state()).toBe('open');
    },
  );

  test('hands over what was sent before it', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    const sent = r.service.sendMessage(id, 'last words');
    void r.service.disconnect(id);
    expect(await sent).toMatchObject({ outcome: 'sent' });
    expect(socket.sent).toEqual(['last words']);
  });

  test('drops the attempt while it is connecting, and a socket that opens late is closed (pain 1) (pain 22)', async () => {
    const r = rig();
    const connecting = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    await r.service.disconnect('terminal:one');
    expect(connecting.error).toMatchObject({ code: 'CLOSED_LOCALLY' });
    const closes = r.sockets.last.closeCalls.length;
    r.sockets.last.opens();
    expect(r.sockets.last.closeCalls).toHaveLength(closes + 1);
    expect([r.state(), r.of('opened')]).toEqual(['closed', []]);
  });

  test('while the URL provider is pending leaves no socket behind, then or later (original fault 27)', async () => {
    const answer = deferred<string>();
    let signal: AbortSignal | undefined;
    const r = rig({
      terminal: {
        url: (request) => {
          signal = request.signal;
          return answer.promise;
        },
      },
    });
    void r.service.connect(TERMINAL);
    await r.settle();
    expect([r.status().detail, signal?.aborted]).toEqual(['locating', false]);
    await r.service.disconnect('terminal:one');
    expect(signal?.aborted).toBe(true);
    answer.resolve('wss://host/late');
    await r.clock.advanceAsync(60_000);
    expect([r.sockets.constructions, r.state(), r.clock.pending()]).toEqual([0, 'closed', 0]);
  });

  test('in backoff cancels the retry for good (pain 25)', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    socket.ends(1006);
    await r.settle();
    expect(r.state()).toBe('backoff');
    await r.service.disconnect(id);
    await r.clock.advanceAsync(600_000);
    expect([r.state(), r.sockets.constructions, r.clock.pending()]).toEqual(['closed', 1, 0]);
  });

  test.each(['failed', 'closed'] as const)('of a connection that is %s resolves at once', async (state) => {
    const r = rig();
    const { id, socket } = await r.open();
    if (state === 'closed') void r.service.disconnect(id);
    socket.ends(state === 'closed' ? 1000 : 4403);
    await r.settle();
    expect(r.state()).toBe(state);
    await r.service.disconnect(id);
    expect(r.state()).toBe('closed');
  });

  test('asked for twice closes once, and settles for both', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    const fates = [fateOf(r.service.disconnect(id)), fateOf(r.service.disconnect(id, { code: 4000 }))];
    await r.settle();
    expect(socket.closeCalls).toEqual([{ code: 1000, reason: '' }]);
    socket.ends(1000);
    await r.settle();
    expect(fates.map(({ kind }) => kind)).toEqual(['resolved', 'resolved']);
    expect(r.of('closed')).toHaveLength(1);
  });

  test('is the end although the peer answers with another code: what the application closed is not retried', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    void r.service.disconnect(id);
    await r.settle();
    socket.ends(1011);
    await r.clock.advanceAsync(60_000);
    expect([r.state(), r.sockets.constructions]).toEqual(['closed', 1]);
  });
});
