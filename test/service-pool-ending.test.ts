import { describe, expect, test } from 'vitest';

import { MEMBER, PoolRig, SLOW } from './support/pool.ts';
import { LIMITS } from './support/server-script.ts';
import { deferred, fateOf, NOTHING_LEFT } from './support/service.ts';

describe('the end of the connection that carries a pool', () => {
  test('is the end of its members, for the same reason', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    const receipt = fateOf(r.connection('chat').send('x').settled);
    await r.settle();
    server.socket.ends(4003, 'no');
    await r.settle();
    expect(r.states('chat', 'log', 'pool:p')).toEqual(['failed', 'failed', 'failed']);
    const reasons = ['chat', 'log', 'pool:p'].map((id) => r.status(id).lastError);
    expect(new Set(reasons.map((error) => error?.code)).size).toBe(1);
    expect(reasons[0]?.message).toContain('4003');
    expect([receipt.error, r.imbalances]).toMatchObject([{ code: 'OUTCOME_UNKNOWN' }, []]);
    await r.clock.advanceAsync(5_000);
    expect([r.sockets.live.length, r.state('pool:p')]).toEqual([0, 'failed']);
    await r.joins('chat');
    expect(r.states('chat', 'log', 'pool:p')).toEqual(['open', 'failed', 'open']);
  });

  test.each([
    ['its attempts took too long', 'CONNECT_TIMEOUT', () => Promise.resolve()],
    [
      'nobody spoke its wire',
      'WIRE_UNAVAILABLE',
      async (r: PoolRig) => {
        r.sockets.last.opens();
        await r.settle();
        r.sockets.last.says('hello there');
      },
    ],
  ])('is told as it was: %s', async (_, code, act) => {
    const r = new PoolRig({ services: { chat: { ...MEMBER, retry: { maxRetries: 0 } } } });
    const opened = fateOf(r.service.connect({ serviceType: 'chat' }));
    await r.settle();
    await act(r);
    await r.clock.advanceAsync(60_000);
    expect([r.states('chat', 'pool:p'), r.status('chat').lastError?.code]).toEqual([['failed', 'failed'], code]);
    expect(opened.error).toMatchObject({ code });
  });

  test('takes members with it that waited to try again, and leaves nothing undecided', async () => {
    const r = new PoolRig({ services: { late: { ...MEMBER, retry: SLOW } } });
    await r.joins('chat', 'late');
    const receipt = fateOf(r.connection('late').send('x').settled);
    await r.settle();
    await r.drops();
    r.sockets.last.opens();
    r.sockets.last.ends(4003);
    await r.settle();
    expect(r.states('chat', 'pool:p')).toEqual(['failed', 'failed']);
    expect([receipt.error, r.imbalances]).toMatchObject([{ code: 'OUTCOME_UNKNOWN' }, []]);
    const attempts = r.sockets.all.length;
    await r.clock.advanceAsync(12_000);
    expect([r.state('late'), r.sockets.all.length]).toEqual(['failed', attempts]);
    await r.joins('late');
    expect(r.states('late', 'pool:p')).toEqual(['open', 'open']);
  });

  test('by the application’s own hand closes its members first, and lets what they sent leave', async () => {
    const r = new PoolRig({ services: { late: { ...MEMBER, retry: SLOW } } });
    const server = await r.joins('chat', 'log', 'late');
    await r.drops();
    const second = await r.resumes({ rx: 0 });
    const receipts = [r.connection('chat').send('x'), r.connection('log').send('y')];
    await r.settle();
    expect(r.states('chat', 'log', 'late')).toEqual(['open', 'open', 'backoff']);
    const closed = fateOf(r.service.disconnect('pool:p', { code: 4000, reason: 'done' }));
    await r.settle();
    expect([r.states('chat', 'log', 'late', 'pool:p'), second.of('bye')]).toEqual([
      ['closing', 'closing', 'closed', 'closing'],
      [],
    ]);
    second.acks(2);
    await r.settle();
    expect(second.frames.map(({ t }) => t).slice(-3)).toEqual(['shut', 'shut', 'bye']);
    second.socket.ends(4000);
    await r.settle();
    expect([closed.kind, r.states('chat', 'log', 'late', 'pool:p')]).toEqual([
      'resolved',
      ['closed', 'closed', 'closed', 'closed'],
    ]);
    expect([receipts.map(({ fate }) => fate), r.imbalances]).toEqual([['acknowledged', 'acknowledged'], []]);
    const ends = r.of('closed').filter(({ code }) => code === 4000);
    expect(ends.map(({ connectionId, code }) => [connectionId, code])).toEqual([
      ['chat', 4000],
      ['log', 4000],
      ['pool:p', 4000],
    ]);
    await r.clock.advanceAsync(60_000);
    expect([r.sockets.all.length, r.clock.pending(), server.socket.isLive]).toEqual([2, 0, false]);
    await r.joins('chat');
    expect(r.states('chat', 'log', 'pool:p')).toEqual(['open', 'closed', 'open']);
  });

  test('by the application’s own hand takes no longer than a close may, whatever its members wait for', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    const receipt = fateOf(r.connection('chat').send('x').settled);
    await r.settle();
    void r.service.disconnect('pool:p');
    await r.clock.advanceAsync(10_000);
    expect([receipt.error, r.imbalances]).toMatchObject([{ code: 'OUTCOME_UNKNOWN' }, []]);
    expect(r.states('chat', 'log', 'pool:p')).toEqual(['closed', 'closed', 'closed']);
    expect([r.sockets.all.length, server.of('bye').length]).toEqual([1, 1]);
  });

  test('because nobody uses it does not close who is about to', async () => {
    const tokens = deferred<string>();
    const late = { ...MEMBER, credentials: () => tokens.promise };
    const r = new PoolRig({ services: { late } });
    await r.joins('chat');
    await r.service.disconnect('chat');
    void r.service.connect({ serviceType: 'late' });
    await r.clock.advanceAsync(1_000);
    expect(r.states('late', 'pool:p')).toEqual(['connecting', 'closing']);
    tokens.resolve('t');
    await r.settle();
    expect(r.states('late', 'pool:p')).toEqual(['connecting', 'connecting']);
  });
});

