import { describe, expect, test } from 'vitest';

import type { Profile } from '../src/protocol/profile.ts';
import { MEMBER, PoolRig, SLOW, type PoolScript } from './support/pool.ts';
import { LIMITS } from './support/server-script.ts';
import { fateOf } from './support/service.ts';

const profile: Profile = { codec: 'json', onOpen: ({ connectionId }) => [{ hello: connectionId }] };
const GREETING = { ...MEMBER, profile };
const narrow = (m: number, b = 1_048_576): { lim: typeof LIMITS } => ({ lim: { ...LIMITS, win: { m, b } } });

describe('connections that name one pool', () => {
  test('share a socket, with a channel each, and the connection that carries them can be seen', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    expect(r.sockets.all).toHaveLength(1);
    expect(server.frames.map(({ t }) => t)).toEqual(['hello', 'open', 'open']);
    expect(server.of('open').map(({ n }) => n)).toEqual(['chat', 'log']);
    expect(r.service.getConnections().map(({ connectionId, state, wire }) => [connectionId, state, wire])).toEqual(
      expect.arrayContaining([
        ['chat', 'open', 'holdfast.v1'],
        ['log', 'open', 'holdfast.v1'],
        ['pool:p', 'open', 'holdfast.v1'],
      ]),
    );
    expect(
      r.of('opened').map(({ connectionId, isReconnect, isResumed }) => [connectionId, isReconnect, isResumed]),
    ).toEqual(
      expect.arrayContaining([
        ['chat', false, false],
        ['log', false, false],
        ['pool:p', false, false],
      ]),
    );
    await r.destroy();
    expect(r.bugs).toEqual([]);
  });

  test('are told apart even where chance has only one number', async () => {
    const r = new PoolRig({ random: () => 0.5 });
    const server = await r.joins('chat', 'log');
    expect(new Set(server.of('open').map(({ c }) => c)).size).toBe(2);
  });

  test('may be several of one type', async () => {
    const r = new PoolRig();
    const server = await r.joins({ serviceType: 'chat', terminalId: '1' }, { serviceType: 'chat', terminalId: '2' });
    const [one, two] = server.of('open');
    expect([one?.n, two?.n, one?.c === two?.c]).toEqual(['chat', 'chat', false]);
    server.says({ t: 'm', s: 1, b: [{ d: 'for one', c: one?.c ?? '' }] });
    await r.settle();
    expect(r.of('message').map(({ connectionId, data }) => [connectionId, data])).toEqual([['chat:1', 'for one']]);
  });

  test('of two pools use two sockets', async () => {
    const r = new PoolRig({ services: { other: { ...MEMBER, pool: 'q' } } });
    await r.joins('chat');
    void r.service.connect({ serviceType: 'other' });
    await r.settle();
    await r.welcomes({ sid: 's2' });
    expect([r.sockets.all.length, r.states('chat', 'other', 'pool:p', 'pool:q')]).toEqual([2, Array(4).fill('open')]);
  });

  test('send in the order of each, have receipts and counts of their own, and hear only what is for them', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    const receipts = [1, 2, 3].flatMap((n) => [r.connection('chat').send(`c${n}`), r.connection('log').send(`l${n}`)]);
    await r.settle();
    const said = server.said;
    expect(said.map(([position]) => position)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(said.filter(([, service]) => service === 'chat').map(([, , d]) => d)).toEqual(['c1', 'c2', 'c3']);
    expect(said.filter(([, service]) => service === 'log').map(([, , d]) => d)).toEqual(['l1', 'l2', 'l3']);
    expect(r.imbalances).toEqual([]);
    expect(r.status('pool:p').messages).toMatchObject({ accepted: 0, waiting: 0 });
    server.acks(4);
    await r.settle();
    expect(receipts.filter(({ fate }) => fate === 'acknowledged')).toHaveLength(4);
    expect(r.imbalances).toEqual([]);
    server.acks(6);
    server.tells(1, 'log', 'down');
    await r.settle();
    expect([r.status('chat').messages, r.status('log').messages, r.status('pool:p').messages]).toMatchObject([
      { accepted: 3, acknowledged: 3, waiting: 0, received: 0 },
      { accepted: 3, acknowledged: 3, waiting: 0, received: 1 },
      { accepted: 0, acknowledged: 0, waiting: 0, received: 0 },
    ]);
    expect(r.of('message')).toMatchObject([{ connectionId: 'log', data: 'down' }]);
  });

  test('are told of refused messages one by one', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    const bad = fateOf(r.connection('chat').send('bad').settled);
    const good = fateOf(r.connection('log').send('good').settled);
    await r.settle();
    server.says({ t: 'nack', s: 1, c: 'NO', m: 'not that', temp: false, out: 'rejected' }, { t: 'ack', a: 2 });
    await r.settle();
    expect([bad.error, good.value]).toMatchObject([
      { code: 'MESSAGE_REJECTED', outcome: 'rejected' },
      { outcome: 'acknowledged' },
    ]);
    expect([r.status('chat').messages.dropped, r.status('log').messages.dropped, r.imbalances]).toEqual([1, 0, []]);
  });

  test('refuse what is larger than a frame of the server, and go on', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat');
    const large = fateOf(r.connection('chat').send('x'.repeat(LIMITS.frame)).settled);
    r.connection('chat').send('small');
    await r.settle();
    expect([large.error, server.said]).toMatchObject([{ code: 'MESSAGE_TOO_BIG' }, [[1, 'chat', 'small']]]);
    expect(r.imbalances).toEqual([]);
  });

  test('ask and answer on their own channels, by names that no other asks by', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    const [a, b] = [fateOf(r.connection('chat').request('a')), fateOf(r.connection('log').request('b'))];
    r.connection('log').onRequest((question) => ({ re: question }));
    await r.settle();
    const asked = server.of('m').flatMap(({ b: messages }) => messages);
    expect(asked.map(({ d }) => d)).toEqual(['a', 'b']);
    expect(new Set(asked.map(({ r: id }) => id)).size).toBe(2);
    const [chat, log] = asked;
    server.says({ t: 'ack', a: 2 });
    server.says({ t: 'm', s: 1, b: [{ d: 'B', c: log?.c ?? '', re: log?.r ?? '' }] });
    server.says({ t: 'm', s: 2, b: [{ d: 'A', c: chat?.c ?? '', re: chat?.r ?? '' }] });
    server.says({ t: 'm', s: 3, b: [{ d: 'ping', c: log?.c ?? '', r: 'q1' }] });
    await r.settle();
    expect([a.value, b.value]).toEqual(['A', 'B']);
    expect(server.of('m').at(-1)?.b).toEqual([{ d: { re: 'ping' }, re: 'q1', c: log?.c }]);
    expect(r.of('message')).toEqual([]);
  });

  test('send volatile messages, whose fate is theirs as well', async () => {
    const r = new PoolRig();
    const server = await r.joins('chat', 'log');
    server.socket.holds = true;
    const receipts = [1, 2].map((n) => r.connection('chat').send(n, { volatile: true }));
    await r.settle();
    expect(server.of('v').flatMap(({ b }) => b)).toEqual([1, 2].map((d) => ({ d, c: server.nameOf('chat') })));
    expect([r.imbalances, r.status('chat').messages]).toMatchObject([[], { accepted: 2, waiting: 2 }]);
    server.socket.drains();
    await r.clock.advanceAsync(100);
    expect([r.imbalances, r.status('chat').messages.sent]).toEqual([[], 2]);
    expect(receipts.map(({ fate }) => fate)).toEqual(['sent', 'sent']);
    r.connection('chat').send(3, { volatile: true });
    r.connection('log').send(4, { volatile: true });
    await r.settle();
    void r.service.disconnect('log');
    await r.settle();
    expect([r.state('log'), r.status('log').messages, r.imbalances]).toMatchObject(['closed', { unknown: 1 }, []]);
    server.socket.ends(1006);
    await r.settle();
    expect([r.status('chat').messages, r.imbalances]).toMatchObject([{ sent: 2, unknown: 1, waiting: 0 }, []]);
  });
});

