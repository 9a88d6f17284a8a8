import { describe, expect, test } from 'vitest';

import { MEMBER, PoolRig } from './support/pool.ts';
import { LIMITS } from './support/server-script.ts';
import { fateOf } from './support/service.ts';

describe('a member that is closed', () => {
  test('waits for its own acknowledgements only, says shut, and leaves the others alone', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    r.connection('log').send('l');
    r.connection('chat').send('c');
    await r.settle();
    const closed = fateOf(r.service.disconnect('log'));
    await r.settle();
    expect([closed.kind, server.of('shut')]).toEqual(['pending', []]);
    server.acks(1);
    await r.settle();
    expect([closed.kind, server.of('shut').map(({ c }) => c)]).toEqual(['resolved', [server.nameOf('log')]]);
    expect([r.states('chat', 'log', 'pool:p'), r.status('log').messages.acknowledged]).toEqual([
      ['open', 'closed', 'open'],
      1,
    ]);
    expect(r.of('closed')).toMatchObject([{ connectionId: 'log', code: 1000, initiator: 'local' }]);
    server.acks(2);
    await r.clock.advanceAsync(10_000);
    expect([r.state('pool:p'), r.imbalances]).toEqual(['open', []]);
  });

  test('comes back as another channel', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    const before = server.nameOf('log');
    await r.service.disconnect('log');
    await r.joins('log');
    expect([r.state('log'), server.nameOf('log') === before]).toEqual(['open', false]);
    server.says({ t: 'shut', c: before });
    await r.settle();
    expect(r.state('log')).toBe('open');
    r.connection('log').send('again');
    await r.settle();
    server.acks(1);
    await r.settle();
    expect(r.status('log').messages.acknowledged).toBe(1);
  });

  test('says so on every socket until the server has heard it', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    const c = server.nameOf('log');
    await r.service.disconnect('log');
    await r.drops();
    const second = await r.resumes();
    expect([second.of('shut'), second.of('open').map(({ n }) => n)]).toEqual([[{ t: 'shut', c }], ['chat']]);
    second.says({ t: 'shut', c });
    await r.drops();
    const third = await r.resumes();
    expect(third.of('shut')).toEqual([]);
  });

  test('without waiting for the server keeps its place in the session: positions are filled, and the channel is shut', async () => {
    const r = new PoolRig({ services: { chat: { ...MEMBER, profile: { codec: 'json' } } } });
    const server = await r.joins('chat', 'log');
    const c = server.nameOf('chat');
    const receipt = fateOf(r.connection('chat').send({ n: 1 }).settled);
    r.connection('log').send('l');
    await r.settle();
    r.sockets.last.ends(1006);
    await r.settle();
    await r.service.disconnect('chat');
    expect([receipt.error, r.imbalances]).toMatchObject([{ code: 'OUTCOME_UNKNOWN' }, []]);
    await r.clock.advanceAsync(2_000);
    const second = await r.resumes();
    expect(second.frames.slice(1, 3)).toEqual([
      { t: 'shut', c },
      expect.objectContaining({ t: 'open', n: 'log' }) as unknown,
    ]);
    expect(second.said).toEqual([
      [1, c, null],
      [2, 'log', 'l'],
    ]);
    // the server has heard it, and has not accepted everything
    second.says({ t: 'shut', c });
    await r.drops();
    const third = await r.resumes();
    expect([third.of('shut'), third.said.length]).toEqual([[{ t: 'shut', c }], 2]);
    third.says({ t: 'nack', s: 1, c: 'CHANNEL_CLOSED', m: '', temp: false, out: 'rejected' }, { t: 'ack', a: 2 });
    third.says({ t: 'shut', c });
    await r.settle();
    expect([r.status('log').messages, r.status('chat').messages, r.imbalances]).toMatchObject([
      { acknowledged: 1 },
      { unknown: 1, dropped: 0 },
      [],
    ]);
    await r.drops();
    const fourth = await r.resumes({ rx: 2 });
    expect([fourth.of('shut'), fourth.said]).toEqual([[], []]);
  });

  test('gives up what it has in doubt when it has waited long enough', async () => {
    const r = new PoolRig({ services: { chat: { ...MEMBER, drainTimeoutMs: 500 } } });
    const server = await r.joins('chat', 'log');
    const receipt = fateOf(r.connection('chat').send('x').settled);
    await r.settle();
    void r.service.disconnect('chat');
    await r.clock.advanceAsync(600);
    expect([r.state('chat'), receipt.error, r.imbalances]).toMatchObject(['closed', { code: 'OUTCOME_UNKNOWN' }, []]);
    server.acks(1);
    await r.settle();
    expect([r.status('chat').messages, r.states('log')]).toMatchObject([{ unknown: 1, acknowledged: 0 }, ['open']]);
  });
});