describe('the end of a service with a pool', () => {
  const stages: [name: string, reach: (r: PoolRig) => Promise<unknown>][] = [
    ['nothing was opened', () => Promise.resolve()],
    ['a member waits for the socket', (r) => Promise.resolve(void r.service.connect({ serviceType: 'chat' }))],
    [
      'the server has not welcomed it',
      async (r) => {
        await Promise.race([r.service.connect({ serviceType: 'chat' }), r.settle()]);
        await r.greets();
      },
    ],
    ['members are open', (r) => r.joins('chat', 'log')],
    [
      'messages are on their way, and more wait',
      async (r) => {
        await r.joins('chat', 'log');
        for (let n = 0; n < 600; n++) r.connection('chat').send(n);
        r.connection('log').send('v', { volatile: true });
        await r.settle();
      },
    ],
    [
      'a channel is held back',
      async (r) => {
        (await r.joins('chat', 'log')).holds('chat');
        r.connection('chat').send('held');
        await r.settle();
      },
    ],
    [
      'the socket is lost',
      async (r) => {
        await r.joins('chat', 'log');
        r.connection('chat').send('x');
        await r.settle();
        r.sockets.last.ends(1006);
        await r.settle();
      },
    ],
    [
      'all have tried again',
      async (r) => {
        await r.joins('chat', 'log');
        await r.drops();
      },
    ],
    [
      'it has failed',
      async (r) => {
        (await r.joins('chat', 'log')).socket.ends(4003);
        await r.settle();
      },
    ],
    [
      'the last member has left',
      async (r) => {
        await r.joins('chat');
        void r.service.disconnect('chat');
        await r.settle();
      },
    ],
    [
      'the socket says goodbye',
      async (r) => {
        await r.joins('chat');
        void r.service.disconnect('chat');
        await r.clock.advanceAsync(1_001);
      },
    ],
    [
      'the server asks to be left',
      async (r) => {
        (await r.joins('chat', 'log')).says({ t: 'away', in: 10_000, spread: 1 });
        await r.clock.advanceAsync(10);
        await r.greets();
      },
    ],
  ];
  test.each(stages)('leaves nothing when %s', async (_, reach) => {
    const r = new PoolRig();
    await reach(r);
    await r.destroy();
    expect([r.leftovers(), r.bugs]).toEqual([NOTHING_LEFT, []]);
    await r.clock.advanceAsync(10_000);
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });

  test('lets its members send what waits before the socket closes', async () => {
    const r = new PoolRig();
    void r.service.connect({ serviceType: 'chat' });
    void r.service.connect({ serviceType: 'log' });
    await r.settle();
    const server = await r.welcomes({ lim: { ...LIMITS, win: { m: 4, b: 65_536 } } });
    const receipts = Array.from({ length: 10 }, (_, n) => r.connection('chat').send(n));
    await r.settle();
    const destroyed = r.service.destroy();
    await r.settle();
    for (let turn = 0; turn < 10; turn++) {
      server.acks(server.said.length);
      await r.settle();
    }
    expect(receipts.map(({ fate }) => fate)).toEqual(Array(10).fill('acknowledged'));
    expect(server.frames.map(({ t }) => t).slice(-2)).toEqual(['shut', 'bye']);
    server.socket.ends(1000);
    await r.settle();
    await destroyed;
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });
});
