import { describe, expect, test } from 'vitest';

import { MEMBER, PoolRig, SLOW } from './support/pool.ts';
import { LIMITS } from './support/server-script.ts';
import { fateOf } from './support/service.ts';

const narrow = (m: number, b = 1_048_576): { lim: typeof LIMITS } => ({ lim: { ...LIMITS, win: { m, b } } });
const payloadsOf = (said: readonly [number, string, unknown][], service: string): unknown[] =>
  said.filter(([, of]) => of === service).map(([, , payload]) => payload);

describe('a session that goes on after a drop', () => {
  test('opens its channels before anything is sent again, and keeps order and positions', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    for (const n of [1, 2]) for (const id of ['chat', 'log']) r.connection(id).send(`${id}${n}`);
    await r.settle();
    server.acks(1);
    await r.settle();
    await r.drops();
    r.connection('log').send('log3');
    const second = await r.resumes({ rx: 2 });
    const kinds = second.frames.map(({ t }) => t);
    expect(kinds.slice(0, 4)).toEqual(['hello', 'open', 'open', 'm']);
    expect(new Set(second.of('open').map(({ n }) => n))).toEqual(new Set(['chat', 'log']));
    expect(second.said.map(([position]) => position)).toEqual([3, 4, 5]);
    expect([...payloadsOf(server.said, 'log'), ...payloadsOf(second.said, 'log')]).toEqual([
      'log1',
      'log2',
      'log1',
      'log2',
      'log3',
    ]);
    second.acks(5);
    await r.settle();
    expect([r.status('chat').messages, r.status('log').messages, r.imbalances]).toMatchObject([
      { acknowledged: 2, unknown: 0 },
      { acknowledged: 3, unknown: 0 },
      [],
    ]);
    expect([r.of('discontinuity'), r.of('opened').filter(({ isResumed }) => isResumed).length]).toEqual([[], 3]);
  });

  test('delivers what came, also to a member that is not back yet', async () => {
    const r = new PoolRig({ services: { late: { ...MEMBER, retry: SLOW } } });
    const server = await r.joins('chat', 'late');
    const name = server.nameOf('late');
    await r.drops();
    const second = await r.resumes({ top: 1 });
    expect(r.states('chat', 'late')).toEqual(['open', 'backoff']);
    second.says({ t: 'm', s: 1, b: [{ d: 'news', c: name }] });
    await r.settle();
    expect(r.of('message')).toMatchObject([{ connectionId: 'late', data: 'news' }]);
    await r.clock.advanceAsync(12_000);
    expect([r.state('late'), second.of('open').length]).toEqual(['open', 2]);
  });

  test('takes members along that came while there was no socket', async () => {
    const r = new PoolRig();
    await r.joins('chat');
    await r.drops();
    void r.service.connect({ serviceType: 'log' });
    await r.settle();
    const second = await r.resumes();
    expect([r.states('chat', 'log'), second.of('open').map(({ n }) => n)]).toEqual([
      ['open', 'open'],
      ['chat', 'log'],
    ]);
  });
});

describe('a member that is asked to connect', () => {
  const waiting = async (): Promise<PoolRig> => {
    const slow = { ...MEMBER, retry: SLOW };
    const r = new PoolRig({ services: { chat: slow, log: slow } });
    await r.joins('chat', 'log');
    r.sockets.last.ends(1006);
    await r.settle();
    expect(r.states('chat', 'log', 'pool:p')).toEqual(['backoff', 'backoff', 'backoff']);
    return r;
  };

  test('does not wait for the socket of its pool any longer, as it would not for its own', async () => {
    const r = await waiting();
    const opened = fateOf(r.service.connect({ serviceType: 'chat' }));
    await r.settle();
    await r.resumes();
    expect([opened.kind, r.states('chat', 'log', 'pool:p')]).toEqual(['resolved', ['open', 'backoff', 'open']]);
  });

  test('ends a wait of the socket that began when it was waiting already', async () => {
    const r = await waiting();
    void r.service.connect({ serviceType: 'chat' });
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    expect([r.states('chat', 'pool:p'), r.sockets.all.length]).toEqual([['connecting', 'backoff'], 2]);
    void r.connection('chat').connect();
    await r.settle();
    expect([r.states('chat', 'pool:p'), r.sockets.all.length]).toEqual([['connecting', 'connecting'], 3]);
  });

  test('by who hears of the loss does not wait either', async () => {
    const slow = { ...MEMBER, retry: SLOW };
    const r = new PoolRig({ services: { chat: slow } });
    await r.joins('chat');
    r.service.on('closed', ({ connectionId }) => {
      if (connectionId === 'chat') void r.connection('chat').connect();
    });
    r.sockets.last.ends(1006);
    await r.settle();
    await r.resumes();
    expect(r.states('chat', 'pool:p')).toEqual(['open', 'open']);
  });

  test('is what ends the wait: one that tries again by itself does not', async () => {
    const slow = { ...MEMBER, retry: SLOW };
    // the first of a pool says how its socket is kept
    const r = new PoolRig({ services: { chat: slow } });
    await r.joins('chat', 'log');
    r.sockets.last.ends(1006);
    await r.clock.advanceAsync(1_000);
    expect([r.states('chat', 'log', 'pool:p'), r.sockets.all.length]).toEqual([
      ['backoff', 'connecting', 'backoff'],
      1,
    ]);
  });
});