describe('a pool that nobody uses', () => {
  test('keeps its socket for a second, and ends its session then', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    await r.service.disconnect('chat');
    await r.service.disconnect('log');
    await r.clock.advanceAsync(999);
    expect(r.state('pool:p')).toBe('open');
    await r.clock.advanceAsync(1);
    expect([r.state('pool:p'), server.of('bye'), server.socket.closeCalls.length]).toEqual([
      'closing',
      [{ t: 'bye', keep: false }],
      1,
    ]);
    server.socket.ends(1000);
    await r.settle();
    expect([r.state('pool:p'), r.clock.pending()]).toEqual(['closed', 0]);
  });

  test('keeps it for whoever comes back within that second', async () => {
    const r = new PoolRig();
    await r.joins('chat');
    await r.service.disconnect('chat');
    await r.clock.advanceAsync(900);
    await r.joins('log');
    await r.clock.advanceAsync(900);
    await r.service.disconnect('log');
    await r.clock.advanceAsync(900);
    expect([r.sockets.all.length, r.state('pool:p')]).toEqual([1, 'open']);
    await r.clock.advanceAsync(100);
    expect(r.state('pool:p')).toBe('closing');
  });

  test('gets another socket for whoever comes while the last one says goodbye', async () => {
    const r = new PoolRig();
    const first = await r.joins('chat');
    await r.service.disconnect('chat');
    await r.clock.advanceAsync(1_000);
    void r.service.connect({ serviceType: 'chat' });
    const receipt = r.connection('chat').send('x');
    await r.settle();
    first.socket.ends(1000);
    await r.clock.advanceAsync(2_000);
    const second = await r.welcomes({ sid: 's2' });
    expect([r.states('chat', 'pool:p'), second.said, r.of('discontinuity')]).toEqual([
      ['open', 'open'],
      [[1, 'chat', 'x']],
      [],
    ]);
    expect([first.said, second.hello.resume]).toEqual([[], undefined]);
    second.acks(1);
    await r.settle();
    expect([receipt.fate, r.imbalances]).toEqual(['acknowledged', []]);
  });

  test('stops trying to connect', async () => {
    const r = new PoolRig();
    await r.joins('chat');
    await r.drops();
    await r.service.disconnect('chat');
    await r.clock.advanceAsync(60_000);
    expect([r.state('pool:p'), r.sockets.live.length, r.clock.pending()]).toEqual(['closed', 0, 0]);
  });
});

describe('a channel that the server refuses', () => {
  test('fails its connection, and no other; connecting again asks again', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    const before = server.nameOf('chat');
    const [receipt, asked] = [
      fateOf(r.connection('chat').send('x').settled),
      fateOf(r.connection('chat').request('?')),
    ];
    await r.settle();
    server.says({ t: 'shut', c: before, why: 'no such service' });
    await r.settle();
    expect(r.states('chat', 'log', 'pool:p')).toEqual(['failed', 'open', 'open']);
    expect(r.status('chat').lastError).toMatchObject({ code: 'CHANNEL_REFUSED' });
    expect(r.status('chat').lastError?.message).toContain('no such service');
    expect([receipt.error, asked.kind, r.imbalances]).toMatchObject([{ code: 'OUTCOME_UNKNOWN' }, 'rejected', []]);
    expect(server.of('shut')).toEqual([]);
    await r.joins('chat');
    expect([r.state('chat'), server.nameOf('chat') === before]).toEqual(['open', false]);
  });

  test('is shut on the next socket, if messages of it are still to be accepted there', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    const c = server.nameOf('chat');
    r.connection('chat').send('x');
    await r.settle();
    server.says({ t: 'shut', c, why: 'no' });
    await r.drops();
    const second = await r.resumes();
    expect(second.frames.slice(1)).toEqual([
      { t: 'shut', c },
      expect.objectContaining({ t: 'open', n: 'log' }) as unknown,
      { t: 'm', s: 1, b: [{ d: null, c }] },
    ]);
  });

  test('is tried again where the application decides so, and what was asked there is not waited for', async () => {
    const r = new PoolRig({ services: { chat: { ...MEMBER, decide: () => 'reconnect' } } });
    const server = await r.joins('chat', 'log');
    const before = server.nameOf('chat');
    const asked = fateOf(r.connection('chat').request('?'));
    await r.settle();
    server.says({ t: 'shut', c: before, why: 'not yet' });
    await r.clock.advanceAsync(2_000);
    expect([r.state('chat'), asked.kind, server.nameOf('chat') === before]).toEqual(['open', 'rejected', false]);
  });

  test('leaves the socket to close when it was the last', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat');
    server.says({ t: 'shut', c: server.nameOf('chat'), why: 'no' });
    await r.clock.advanceAsync(1_000);
    expect(r.states('chat', 'pool:p')).toEqual(['failed', 'closing']);
  });
});

