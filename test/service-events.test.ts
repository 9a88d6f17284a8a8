import { describe, expect, test, vi } from 'vitest';

import type { ServiceEvents } from '../src/events.ts';
import { WireRig } from './support/server-script.ts';
import { fateOf, rig, TERMINAL } from './support/service.ts';

const SOURCE = { connectionId: 'terminal:one', serviceType: 'terminal' };

describe('the events of a service', () => {
  test('tell a whole life in order, each thing once (pain 58)', async () => {
    const r = rig({ terminal: { retry: { maxRetries: 1 } } });
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    await r.passBackoff();
    r.sockets.last.ends(1006);
    await r.settle();
    const told = r.events.map(({ type, event }) => (type === 'status' ? `${event.previous} → ${event.current}` : type));
    expect(told).toEqual([
      'idle → connecting',
      'connecting → open',
      'opened',
      'open → backoff',
      'health',
      'closed',
      'error',
      'retrying',
      'backoff → connecting',
      'connecting → failed',
      'error',
      'gaveUp',
    ]);
  });

  test('opened tells whether it was open before, which socket it is and how many retries it took', async () => {
    const r = rig();
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    await r.passBackoff();
    r.sockets.last.ends(1006);
    await r.settle();
    await r.reopen();
    expect(r.of('opened')).toEqual([
      { ...SOURCE, isReconnect: false, generation: 1, attempt: 0, wire: 'plain', isResumed: false },
      { ...SOURCE, isReconnect: true, generation: 3, attempt: 2, wire: 'plain', isResumed: false },
    ]);
  });

  test('closed tells the code, the reason and who ended it; what went wrong comes with it', async () => {
    const r = rig();
    await r.open();
    r.sockets.last.ends(1012, 'deploy\r\nfake log line', true);
    await r.settle();
    const [closed] = r.of('closed');
    expect(closed).toMatchObject({
      ...SOURCE,
      code: 1012,
      reason: 'deploy  fake log line',
      wasClean: true,
      initiator: 'peer',
    });
    expect(closed?.error).toBe(r.of('error')[0]);
  });

  test.each([
    { ends: 1006, initiator: 'network', code: 'CONNECTION_LOST' },
    { ends: 1015, initiator: 'network', code: 'CONNECTION_LOST' },
    { ends: 1005, initiator: 'peer', code: 'CLOSED_BY_PEER' },
    { ends: 1000, initiator: 'peer', code: 'CLOSED_BY_PEER' },
  ])('an end with $ends was started by the $initiator', async ({ ends, initiator, code }) => {
    const r = rig();
    await r.open();
    r.sockets.last.ends(ends);
    await r.settle();
    expect(r.of('closed')).toMatchObject([{ code: ends, initiator, error: { code, closeCode: ends, initiator } }]);
  });

  test('retrying tells when, which retry of how many, and what for', async () => {
    const r = rig({ terminal: { retry: { maxRetries: 5, baseMs: 100, capMs: 100 } } });
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    const [retrying] = r.of('retrying');
    expect(retrying).toEqual({
      ...SOURCE,
      delayMs: 100,
      attempt: 1,
      maxRetries: 5,
      waitingFor: 'delay',
      error: r.of('error')[0],
    });
    expect(r.status()).toMatchObject({ retryAt: r.clock.now() + 100, attempt: 1 });
    await r.clock.advanceAsync(99);
    expect(r.sockets.constructions).toBe(1);
    await r.clock.advanceAsync(1);
    expect(r.sockets.constructions).toBe(2);
  });

  test('retrying says Infinity where there is no limit', async () => {
    const r = rig();
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.of('retrying')).toMatchObject([{ maxRetries: Infinity }]);
  });

  test('retrying says that it waits for the network, and the network’s return cuts the wait short', async () => {
    const r = rig();
    await r.open();
    r.signals.send('network.offline');
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.of('retrying')).toMatchObject([{ waitingFor: 'network', attempt: 1 }]);
    r.signals.send('network.online');
    await r.settle();
    expect(r.of('retrying')[1]).toMatchObject({ waitingFor: 'delay', attempt: 1 });
    expect(r.of('retrying')[1]?.delayMs).toBeLessThanOrEqual(200);
    await r.clock.advanceAsync(200);
    expect(r.sockets.constructions).toBe(2);
  });

  test('retrying says that it waits for somebody to look at the page', async () => {
    const r = rig();
    await r.open();
    r.signals.send('page.hidden');
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.of('retrying')).toMatchObject([{ waitingFor: 'visibility' }]);
    r.signals.send('page.visible');
    await r.clock.advanceAsync(200);
    expect(r.sockets.constructions).toBe(2);
  });

  test.each([
    { because: 'terminal', codes: [1008], error: { code: 'HANDSHAKE_FAILED', category: 'permission_denied' } },
    { because: 'exhausted', codes: [1006, 1006], error: { code: 'RETRIES_EXHAUSTED', severity: 'fatal' } },
  ])('gaveUp says that the cause is $because (original fault 26) (pain 58)', async ({ because, codes, error }) => {
    const r = rig({ terminal: { retry: { maxRetries: 1 } } });
    void r.service.connect(TERMINAL);
    await r.settle();
    for (const code of codes) {
      r.sockets.last.ends(code);
      await r.settle();
      if (r.state() === 'backoff') await r.passBackoff();
    }
    expect(r.of('gaveUp')).toMatchObject([{ ...SOURCE, because, error }]);
  });

  test('gaveUp says that the credentials are the cause', async () => {
    const credentials = { get: () => Promise.reject(new Error('401')), maxRetries: 0 };
    const r = rig({ terminal: { credentials } });
    void r.service.connect(TERMINAL);
    await r.settle();
    expect(r.of('gaveUp')).toMatchObject([{ because: 'credentials', error: { code: 'CREDENTIALS_FAILED' } }]);
  });

  test('error comes once for each failure, although the socket reports an error and a close (pain 23)', async () => {
    const r = rig();
    await r.open();
    r.sockets.last.errs('read ECONNRESET');
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.of('error')).toHaveLength(1);
    expect(r.of('retrying')).toHaveLength(1);
    await r.clock.advanceAsync(r.of('retrying')[0]?.delayMs ?? 0);
    expect(r.sockets.live).toHaveLength(1);
  });

  test('message comes with its connection, as the frame came (pain 48)', async () => {
    const r = rig();
    const { socket } = await r.open();
    const bytes = new ArrayBuffer(2);
    socket.says('{"not":"parsed"}');
    socket.says(bytes);
    await r.settle();
    expect(r.of('message')).toEqual([
      { ...SOURCE, data: '{"not":"parsed"}' },
      { ...SOURCE, data: bytes },
    ]);
    expect(r.of('message')[1]?.data).toBe(bytes);
  });

  test('are plain objects, and no class of the platform is needed (original fault 35) (pain 48)', async () => {
    for (const name of ['CloseEvent', 'MessageEvent', 'ErrorEvent']) vi.stubGlobal(name, undefined);
    const r = rig();
    const { id, socket } = await r.open();
    socket.says('hi');
    socket.ends(1006);
    await r.settle();
    await r.service.disconnect(id);
    const plain = r.events
      .filter(({ type }) => type !== 'error')
      .map(({ event }) => Object.getPrototypeOf(event) as unknown);
    vi.unstubAllGlobals();
    expect(new Set(plain)).toEqual(new Set([Object.prototype]));
  });
});