describe('the credentials of a member', () => {
  test('go in its open and nowhere else', async () => {
    const asked: string[] = [];
    const r = new PoolRig({
      services: {
        chat: {
          ...MEMBER,
          credentials: ({ connectionId }) => {
            asked.push(connectionId);
            return `secret of ${connectionId}`;
          },
        },
      },
    });
    const server = await r.joins('chat', 'log');
    expect(asked).toEqual(['chat', 'pool:p']);
    expect(server.hello.auth).toBe('secret of pool:p');
    expect(new Map(server.of('open').map(({ n, auth }) => [n, auth]))).toEqual(
      new Map([
        ['chat', 'secret of chat'],
        ['log', undefined],
      ]),
    );
    const rest = server.socket.sent.filter((sent) => !String(sent).includes('"open"')).map(String);
    expect(rest.filter((sent) => sent.includes('secret of chat'))).toEqual([]);
    expect(JSON.stringify([r.events, r.service.getConnections()])).not.toContain('secret');
  });

  test('are the last that it was given, on each socket', async () => {
    let number = 0;
    const credentials = (): string => `t${++number}`;
    const r = new PoolRig({ services: { late: { ...MEMBER, credentials, retry: SLOW } } });
    const first = await r.joins('log', 'late');
    first.says({ t: 'away', in: 10_000, spread: 1 });
    await r.clock.advanceAsync(10);
    const openings = (server: PoolScript): unknown[] => server.of('open').map(({ n, auth }) => [n, auth]);
    const second = await r.resumes();
    // nobody has asked for fresh ones: there is no moment without a socket
    expect([openings(first), openings(second), number]).toEqual([
      [
        ['log', undefined],
        ['late', 't1'],
      ],
      [
        ['log', undefined],
        ['late', 't1'],
      ],
      1,
    ]);
    await r.drops();
    // it waits before it asks
    const third = await r.resumes({ tok: 'k3' });
    expect([openings(third).at(-1), r.state('late')]).toEqual([['late', 't1'], 'backoff']);
    await r.clock.advanceAsync(12_000);
    expect([r.state('late'), number]).toEqual(['open', 2]);
    await r.drops();
    expect(openings(await r.resumes({ tok: 'k4' })).at(-1)).toEqual(['late', 't2']);
  });

  test('that have run out while they were kept are replaced by fresh ones, and its channel by another', async () => {
    let number = 0;
    const credentials = (): string => `t${++number}`;
    const profile = { codec: 'json', onOpen: () => ['hello'] } as const;
    const r = new PoolRig({ services: { chat: { ...MEMBER, credentials, profile } } });
    const first = await r.joins('log', 'chat');
    const [bare, keyed] = [r.connection('chat').send('a'), r.connection('chat').send('b', { idempotencyKey: 'b' })];
    await r.settle();
    first.says({ t: 'away', in: 10_000, spread: 1 });
    await r.clock.advanceAsync(10);
    const second = await r.resumes();
    const before = second.nameOf('chat');
    second.says({ t: 'shut', c: before, why: 'forbidden' });
    await r.clock.advanceAsync(1_000);
    expect(second.of('open').map(({ n, auth }) => [n, auth])).toEqual([
      ['log', undefined],
      ['chat', 't1'],
      ['chat', 't2'],
    ]);
    expect(second.said.filter(([position]) => position > 3).map(([, , payload]) => payload)).toEqual(['hello', 'b']);
    expect([bare.fate, keyed.fate, r.states('chat', 'log')]).toEqual(['unknown', 'handed', ['open', 'open']]);
    expect(r.of('discontinuity')).toMatchObject([{ connectionId: 'chat', why: 'forbidden', inDoubt: 1 }]);
    // whoever is refused with fresh ones waits, and then is refused for good
    for (const [state, tokens] of [
      ['open', 3],
      ['failed', 3],
    ]) {
      second.says({ t: 'shut', c: second.nameOf('chat'), why: 'forbidden' });
      await r.clock.advanceAsync(2_000);
      expect([r.states('chat', 'log'), number]).toEqual([[state, 'open'], tokens]);
    }
    expect(r.imbalances).toEqual([]);
  });
});

