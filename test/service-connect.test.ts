import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';

import { deferred, fateOf, NOTHING_LEFT, rig, TERMINAL, type Rig } from './support/service.ts';

describe('connect', () => {
  test('resolves with the id when the socket opens, and not before', async () => {
    const r = rig();
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.clock.advanceAsync(9_999);
    expect(fate.kind).toBe('pending');
    r.sockets.last.opens();
    await r.settle();
    expect(fate).toEqual({ kind: 'resolved', value: 'terminal:one' });
  });

  test('is told of by the id before it resolves, the first opening as any other (original fault 47)', async () => {
    const r = rig();
    const told: string[] = [];
    r.service.on('status', ({ connectionId, current }) => told.push(`${connectionId}: ${current}`));
    r.service.on('opened', ({ connectionId }) => told.push(`${connectionId}: opened`));
    void r.service.connect(TERMINAL).then((id) => told.push(`${id}: resolved`));
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect(told).toEqual([
      'terminal:one: connecting',
      'terminal:one: open',
      'terminal:one: opened',
      'terminal:one: resolved',
    ]);
  });

  test('stays pending through failed attempts, and resolves with the one that opens (original fault 22)', async () => {
    const r = rig();
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    for (let attempt = 1; attempt <= 4; attempt++) {
      r.sockets.last.ends(1006);
      await r.settle();
      expect([fate.kind, r.state()]).toEqual(['pending', 'backoff']);
      await r.passBackoff();
    }
    r.sockets.last.opens();
    await r.settle();
    expect(fate.kind).toBe('resolved');
    expect([r.sockets.constructions, r.sockets.live.length]).toEqual([5, 1]);
  });

  test('a server that is down is tried again, however often (pain 28)', async () => {
    const r = rig();
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    for (let attempt = 1; attempt <= 30; attempt++) {
      r.sockets.last.errs('connect ECONNREFUSED 127.0.0.1:9');
      r.sockets.last.ends(1006);
      await r.settle();
      await r.passBackoff();
    }
    expect([fate.kind, r.state(), r.sockets.constructions]).toEqual(['pending', 'connecting', 31]);
  });

  test('resolves at once when the connection is open already', async () => {
    const r = rig();
    await r.open();
    expect(await r.service.connect(TERMINAL)).toBe('terminal:one');
    expect(r.of('opened')).toHaveLength(1);
  });

  test('resolves at once on a degraded connection', async () => {
    const r = rig({ terminal: { heartbeat: { ping: 'silence', intervalMs: 100, lateMs: 10, timeoutMs: 1_000 } } });
    await r.open();
    await r.clock.advanceAsync(110);
    expect(r.state()).toBe('degraded');
    expect(await r.service.connect(TERMINAL)).toBe('terminal:one');
  });

  test('rejects with the failure that cannot be mended', async () => {
    const r = rig();
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    r.sockets.last.ends(4401, 'token expired');
    await r.settle();
    expect(fate.error).toMatchObject({
      name: 'ConnectionError',
      code: 'HANDSHAKE_FAILED',
      category: 'authentication_failed',
      closeCode: 4401,
      closeReason: 'token expired',
      retryable: false,
    });
    expect(r.state()).toBe('failed');
  });

  test('rejects when the last allowed retry has failed, and no retry follows', async () => {
    const r = rig({ terminal: { retry: { maxRetries: 2 } } });
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    for (let retry = 1; retry <= 2; retry++) {
      r.sockets.last.ends(1006);
      await r.settle();
      await r.passBackoff();
    }
    r.sockets.last.ends(1006);
    await r.settle();
    expect(fate.error).toMatchObject({ code: 'RETRIES_EXHAUSTED', cause: { code: 'HANDSHAKE_FAILED' } });
    await r.clock.advanceAsync(600_000);
    expect(r.sockets.constructions).toBe(3);
  });

  test('with enableAutoRecovery off, one failed attempt is the end of it', async () => {
    const r = rig({ enableAutoRecovery: false });
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(fate.error).toMatchObject({ code: 'HANDSHAKE_FAILED', closeCode: 1006 });
    expect([r.state(), r.of('retrying')]).toEqual(['failed', []]);
  });

  test('rejects when the application closes meanwhile, once only, and leaves no timer (original fault 19)', async () => {
    const r = rig();
    const [one, other] = [TERMINAL, { ...TERMINAL, timeoutMs: 60_000 }].map((wish) => fateOf(r.service.connect(wish)));
    await r.settle();
    await r.service.disconnect('terminal:one');
    expect(one?.error).toMatchObject({ code: 'CLOSED_LOCALLY' });
    expect(other?.error).toMatchObject({ code: 'CLOSED_LOCALLY' });
    expect(r.leftovers()).toMatchObject({ timers: 0, sockets: 0, listeners: 0 });
  });

  test('leaves no timer behind when it rejects (original fault 19)', async () => {
    const r = rig();
    const fate = fateOf(r.service.connect({ ...TERMINAL, timeoutMs: 60_000 }));
    await r.settle();
    r.sockets.last.ends(4403);
    await r.settle();
    expect([fate.kind, r.clock.pending()]).toEqual(['rejected', 0]);
  });

  test('may be left unwatched: its rejection never becomes an unhandled one (pain 46)', async () => {
    const unhandled: unknown[] = [];
    const hear = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', hear);
    const r = rig({ terminal: { url: () => Promise.reject(new Error('no')), retry: { maxRetries: 0 } } });
    void r.service.connect(TERMINAL);
    void r.service.sendMessage('terminal:one', 'hi');
    void r.service.connection('terminal:one').send('hi').settled;
    void r.service.disconnect('nobody');
    await r.settle();
    expect(r.state()).toBe('failed');
    // unhandled rejections are told when the microtasks are done
    await new Promise(setImmediate);
    process.off('unhandledRejection', hear);
    expect(unhandled).toEqual([]);
  });
});