describe('listening', () => {
  test('is for events that are told some time or other: each of them is, in a life that has everything (original fault 32)', async () => {
    const types: Record<keyof ServiceEvents, null> = {
      opened: null,
      discontinuity: null,
      closed: null,
      retrying: null,
      gaveUp: null,
      escalated: null,
      status: null,
      flow: null,
      overflowed: null,
      undelivered: null,
      settled: null,
      message: null,
      health: null,
      roundTrip: null,
      error: null,
    };
    const actors: { id: string; send(event: object): void }[] = [];
    const r = new WireRig({
      restarts: { most: 0, withinMs: 1_000 },
      inspect: ({ actorRef }: { actorRef: unknown }) => actors.push(actorRef as (typeof actors)[number]),
      terminal: { queue: { maxMessages: 1, highWaterBytes: 8, lowWaterBytes: 0 } },
    });
    r.service.on('settled', (event) => r.events.push({ type: 'settled', event }));
    const { connection, server } = await r.join();
    server.sends(1, 'hello');
    r.signals.send('system.woke');
    server.says({ t: 'pong', i: 1, ts: 0, now: 0 });
    r.sockets.last.holds = true;
    for (const text of ['more than 8 bytes', 'waits', 'is refused']) {
      connection.send(text);
      await r.settle();
    }
    await r.drops();
    (await r.redial()).welcome({ sid: 's2', why: 'unknown' });
    await r.settle();
    // a policy without a backoff kills the actor at the next loss
    const actor = actors.find(({ id }) => id === 'connection:terminal:one');
    actor?.send({ type: 'policy.changed', policy: { maxRetries: null } });
    await r.drops();
    expect(new Set(r.events.map(({ type }) => type))).toEqual(new Set(Object.keys(types)));
  });

  test('ends with what on() returned, for that listener only, and doing so twice does no harm', async () => {
    const r = rig();
    const heard: string[] = [];
    const note = (name: string) => (): void => void heard.push(name);
    const end = r.service.on('opened', note('one'));
    r.service.on('opened', note('other'));
    end();
    end();
    await r.open();
    expect(heard).toEqual(['other']);
  });
});