describe('a session that was lost', () => {
  test('is told to each member once, with what it has in doubt, before anything new', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    const receipts = ['a', 'b'].map((text) => fateOf(r.connection('chat').send(text).settled));
    const keyed = r.connection('log').send('keyed', { idempotencyKey: 'k' });
    await r.settle();
    expect(server.said).toHaveLength(3);
    await r.drops();
    void r.service.connect({ serviceType: 'log', terminalId: 'new' });
    await r.settle();
    const second = await r.welcomes({ sid: 's2', why: 'expired' });
    second.tells(1, 'chat', 'new');
    await r.settle();
    expect(r.of('discontinuity').map(({ connectionId, why, inDoubt }) => [connectionId, why, inDoubt])).toEqual([
      ['pool:p', 'expired', 2],
      ['chat', 'expired', 2],
      ['log', 'expired', 0],
    ]);
    const order = r.events.map(({ type, event }) => `${type} ${'connectionId' in event ? event.connectionId : ''}`);
    expect(order.indexOf('discontinuity chat')).toBeLessThan(order.indexOf('message chat'));
    expect(receipts.map(({ error }) => error)).toMatchObject([
      { code: 'OUTCOME_UNKNOWN' },
      { code: 'OUTCOME_UNKNOWN' },
    ]);
    expect([keyed.fate, payloadsOf(second.said, 'log'), r.imbalances]).toEqual(['handed', ['keyed'], []]);
    second.acks(1);
    await r.settle();
    expect([keyed.fate, r.imbalances]).toEqual(['acknowledged', []]);
  });

  test('and another, before a member was back: nothing that is in doubt is forgotten', async () => {
    const r = new PoolRig({ services: { late: { ...MEMBER, retry: SLOW } } });
    await r.joins('chat', 'late');
    r.connection('late').send('x');
    await r.settle();
    await r.drops();
    await r.welcomes({ sid: 's2', why: 'expired' });
    await r.drops();
    await r.welcomes({ sid: 's3', why: 'expired' });
    await r.clock.advanceAsync(12_000);
    const told = r.of('discontinuity').filter(({ connectionId }) => connectionId === 'late');
    expect(told).toMatchObject([{ inDoubt: 1 }]);
  });

  test('takes requests along', async () => {
    const r = new PoolRig();
    await r.joins('chat', 'log');
    const asked = fateOf(r.connection('chat').request('?'));
    await r.settle();
    await r.drops();
    expect(asked.kind).toBe('pending');
    await r.welcomes({ sid: 's2', why: 'expired' });
    expect(asked.error).toMatchObject({ outcome: 'unknown' });
  });
});

describe('a channel that is held back', () => {
  test('waits by itself, without anybody looking again and again', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    server.holds('chat');
    await r.settle();
    const timers = r.clock.pending();
    const held = r.connection('chat').send('held');
    const free = r.connection('log').send('free');
    await r.settle();
    server.acks(1);
    await r.settle();
    expect([held.fate, free.fate, payloadsOf(server.said, 'chat')]).toEqual(['waiting', 'acknowledged', []]);
    // what waits for the peer's answer is looked at once more, and then no longer
    await r.clock.advanceAsync(2_000);
    expect(r.clock.pending()).toBe(timers);
    server.holds('chat', false);
    await r.settle();
    expect([payloadsOf(server.said, 'chat'), r.imbalances]).toEqual([['held'], []]);
  });

  test('asks with one message on a new socket whether it still is', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    server.holds('chat');
    for (const n of [1, 2, 3]) r.connection('chat').send(n);
    await r.settle();
    await r.drops();
    const second = await r.resumes();
    expect(payloadsOf(second.said, 'chat')).toEqual([1]);
    second.holds('chat');
    second.acks(1);
    await r.settle();
    expect(payloadsOf(second.said, 'chat')).toEqual([1]);
    await r.drops();
    const third = await r.resumes({ rx: 1 });
    expect(payloadsOf(third.said, 'chat')).toEqual([2]);
    third.acks(2);
    await r.settle();
    expect(payloadsOf(third.said, 'chat')).toEqual([2, 3]);
  });
});