describe('a connect that is given up', () => {
  const STAGES: [stage: string, reach: (r: Rig) => Promise<void>][] = [
    ['while the socket is dialled', (r) => r.settle()],
    [
      'in backoff',
      async (r) => {
        await r.settle();
        r.sockets.last.ends(1006);
        await r.settle();
      },
    ],
  ];

  test.each(STAGES)('by its signal, %s, leaves nothing behind', async (_stage, reach) => {
    const r = rig();
    const controller = new AbortController();
    const fate = fateOf(r.service.connect({ ...TERMINAL, signal: controller.signal }));
    await reach(r);
    controller.abort(new Error('navigated away'));
    await r.settle();
    expect(fate.error).toMatchObject({ code: 'CONNECT_ABORTED', cause: { message: 'navigated away' } });
    expect([r.state(), getEventListeners(controller.signal, 'abort')]).toEqual(['closed', []]);
    expect(r.leftovers()).toMatchObject({ timers: 0, sockets: 0, listeners: 0 });
  });

  test.each(STAGES)('by its deadline, %s, leaves nothing behind', async (_stage, reach) => {
    const r = rig();
    const fate = fateOf(r.service.connect({ ...TERMINAL, timeoutMs: 300 }));
    await reach(r);
    await r.clock.advanceAsync(299);
    expect(fate.kind).toBe('pending');
    await r.clock.advanceAsync(1);
    expect(fate.error).toMatchObject({ code: 'CONNECT_DEADLINE', category: 'timeout' });
    expect(r.state()).toBe('closed');
    expect(r.leftovers()).toMatchObject({ timers: 0, sockets: 0, listeners: 0 });
  });

  test('says of its deadline what had failed by then', async () => {
    const r = rig();
    const fate = fateOf(r.service.connect({ ...TERMINAL, timeoutMs: 300 }));
    await r.settle();
    r.sockets.last.errs('connect ECONNREFUSED 127.0.0.1:9');
    r.sockets.last.ends(1006);
    await r.clock.advanceAsync(300);
    expect(fate.error).toMatchObject({ code: 'CONNECT_DEADLINE', cause: { code: 'HANDSHAKE_FAILED' } });
    expect((fate.error as Error).cause).toBe(r.of('error')[0]);
  });

  test('while the URL provider is pending makes no socket, then or later', async () => {
    const answer = deferred<string>();
    const r = rig({ terminal: { url: () => answer.promise } });
    const controller = new AbortController();
    const fate = fateOf(r.service.connect({ ...TERMINAL, signal: controller.signal }));
    await r.settle();
    controller.abort();
    await r.settle();
    answer.resolve('wss://host/late');
    await r.clock.advanceAsync(60_000);
    expect(fate.kind).toBe('rejected');
    expect(r.sockets.constructions).toBe(0);
  });

  test('leaves the connection to another that still waits for it', async () => {
    const r = rig();
    const controller = new AbortController();
    const gone = fateOf(r.service.connect({ ...TERMINAL, signal: controller.signal }));
    const waiting = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    controller.abort();
    await r.settle();
    expect([gone.kind, waiting.kind, r.state()]).toEqual(['rejected', 'pending', 'connecting']);
    r.sockets.last.opens();
    await r.settle();
    expect(waiting.kind).toBe('resolved');
  });

  test('leaves a connection that was in use before to its retries', async () => {
    const r = rig();
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    const fate = fateOf(r.service.connect({ ...TERMINAL, timeoutMs: 10 }));
    await r.clock.advanceAsync(10);
    expect(fate.error).toMatchObject({ code: 'CONNECT_DEADLINE' });
    expect(r.state()).toBe('connecting');
    r.sockets.last.opens();
    await r.settle();
    expect(r.state()).toBe('open');
  });

  test('before it began, by a signal aborted already, leaves no connection behind', async () => {
    const r = rig();
    const given = r.service.connect({ ...TERMINAL, signal: AbortSignal.abort('gone') });
    await expect(given).rejects.toMatchObject({ code: 'CONNECT_ABORTED', cause: 'gone' });
    expect([r.service.getConnections(), r.sockets.constructions, r.clock.pending()]).toEqual([[], 0, 0]);
  });

  test('on a connection that was open once and failed leaves nothing that goes on trying', async () => {
    const r = rig();
    await r.open();
    r.sockets.last.ends(4403);
    await r.settle();
    const fate = fateOf(r.service.connect({ ...TERMINAL, timeoutMs: 100 }));
    await r.clock.advanceAsync(100);
    expect([fate.kind, r.state()]).toEqual(['rejected', 'closed']);
    expect(r.leftovers()).toMatchObject({ timers: 0, sockets: 0 });
  });

  test('does nothing any more once it has resolved', async () => {
    const r = rig();
    const controller = new AbortController();
    const opened = r.service.connect({ ...TERMINAL, signal: controller.signal, timeoutMs: 1_000 });
    await r.settle();
    r.sockets.last.opens();
    await opened;
    controller.abort();
    await r.clock.advanceAsync(1_000);
    expect(r.state()).toBe('open');
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });
});