describe('what went wrong', () => {
  test.each([
    { code: 1006, error: { code: 'CONNECTION_LOST', category: 'network_error', retryable: true } },
    { code: 1008, error: { code: 'CLOSED_BY_PEER', category: 'permission_denied', retryable: false } },
    { code: 1013, error: { code: 'CLOSED_BY_PEER', category: 'rate_limited', retryable: true } },
    { code: 4401, error: { code: 'CLOSED_BY_PEER', category: 'authentication_failed', retryable: false } },
    { code: 4404, error: { code: 'CLOSED_BY_PEER', category: 'resource_not_found', retryable: false } },
    { code: 1002, error: { code: 'CLOSED_BY_PEER', category: 'protocol_error', retryable: false } },
  ])('is told apart by category: $code (original fault 33)', async ({ code, error }) => {
    const r = rig();
    await r.open();
    r.sockets.last.ends(code, 'why');
    await r.settle();
    expect(r.of('error')).toMatchObject([
      { ...error, ...SOURCE, closeCode: code, closeReason: 'why', generation: 1, attempt: 0 },
    ]);
    expect(r.status().lastError).toBe(r.of('error')[0]);
  });

  test('a handshake that nobody answers is a timeout (original fault 33)', async () => {
    const r = rig({ terminal: { connectTimeoutMs: 3_000 } });
    void r.service.connect(TERMINAL);
    await r.clock.advanceAsync(3_000);
    expect(r.of('error')).toMatchObject([{ code: 'CONNECT_TIMEOUT', category: 'timeout', retryable: true }]);
  });

  test('what the platform said of it is in the message', async () => {
    const r = rig();
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.errs('Unexpected server response: 503');
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.of('error')[0]?.message).toContain('Unexpected server response: 503');
  });

  test('a retry that fails says how many were made before it', async () => {
    const r = rig();
    void r.service.connect(TERMINAL);
    await r.settle();
    for (const attempt of [0, 1, 2]) {
      r.sockets.last.ends(1006);
      await r.settle();
      expect(r.of('error').at(-1)).toMatchObject({ attempt, generation: attempt + 1 });
      await r.passBackoff();
    }
  });

  test('says that a retry follows only where one does', async () => {
    const r = rig({ enableAutoRecovery: false });
    await r.open();
    r.sockets.last.ends(1006);
    await r.settle();
    expect([r.state(), r.of('error')[0]?.retryable]).toEqual(['failed', false]);
  });

  test('the status that a listener finds in backoff says when the retry is due', async () => {
    const r = rig();
    await r.open();
    const due: (number | null)[] = [];
    r.service.on('status', ({ connectionId, current }) => {
      if (current === 'backoff') due.push(r.service.getConnectionStatus(connectionId)?.retryAt ?? null);
    });
    r.sockets.last.ends(1006);
    await r.settle();
    expect(due).toEqual([r.status().retryAt]);
    expect(due[0]).toBeGreaterThan(r.clock.now());
  });

  test('one error tells of giving up, to those who wait and to those who listen', async () => {
    const r = rig({ terminal: { retry: { maxRetries: 1 } } });
    const fate = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    r.sockets.last.ends(1006);
    await r.passBackoff();
    r.sockets.last.ends(1006);
    await r.settle();
    expect(fate.error).toMatchObject({ code: 'RETRIES_EXHAUSTED', cause: { code: 'HANDSHAKE_FAILED' } });
    expect(r.of('gaveUp')[0]?.error).toBe(fate.error);
  });
});