describe('what a profile says first', () => {
  test('is said by each member in a new session, and not again in one that goes on', async () => {
    const r = new PoolRig({ services: { chat: GREETING } });
    const server = await r.joins('log', 'chat');
    expect(server.said).toEqual([[1, 'chat', { hello: 'chat' }]]);
    server.acks(1);
    await r.drops();
    const second = await r.resumes({ rx: 1 });
    expect([second.of('open').length, second.said]).toEqual([2, []]);
    await r.drops();
    const third = await r.welcomes({ sid: 's2', why: 'expired' });
    expect(third.said).toEqual([[1, 'chat', { hello: 'chat' }]]);
    expect(r.status('chat').messages).toMatchObject({ accepted: 0, waiting: 0 });
  });

  test('waits for room in the window, and still comes first', async () => {
    const r = new PoolRig({ services: { chat: GREETING } });
    void r.service.connect({ serviceType: 'log' });
    await r.settle();
    const server = await r.welcomes(narrow(2));
    for (const n of [1, 2, 3]) r.connection('log').send(n);
    await r.settle();
    await r.joins('chat');
    r.connection('chat').send('after');
    await r.settle();
    expect(server.said.map(([, service]) => service)).toEqual(['log', 'log']);
    server.acks(2);
    await r.settle();
    expect(server.said.filter(([, service]) => service === 'chat').map(([, , d]) => d)).toEqual([{ hello: 'chat' }]);
    server.acks(4);
    await r.settle();
    expect(server.said.filter(([, service]) => service === 'chat').map(([, , d]) => d)).toEqual([
      { hello: 'chat' },
      'after',
    ]);
    expect(r.imbalances).toEqual([]);
  });

  test('is said although the socket broke before it was known what that is', async () => {
    const said: ((messages: unknown[]) => void)[] = [];
    const onOpen = (): Promise<unknown[]> => new Promise((resolve) => said.push(resolve));
    const r = new PoolRig({ services: { chat: { ...MEMBER, profile: { codec: 'json', onOpen } } } });
    await r.joins('chat');
    expect(r.status('chat').detail).toBe('greeting');
    await r.drops();
    const second = await r.resumes();
    said.at(-1)?.(['hi']);
    await r.settle();
    expect([second.said, r.state('chat')]).toEqual([[[1, 'chat', 'hi']], 'open']);
  });
});
