import { describe, expect, test } from 'vitest';

import { mortal } from './support/mortal.ts';
import { WireRig } from './support/server-script.ts';
import { deferred, fateOf, NOTHING_LEFT, TERMINAL, type Fate } from './support/service.ts';

describe('a connection whose actor dies', () => {
  test('gets another, which connects again and keeps what waits', async () => {
    const { r, die, redial } = mortal();
    const { id, connection } = await r.open();
    await die();
    const message = fateOf(r.service.sendMessage(id, 'kept'));
    expect([r.state(), r.sockets.live, r.of('gaveUp')]).toEqual(['backoff', [], []]);
    await redial();
    r.sockets.last.opens();
    await r.settle();
    expect([r.state(), message.kind, r.sockets.last.sent]).toEqual(['open', 'resolved', ['kept']]);
    expect(r.service.connection(id)).toBe(connection);
    expect(r.of('opened')).toMatchObject([
      { isReconnect: false, generation: 1 },
      { isReconnect: true, generation: 2 },
    ]);
    expect(r.of('closed')).toMatchObject([{ code: 1006, error: { code: 'INTERNAL_FAULT' } }]);
    expect(r.bugs).toMatchObject([{ code: 'INTERNAL_FAULT', connectionId: id }]);
  });

  test('is in doubt about what its socket had when it died', async () => {
    const { r, die } = mortal();
    const { connection } = await r.open();
    r.sockets.last.holds = true;
    connection.send('handed over');
    await r.settle();
    await die();
    expect(r.of('closed')).toMatchObject([{ inDoubt: 1 }]);
  });

  test('opens for those who have waited since before', async () => {
    const { r, die, redial } = mortal();
    const opened = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    await die();
    expect([opened.kind, r.state()]).toEqual(['pending', 'backoff']);
    await redial();
    r.sockets.last.opens();
    await r.settle();
    expect(opened.kind).toBe('resolved');
  });

  test('lives by the policy of now', async () => {
    const { r, die } = mortal();
    await r.open();
    r.service.updateConfig({ services: { terminal: { retry: { maxRetries: 0 } } } });
    await die();
    expect(r.state()).toBe('failed');
  });

  test('is failed when it dies too often, which is escalated', async () => {
    const { r, die, redial } = mortal({ restarts: { most: 2, withinMs: 60_000 } });
    const opened = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    for (let time = 0; time < 3; time++) {
      await die();
      await redial();
    }
    expect([r.state(), opened.error]).toMatchObject(['failed', { code: 'INTERNAL_FAULT' }]);
    expect(r.of('gaveUp')).toMatchObject([{ connectionId: 'terminal:one', because: 'fault' }]);
    expect(r.of('escalated')).toMatchObject([
      {
        connectionId: 'terminal:one',
        serviceType: 'terminal',
        restarts: 2,
        withinMs: 60_000,
        error: { code: 'INTERNAL_FAULT' },
      },
    ]);
    await r.open();
    expect(r.state()).toBe('open');
  });

  test('is forgiven what it died of long ago', async () => {
    const { r, die, redial } = mortal({ restarts: { most: 1, withinMs: 1_000 } });
    void r.service.connect(TERMINAL);
    await r.settle();
    for (let time = 0; time < 3; time++) {
      await die();
      await r.clock.advanceAsync(1_000);
      await redial();
    }
    expect([r.state(), r.of('escalated')]).toEqual(['connecting', []]);
  });

  test('is closed when it dies of its close', async () => {
    const { r, die } = mortal();
    const { id } = await r.open();
    r.sockets.last.bufferedAmount = 1;
    const closing = fateOf(r.service.disconnect(id));
    await r.settle();
    expect(r.state()).toBe('closing');
    await die();
    await r.clock.advanceAsync(10_000);
    expect([r.state(), closing.kind, r.sockets.live]).toEqual(['closed', 'resolved', []]);
    expect(r.of('closed')).toMatchObject([{ connectionId: id, error: null }]);
  });

  test('leaves nothing that watches the link of the next', async () => {
    const heartbeat = { intervalMs: 1_000, timeoutMs: 500, ping: (): string => 'ping' };
    const { r, die, redial } = mortal({ terminal: { heartbeat } });
    await r.open();
    await die();
    await redial();
    r.sockets.last.opens();
    await r.settle();
    await r.clock.advanceAsync(1_001);
    expect(r.sockets.last.sent).toEqual(['ping']);
  });

  test('leaves a service that can be destroyed, with nothing left', async () => {
    const { r, die } = mortal();
    await r.open();
    await die();
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });

  test('waits before it dials again, as after any loss, and for as long as the peer asked for', async () => {
    const { r, poison } = mortal({ terminal: { decide: () => ({ strategy: 'wait', retryAfterMs: 20_000 }) } });
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    poison();
    // in a page that is back another wait is drawn
    r.signals.send('page.frozen');
    r.signals.send('page.visible');
    await r.clock.advanceAsync(19_000);
    expect([r.state(), r.sockets.all.length, r.bugs.length]).toEqual(['backoff', 1, 1]);
  });

  test('is not tried again where nothing is', async () => {
    const { r, die } = mortal({ enableAutoRecovery: false });
    const opened = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    await die();
    await r.clock.advanceAsync(60_000);
    expect([r.state(), opened.kind, r.sockets.all.length]).toEqual(['failed', 'rejected', 1]);
    expect(opened.error).toMatchObject({ code: 'INTERNAL_FAULT', category: 'fault' });
  });

  test('tells of its loss as of any other: first where it stands, then that its socket is gone', async () => {
    const { r, die } = mortal();
    await r.open();
    const seen: unknown[] = [];
    r.service.on('status', ({ current }) => seen.push(current));
    r.service.on('closed', () => seen.push('closed', r.state()));
    r.service.on('retrying', ({ attempt }) => seen.push(attempt));
    await die();
    expect(seen).toEqual(['backoff', 'closed', 'backoff', 1]);
  });

  test('closes when a listener that hears of the loss closes it', async () => {
    const { r, die } = mortal();
    const { id } = await r.open();
    let closing: Fate<void> | undefined;
    r.service.on('closed', () => {
      closing ??= fateOf(r.service.disconnect(id));
    });
    await die();
    await r.clock.advanceAsync(10_000);
    expect([r.state(), closing?.kind]).toEqual(['closed', 'resolved']);
  });

  test('opens when whoever hears of the bug connects it, and loses no count', async () => {
    let connect = (): void => undefined;
    const { r, die } = mortal({
      onError: () => {
        connect();
      },
    });
    connect = () => void r.service.connect(TERMINAL);
    await r.open();
    await die();
    r.sockets.last.opens();
    await r.settle();
    expect(r.of('closed')).toHaveLength(1);
    expect(r.of('opened').map(({ isReconnect, generation }) => [isReconnect, generation])).toEqual([
      [false, 1],
      [true, 2],
    ]);
  });

  test('opens when whoever hears of the bug connects it, also where it was not replaced', async () => {
    let connect = (): void => undefined;
    const { r, die } = mortal({
      restarts: { most: 0 },
      onError: () => {
        connect();
      },
    });
    const fates: Fate<string>[] = [];
    connect = () => fates.push(fateOf(r.service.connect(TERMINAL)));
    const { id } = await r.open();
    await die();
    r.sockets.last.opens();
    await r.settle();
    expect([r.state(), fates.map(({ kind }) => kind), r.sockets.live.length]).toEqual(['open', ['resolved'], 1]);
    const closing = fateOf(r.service.disconnect(id));
    await r.clock.advanceAsync(10_000);
    expect([r.state(), closing.kind, r.sockets.live]).toEqual(['closed', 'resolved', []]);
  });

  test('that is not replaced can be closed as any that failed', async () => {
    const { r, die } = mortal({ restarts: { most: 0 } });
    const { id } = await r.open();
    await die();
    expect(r.state()).toBe('failed');
    await r.service.disconnect(id);
    expect(r.state()).toBe('closed');
  });
});