describe('the options of a pool', () => {
  const problemsOf = (act: () => unknown): unknown => {
    try {
      act();
    } catch (error) {
      return (error as { problems?: unknown }).problems;
    }
    return undefined;
  };

  test('must name the wire that has sessions, and one place', () => {
    const url = (): string => 'wss://host/';
    const other = (): string => 'wss://host/';
    const make = (services: Record<string, object>) => () => new PoolRig({ services: services as never });
    expect(problemsOf(make({ chat: { ...MEMBER, wire: 'prefer' } }))).toEqual([
      'services.chat.wire: must be required with a pool',
    ]);
    expect(problemsOf(make({ chat: MEMBER, log: { ...MEMBER, url: 'wss://other/' } }))).toEqual([
      'services.log.url: must be the same throughout a pool',
    ]);
    expect(problemsOf(make({ chat: { ...MEMBER, url }, log: { ...MEMBER, url } }))).toBeUndefined();
    expect(problemsOf(make({ chat: { ...MEMBER, url }, log: { ...MEMBER, url: other } }))).toEqual([
      'services.log.url: must be the same throughout a pool',
    ]);
    expect(problemsOf(make({ chat: MEMBER, log: { ...MEMBER, pool: 'q', url: 'wss://other/' } }))).toBeUndefined();
  });

  test('leave no service a name by which the connection that carries them is known', () => {
    const make = (type: string) => () => new PoolRig({ services: { [type]: { url: 'wss://host/' } } });
    expect(problemsOf(make('pool'))).toEqual(['services.pool: is the name of what carries pools']);
    expect(problemsOf(make('pool:p'))).toEqual(['services.pool:p: is the name of what carries pools']);
  });

  test('stay with a service, and the rest may change', async () => {
    const r = new PoolRig();
    await r.joins('chat');
    expect(problemsOf(() => r.service.updateConfig({ services: { chat: { pool: 'q' } } }))).toEqual([
      'services.chat.pool: cannot be changed',
    ]);
    expect(problemsOf(() => r.service.updateConfig({ services: { chat: { url: 'wss://other/' } } }))).toEqual([
      'services.log.url: must be the same throughout a pool',
    ]);
    const url = 'wss://other/';
    r.service.updateConfig({ services: { chat: { url }, log: { url }, late: { ...MEMBER, url } } });
    await r.drops();
    expect(r.sockets.last.url).toBe(url);
    await r.resumes();
    await r.joins('late');
    expect([r.states('chat', 'late'), r.sockets.live.length]).toEqual([['open', 'open'], 1]);
  });

  test('do not bound how long a member waits for the socket, and its own wish does', async () => {
    const r = new PoolRig();
    const patient = fateOf(r.service.connect({ serviceType: 'chat' }));
    const hasty = fateOf(r.service.connect({ serviceType: 'log', timeoutMs: 1_000 }));
    await r.clock.advanceAsync(60_000);
    expect([patient.kind, hasty.error]).toMatchObject(['pending', { code: 'CONNECT_DEADLINE' }]);
    expect(r.states('chat', 'log')).toEqual(['connecting', 'closed']);
    await r.clock.advanceAsync(10_000);
    await r.welcomes({ lim: LIMITS });
    expect(r.states('chat', 'log')).toEqual(['open', 'closed']);
  });
});
