import { describe, expect, test } from 'vitest';

import { jsonProfile } from '../src/protocol/profile.ts';
import { WireRig } from './support/server-script.ts';
import { deferred, fateOf, TERMINAL } from './support/service.ts';

describe('a request', () => {
  test('needs no profile: it carries its id, and the message that names it is its reply, which no subscriber sees', async () => {
    const r = new WireRig({ terminal: { profile: jsonProfile } });
    const { connection, server } = await r.join();
    const asked = fateOf(connection.request({ op: 'list' }));
    await r.settle();
    expect(server.of('m')).toMatchObject([{ s: 1, b: [{ d: { op: 'list' }, r: 'r1' }] }]);
    server.says({ t: 'm', s: 1, a: 1, b: [{ d: [1, 2], re: 'r1' }] });
    await r.settle();
    expect([asked.value, r.of('message')]).toEqual([[1, 2], []]);
  });

  test('that the server refuses rejects with its code and its words', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const asked = fateOf(connection.request('x'));
    await r.settle();
    server.says({ t: 'm', s: 1, b: [{ d: 'no such thing', re: 'r1', h: { error: 'NOT_FOUND' } }] });
    await r.settle();
    expect(asked.error).toMatchObject({
      code: 'REQUEST_REFUSED',
      outcome: 'rejected',
      message: expect.stringContaining('NOT_FOUND') as string,
      cause: 'no such thing',
    });
  });

  test('survives a drop: it is not sent again, and its reply comes on the next socket (pain 17) (pain 18)', async () => {
    const r = new WireRig();
    const { connection } = await r.join();
    const asked = fateOf(connection.request('pay'));
    await r.settle();
    await r.drops();
    const next = await r.resume();
    expect([asked.kind, next.messages]).toEqual(['pending', []]);
    next.says({ t: 'm', s: 1, b: [{ d: 'paid', re: 'r1' }] });
    await r.settle();
    expect(asked.value).toBe('paid');
  });

  test('ends with its session, and is not sent again by itself (pain 18)', async () => {
    const r = new WireRig();
    const { connection } = await r.join();
    const asked = fateOf(connection.request('pay'));
    await r.settle();
    await r.drops();
    const next = await r.redial();
    next.welcome({ sid: 's2', why: 'unknown' });
    await r.settle();
    expect([asked.error, next.messages]).toMatchObject([{ code: 'REPLY_LOST', outcome: 'unknown' }, []]);
  });

  test.each<[string, object]>([
    ['', {}],
    [' and has a key', { idempotencyKey: 'k' }],
  ])(
    'that was answered%s is done with, although its acknowledgement is lost with the session: it is not in doubt, and not sent again',
    async (_what, options) => {
      const r = new WireRig();
      const { connection, server } = await r.join();
      const asked = fateOf(connection.request('pay', options));
      await r.settle();
      server.says({ t: 'm', s: 1, b: [{ d: 'paid', re: 'r1' }] });
      await r.drops();
      const next = await r.redial();
      next.welcome({ sid: 's2', why: 'unknown' });
      await r.settle();
      expect([asked.value, next.messages, r.of('undelivered')]).toEqual(['paid', [], []]);
      expect(connection.status.messages).toMatchObject({ accepted: 1, acknowledged: 1, unknown: 0, waiting: 0 });
      expect(r.of('discontinuity')).toMatchObject([{ why: 'unknown', inDoubt: 0 }]);
    },
  );

  test.each<[string, (r: WireRig) => Promise<unknown>]>([
    ['before the first attempt', () => Promise.resolve()],
    [
      'while the socket opens',
      (r) => {
        void r.service.connect(TERMINAL);
        return r.settle();
      },
    ],
    ['before the server has said anything', (r) => r.dial()],
  ])('made %s waits, and goes when the session is open', async (_when, reach) => {
    const r = new WireRig({ terminal: { wire: 'prefer' } });
    const wish = r.service.connect(TERMINAL);
    await reach(r);
    const asked = fateOf(r.service.connection('terminal:one').request('x'));
    await r.settle();
    if (r.sockets.last.readyState === 0) await r.opens();
    r.server.srv();
    await r.settle();
    r.server.welcome();
    await wish;
    await r.settle();
    expect([asked.kind, r.server.of('m')]).toMatchObject(['pending', [{ b: [{ d: 'x', r: 'r1' }] }]]);
  });

  test('made before the server turned out to speak plain is refused: nobody would know its reply', async () => {
    const r = new WireRig({ terminal: { wire: 'prefer' } });
    const server = await r.dial();
    const connection = r.service.connection('terminal:one');
    const early = fateOf(connection.request('x'));
    server.says('plain');
    await r.settle();
    const late = fateOf(connection.request('y'));
    await r.settle();
    expect([early.error, late.error]).toMatchObject([
      { code: 'NO_CORRELATION', outcome: 'not_sent' },
      { code: 'NO_CORRELATION', outcome: 'not_sent' },
    ]);
    expect(server.socket.sent).toEqual([]);
  });
});

describe('a request of the server', () => {
  test('is answered by what the handler returns, or its promise gives, and is no message', async () => {
    const r = new WireRig({ terminal: { profile: jsonProfile } });
    const { connection, server } = await r.join();
    connection.onRequest((message) => (message === 'now' ? 'at once' : Promise.resolve({ late: message })));
    server.says({
      t: 'm',
      s: 1,
      b: [
        { d: 'now', r: 'q1' },
        { d: 'then', r: 'q2' },
      ],
    });
    await r.settle();
    expect(server.of('m').flatMap(({ b }) => b)).toEqual([
      { d: 'at once', re: 'q1' },
      { d: { late: 'then' }, re: 'q2' },
    ]);
    expect(r.of('message')).toEqual([]);
  });

  test('is refused where nobody answers, or the handler fails; and what that threw is reported, not told', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    server.says({ t: 'm', s: 1, b: [{ d: 'x', r: 'q1' }] });
    connection.onRequest(() => {
      throw new Error('s3cr3t');
    });
    server.says({ t: 'm', s: 2, b: [{ d: 'x', r: 'q2' }] });
    await r.settle();
    expect(server.of('m').flatMap(({ b }) => b)).toMatchObject([
      { re: 'q1', h: { error: 'NO_HANDLER' } },
      { re: 'q2', h: { error: 'HANDLER_FAILED' } },
    ]);
    expect(JSON.stringify(server.frames)).not.toContain('s3cr3t');
    expect(r.bugs).toMatchObject([{ code: 'LISTENER_THREW', cause: { message: 's3cr3t' } }]);
  });

  test('is answered over a drop, and not in another session: ids begin anew there', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const answers = [deferred<string>(), deferred<string>()];
    connection.onRequest((message) => answers[Number(message)]?.promise ?? '');
    server.says({
      t: 'm',
      s: 1,
      b: [
        { d: '0', r: 'q1' },
        { d: '1', r: 'q2' },
      ],
    });
    await r.drops();
    answers[0]?.resolve('over a drop');
    const resumed = await r.resume();
    expect(resumed.of('m').flatMap(({ b }) => b)).toEqual([{ d: 'over a drop', re: 'q1' }]);
    resumed.acks(1);
    await r.drops();
    const fresh = await r.redial();
    fresh.welcome({ sid: 's2', why: 'unknown' });
    answers[1]?.resolve('too late');
    await r.settle();
    expect(fresh.messages).toEqual([]);
  });
});