describe('what a connection was doing when its actor died', () => {
  test('is held back still, where the application holds it back', async () => {
    const { r, die, redial } = mortal();
    const { connection } = await r.open();
    connection.pause();
    connection.send('held');
    await die();
    await redial();
    r.sockets.last.opens();
    await r.settle();
    expect([r.status().detail, r.sockets.last.sent]).toEqual(['paused', []]);
    connection.resume();
    await r.settle();
    expect(r.sockets.last.sent).toEqual(['held']);
  });

  test('can be held back afterwards', async () => {
    const { r, die, redial } = mortal();
    const { connection } = await r.open();
    await die();
    connection.pause();
    await redial();
    r.sockets.last.opens();
    connection.send('held');
    await r.settle();
    expect([r.status().detail, r.sockets.last.sent]).toEqual(['paused', []]);
  });

  test('is congested no longer, which is told', async () => {
    const { r, die } = mortal({ terminal: { queue: { highWaterBytes: 10, lowWaterBytes: 1 } } });
    const { connection } = await r.open();
    r.sockets.last.holds = true;
    connection.send('0123456789012345');
    await r.settle();
    expect(r.of('flow').map(({ isCongested }) => isCongested)).toEqual([true]);
    await die();
    expect(r.of('flow').map(({ isCongested }) => isCongested)).toEqual([true, false]);
  });

  test('is abandoned: a greeting that is made too late is not sent on the next socket', async () => {
    const greetings = [deferred<string[]>(), deferred<string[]>()];
    let asked = 0;
    const onOpen = (): Promise<string[]> => greetings[asked++]?.promise ?? Promise.resolve([]);
    const { r, die, redial } = mortal({ terminal: { profile: { codec: 'text', onOpen } } });
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.opens();
    await r.settle();
    await die();
    await redial();
    r.sockets.last.opens();
    await r.settle();
    greetings[0]?.resolve(['stale']);
    await r.settle();
    expect([r.status().detail, r.sockets.last.sent]).toEqual(['greeting', []]);
    greetings[1]?.resolve(['fresh']);
    await r.settle();
    expect([r.state(), r.sockets.last.sent]).toEqual(['open', ['fresh']]);
  });

  test('is abandoned: of two sockets of a session that moves none is left', async () => {
    const { r, poison } = mortal({}, (options) => new WireRig(options));
    const { id, server } = await r.join({ ping: { iv: 600_000, to: 10_000 } });
    server.says({ t: 'away', in: 30_000, spread: 10_000 });
    await r.clock.advanceAsync(10_000);
    expect([r.status().detail, r.sockets.live.length]).toEqual(['moving', 2]);
    poison();
    await r.drops(server.socket);
    expect([r.state(), r.sockets.live]).toEqual(['backoff', []]);
    await r.service.disconnect(id);
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });

  test('is abandoned: a provider is told that nobody waits for it', async () => {
    const signals: AbortSignal[] = [];
    const url = ({ signal }: { signal: AbortSignal }): Promise<string> => {
      signals.push(signal);
      return new Promise(() => undefined);
    };
    const { r, poison } = mortal({ terminal: { url, urlTimeoutMs: 500 } });
    void r.service.connect(TERMINAL);
    await r.settle();
    poison();
    await r.clock.advanceAsync(500);
    expect([r.bugs.length, signals.map(({ aborted }) => aborted)]).toEqual([1, [true]]);
  });
});

describe('a service whose own actors die', () => {
  test.each(['group:1', 'supervisor'])(
    'is over when %s does: nothing dials any more, and everything settles',
    async (id) => {
      const { r, kill } = mortal();
      await r.open();
      r.sockets.last.ends(1006);
      await r.settle();
      const waiting = fateOf(r.service.connection('terminal:one').connect());
      await kill(id);
      await r.clock.advanceAsync(120_000);
      expect([r.state(), waiting.kind, r.bugs.length]).toEqual(['failed', 'rejected', 1]);
      const dialled = r.sockets.all.length;
      const again = fateOf(r.service.connect(TERMINAL));
      await r.clock.advanceAsync(120_000);
      expect([again.kind, r.sockets.all.length, r.sockets.live]).toEqual(['rejected', dialled, []]);
      expect(again.error).toMatchObject({ code: 'SERVICE_DESTROYED' });
      await r.destroy();
      expect(r.leftovers()).toEqual(NOTHING_LEFT);
    },
  );
});