describe('the window of a session', () => {
  test('is no one channel’s alone, by messages', async () => {
    const r = new PoolRig();
    void r.service.connect({ serviceType: 'chat' });
    void r.service.connect({ serviceType: 'log' });
    await r.settle();
    const server = await r.welcomes(narrow(8));
    for (let n = 1; n <= 20; n++) r.connection('chat').send(n);
    await r.settle();
    expect(server.said).toHaveLength(4);
    r.connection('log').send('log');
    await r.settle();
    expect(payloadsOf(server.said, 'log')).toEqual(['log']);
    for (let acked = 1; acked <= 21; acked++) {
      server.acks(Math.min(acked, server.said.length));
      await r.clock.advanceAsync(1);
    }
    expect([payloadsOf(server.said, 'chat').length, r.status('chat').messages.acknowledged]).toEqual([20, 20]);
  });

  test('is no one channel’s alone, by bytes', async () => {
    const r = new PoolRig();
    void r.service.connect({ serviceType: 'chat' });
    void r.service.connect({ serviceType: 'log' });
    await r.settle();
    const server = await r.welcomes(narrow(256, 4_000));
    for (let n = 1; n <= 20; n++) r.connection('chat').send('x'.repeat(500));
    await r.settle();
    expect(server.said).toHaveLength(4);
    r.connection('log').send('log');
    await r.settle();
    expect(payloadsOf(server.said, 'log')).toEqual(['log']);
  });

  test('goes to whoever has waited longest', async () => {
    const r = new PoolRig({ services: { third: MEMBER } });
    for (const serviceType of ['chat', 'log', 'third']) void r.service.connect({ serviceType });
    await r.settle();
    const server = await r.welcomes(narrow(4));
    for (let n = 1; n <= 20; n++) for (const id of ['chat', 'log']) r.connection(id).send(n);
    await r.settle();
    expect(server.said).toHaveLength(4);
    r.connection('third').send('third');
    await r.settle();
    for (let acked = 1; acked <= 6; acked++) {
      server.acks(acked);
      await r.clock.advanceAsync(1);
    }
    expect(payloadsOf(server.said, 'third')).toEqual(['third']);
  });
});

describe('a server that asks to be left', () => {
  test('is left by all members at once, and they go on, those that waited for room too', async () => {
    const r = new PoolRig();
    void r.service.connect({ serviceType: 'chat' });
    void r.service.connect({ serviceType: 'log' });
    await r.settle();
    const first = await r.welcomes(narrow(4));
    for (let n = 1; n <= 6; n++) r.connection('chat').send(n);
    r.connection('log').send('l');
    await r.settle();
    first.says({ t: 'away', in: 10_000, spread: 1 });
    await r.clock.advanceAsync(10);
    const second = await r.greets();
    first.acks(1);
    r.connection('log').send('while it moves');
    await r.settle();
    second.welcome({ gen: 2, tok: 'k2', resumed: true, rx: 3, ...narrow(4) });
    await r.settle();
    expect(second.frames.map(({ t }) => t).slice(0, 3)).toEqual(['hello', 'open', 'open']);
    for (let acked = 4; acked <= 8; acked++) {
      second.acks(Math.min(acked, Math.max(...second.said.map(([position]) => position), 3)));
      await r.settle();
    }
    expect([r.status('chat').messages, r.status('log').messages, r.imbalances]).toMatchObject([
      { acknowledged: 6 },
      { acknowledged: 2 },
      [],
    ]);
    expect([r.states('chat', 'log', 'pool:p'), r.of('closed'), r.of('discontinuity')]).toEqual([
      ['open', 'open', 'open'],
      [],
      [],
    ]);
  });

  test('for one that knows nothing of the session: all begin anew, and are told', async () => {
    const r = new PoolRig();
    const first = await r.joins('chat', 'log');
    r.connection('chat').send('x');
    await r.settle();
    first.says({ t: 'away', in: 10_000, spread: 1 });
    await r.clock.advanceAsync(10);
    const second = await r.greets();
    second.welcome({ sid: 's2', why: 'unknown' });
    await r.clock.advanceAsync(2_000);
    expect(r.states('chat', 'log', 'pool:p')).toEqual(['open', 'open', 'open']);
    expect(r.of('discontinuity').map(({ connectionId, inDoubt }) => [connectionId, inDoubt])).toEqual(
      expect.arrayContaining([
        ['chat', 1],
        ['log', 0],
      ]),
    );
    expect([r.of('discontinuity').length, second.of('open').length, r.imbalances]).toEqual([3, 2, []]);
  });
});