describe('connect is legal in every state (pain 1)', () => {
  test('failed: a new attempt at once, and nothing of the old failure is left', async () => {
    const r = rig({ terminal: { retry: { maxRetries: 0 } } });
    const first = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    expect([first.kind, r.state()]).toEqual(['rejected', 'failed']);
    await r.open();
    expect(r.status()).toMatchObject({ state: 'open', attempt: 0, generation: 2 });
  });

  test('failed after the last retry: the episode begins anew, with all its retries (pain 1)', async () => {
    const r = rig({ terminal: { retry: { maxRetries: 1 } } });
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    await r.passBackoff();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.state()).toBe('failed');
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    expect([fate.kind, r.state(), r.status().attempt]).toEqual(['pending', 'backoff', 1]);
    await r.reopen();
    expect([fate.kind, r.state()]).toEqual(['resolved', 'open']);
  });

  test('closed, by the application while it was connecting (pain 1)', async () => {
    const r = rig();
    void r.service.connect(TERMINAL);
    await r.settle();
    await r.service.disconnect('terminal:one');
    expect(r.state()).toBe('closed');
    await r.open();
    expect(r.state()).toBe('open');
    expect(r.sockets.live).toHaveLength(1);
  });

  test('closed after it was open: the next opening is no reconnection', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    void r.service.disconnect(id);
    socket.ends(1000);
    await r.settle();
    await r.open();
    expect(r.of('opened').map(({ isReconnect }) => isReconnect)).toEqual([false, false]);
  });

  test('backoff: the wait is skipped, and its timer never fires', async () => {
    const r = rig({ terminal: { retry: { baseMs: 20_000 } } });
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.state()).toBe('backoff');
    await r.open();
    expect(r.state()).toBe('open');
    await r.clock.advanceAsync(60_000);
    expect(r.sockets.constructions).toBe(2);
  });

  test('closing: a new socket at once; the old one is disposed of, and the close settles', async () => {
    const r = rig();
    const { id, socket } = await r.open();
    const closing = fateOf(r.service.disconnect(id));
    await r.settle();
    expect([r.state(), closing.kind]).toEqual(['closing', 'pending']);
    await r.open();
    expect([closing.kind, r.state(), r.sockets.live.length]).toEqual(['resolved', 'open', 1]);
    expect(r.sockets.live).not.toContain(socket);
    socket.ends(1006);
    await r.settle();
    expect(r.state()).toBe('open');
  });

  test('connecting: the attempt that is under way is the one that is waited for', async () => {
    const r = rig();
    void r.service.connect(TERMINAL);
    await r.settle();
    await r.open();
    expect(r.sockets.constructions).toBe(1);
  });

  test('whatever was asked before, nothing but the one socket is left', async () => {
    const r = rig();
    await r.open();
    for (const ask of ['disconnect', 'connect', 'connect', 'disconnect', 'disconnect', 'connect'] as const) {
      if (ask === 'connect') void r.service.connect(TERMINAL);
      else void r.service.disconnect('terminal:one');
    }
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    expect([r.state(), r.sockets.live.length]).toEqual(['open', 1]);
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });
});
