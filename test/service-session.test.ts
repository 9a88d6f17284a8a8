import { describe, expect, test } from 'vitest';

import { jsonProfile } from '../src/protocol/profile.ts';
import { LIMITS, welcomeOf, WireRig } from './support/server-script.ts';
import { fateOf, TERMINAL } from './support/service.ts';

function heardBy(r: WireRig): unknown[] {
  return r.of('message').map(({ data }) => data);
}

describe('a message of a session', () => {
  test('is acknowledged when the server says so, and no earlier (pain 16)', async () => {
    const r = new WireRig();
    const { id, server } = await r.join();
    const fates = ['a', 'b'].map((text) => fateOf(r.service.sendMessage(id, text)));
    await r.clock.advanceAsync(1_000);
    expect([server.socket.sent.at(-1), fates.map(({ kind }) => kind)]).toEqual(['1["a","b"]', ['pending', 'pending']]);
    expect(r.status().messages).toMatchObject({ accepted: 2, acknowledged: 0, sent: 0, waiting: 2 });
    server.acks(1);
    await r.settle();
    expect(fates).toMatchObject([
      { kind: 'resolved', value: { outcome: 'acknowledged', id: 'm1' } },
      { kind: 'pending' },
    ]);
    server.acks(2);
    await r.settle();
    expect([fates[1]?.kind, r.status().messages]).toMatchObject(['resolved', { acknowledged: 2, sent: 0, waiting: 0 }]);
  });

  test('carries its key, its kind and its headers, and comes with what the server put beside it', async () => {
    const r = new WireRig({ terminal: { profile: jsonProfile } });
    const { connection, server } = await r.join();
    const heard: unknown[] = [];
    connection.subscribe((message, meta) => heard.push([message, meta]));
    connection.send({ pay: 1 }, { idempotencyKey: 'order-1', type: 'order', headers: { lang: 'en' } });
    await r.settle();
    expect(server.of('m')).toEqual([
      { t: 'm', s: 1, b: [{ d: { pay: 1 }, k: 'order-1', n: 'order', h: { lang: 'en' } }] },
    ]);
    server.says({ t: 'm', s: 1, b: [{ d: { paid: 1 }, k: 'k', n: 'receipt', h: { x: 'y' } }] });
    server.sends(2, 'bare');
    await r.settle();
    expect(heard).toEqual([
      [{ paid: 1 }, { key: 'k', type: 'receipt', headers: { x: 'y' } }],
      ['bare', undefined],
    ]);
    expect(r.of('message')[0]).toMatchObject({ meta: { key: 'k', type: 'receipt', headers: { x: 'y' } } });
  });

  test('of bytes travels as bytes, both ways', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    connection.send(Uint8Array.of(1, 2));
    await r.settle();
    expect(server.messages).toEqual([[1, Uint8Array.of(1, 2)]]);
    // position 1, nothing acknowledged, one message, no fields, three bytes
    server.says(Uint8Array.of(1, 1, 0, 1, 0, 3, 7, 8, 9).buffer);
    await r.settle();
    expect(heardBy(r)).toEqual([Uint8Array.of(7, 8, 9).buffer]);
  });
});

describe('a session whose socket breaks', () => {
  test('goes on: it says what it has, and sends again what is missing and nothing else, in its place (pain 16)', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const receipts = ['1', '2', '3', '4'].map((text) => connection.send(text));
    server.sends(1, 'x', 'y');
    await r.settle();
    server.acks(1);
    await r.drops();
    expect(receipts.map(({ fate }) => fate)).toEqual(['acknowledged', 'handed', 'handed', 'handed']);
    expect(r.of('closed')).toMatchObject([{ inDoubt: 0 }]);
    receipts.push(connection.send('5'));
    const next = await r.redial();
    expect(next.hello.resume).toEqual({ sid: 's1', tok: 'k1', ep: 'e1', rx: 2, lo: 2, hi: 4 });
    next.welcome({ gen: 2, tok: 'k2', resumed: true, rx: 3, top: 2 });
    await r.settle();
    expect(next.messages).toEqual([
      [4, '4'],
      [5, '5'],
    ]);
    next.acks(5);
    await r.settle();
    expect(receipts.map(({ fate }) => fate)).toEqual(Array(5).fill('acknowledged'));
    expect(r.of('opened')).toMatchObject([
      { isReconnect: false, isResumed: false, wire: 'holdfast.v1' },
      { isReconnect: true, isResumed: true, generation: 2 },
    ]);
    expect([r.of('discontinuity'), r.of('undelivered')]).toEqual([[], []]);
  });

  test('again before anything was acknowledged sends everything once more, with the same positions (trap 6)', async () => {
    const r = new WireRig();
    const { connection } = await r.join();
    for (const text of ['1', '2']) connection.send(text);
    await r.settle();
    for (let drop = 1; drop <= 3; drop++) {
      await r.drops();
      const next = await r.resume({ rx: 0, tok: `k${drop + 1}` });
      expect(next.hello.resume).toMatchObject({ tok: `k${drop}`, lo: 1, hi: 2 });
      expect(next.messages).toEqual([
        [1, '1'],
        [2, '2'],
      ]);
    }
  });

  test('before the first message of all goes on as well (pain 40) (trap 4)', async () => {
    const r = new WireRig();
    await r.join();
    await r.drops();
    await r.clock.advanceAsync(0);
    const next = await r.redial();
    expect(next.hello.resume).toMatchObject({ sid: 's1', rx: 0, lo: 1, hi: 0 });
    next.welcome({ gen: 2, resumed: true });
    await r.settle();
    next.sends(1, 'first');
    await r.drops();
    expect((await r.redial()).hello.resume).toMatchObject({ sid: 's1', rx: 1 });
    expect(heardBy(r)).toEqual(['first']);
  });

  test('hands over once what comes twice, acknowledges it at once, and takes the rest of a batch (trap 6)', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    server.sends(1, 'a', 'b');
    await r.settle();
    expect(server.acked).toEqual([]);
    server.sends(1, 'a', 'b');
    await r.settle();
    expect(server.acked).toEqual([2]);
    server.sends(2, 'b', 'c');
    await r.settle();
    expect(heardBy(r)).toEqual(['a', 'b', 'c']);
    expect(r.status().messages.received).toBe(3);
  });

  test('takes nothing past a gap: it closes with 4201, and goes on from before it', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    server.sends(1, 'a');
    server.sends(3, 'c');
    await r.settle();
    expect([server.socket.closeCalls[0]?.code, heardBy(r), r.state()]).toEqual([4201, ['a'], 'backoff']);
    expect(r.status().lastError).toMatchObject({ code: 'PROTOCOL_VIOLATION', retryable: true });
    const next = await r.resume({ top: 3 });
    expect(next.hello.resume).toMatchObject({ rx: 1 });
    next.sends(2, 'b', 'c');
    await r.settle();
    expect(heardBy(r)).toEqual(['a', 'b', 'c']);
  });

  test('hears nothing more of its old socket (pain 21) (trap 11)', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    await r.drops();
    server.socket.readyState = 1;
    const next = await r.resume();
    server.sends(1, 'late');
    server.socket.ends(4001);
    await r.settle();
    next.sends(1, 'a');
    await r.settle();
    expect([heardBy(r), r.state()]).toEqual([['a'], 'open']);
  });

  test('keeps in flight as much as the window takes, one drop or none (pain 19)', async () => {
    const r = new WireRig();
    const lim = { frame: 65_536, inflated: 0, win: { m: 3, b: 1_000 } };
    const { connection, server } = await r.join({ lim });
    for (let number = 1; number <= 5; number++) connection.send(String(number));
    await r.settle();
    expect(server.messages).toHaveLength(3);
    await r.drops();
    const next = await r.resume({ lim, rx: 1 });
    expect(next.messages.map(([position]) => position)).toEqual([2, 3, 4]);
    next.acks(4);
    await r.settle();
    expect(next.messages.map(([position]) => position)).toEqual([2, 3, 4, 5]);
  });
});

describe('a session that the server no longer has', () => {
  async function forgotten(r: WireRig, why?: string) {
    const next = await r.redial();
    next.welcome({ sid: 's2', tok: 'k9', ep: 'e9', ...(why !== undefined && { why }) });
    await r.settle();
    return next;
  }

  test.each(['unknown', 'expired', 'epoch', 'overflow', 'gap', 'ahead', 'forbidden'])(
    'is told to the application, with the reason %s, before anything of the new one (pain 39)',
    async (why) => {
      const r = new WireRig();
      const { connection } = await r.join();
      connection.send('in doubt');
      await r.settle();
      await r.drops();
      const next = await r.redial();
      next.says(JSON.stringify(welcomeOf({ sid: 's2', why })), '1["first of the new"]');
      await r.settle();
      expect(r.of('discontinuity')).toEqual([
        { connectionId: 'terminal:one', serviceType: 'terminal', why, inDoubt: 1 },
      ]);
      const types = r.events.map(({ type }) => type);
      expect(types.indexOf('discontinuity')).toBeLessThan(types.indexOf('message'));
      expect(types.indexOf('discontinuity')).toBeLessThan(types.lastIndexOf('opened'));
      expect(r.of('opened').at(-1)).toMatchObject({ isReconnect: true, isResumed: false });
    },
  );

  test('leaves in doubt what was not acknowledged, and sends it again only with a key (pain 18)', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const done = connection.send('done');
    const bare = connection.send('bare');
    const keyed = connection.send('keyed', { idempotencyKey: 'k' });
    await r.settle();
    server.acks(1);
    await r.drops();
    const waiting = connection.send('waiting');
    const next = await forgotten(r, 'unknown');
    expect(next.messages).toEqual([
      [1, 'keyed'],
      [2, 'waiting'],
    ]);
    expect([done, bare, keyed, waiting].map(({ fate }) => fate)).toEqual([
      'acknowledged',
      'unknown',
      'handed',
      'handed',
    ]);
    expect(r.of('discontinuity')).toMatchObject([{ inDoubt: 1 }]);
    expect(r.of('undelivered')).toMatchObject([
      { messageId: 'm2', error: { code: 'OUTCOME_UNKNOWN', outcome: 'unknown' } },
    ]);
  });

  test('or cannot go on with, for its frames are too small: a new one begins there, and what fits is sent again', async () => {
    const r = new WireRig();
    const { connection } = await r.join();
    const big = connection.send('x'.repeat(500), { idempotencyKey: 'big' });
    const small = connection.send('small', { idempotencyKey: 'small' });
    await r.settle();
    await r.drops();
    const lim = { ...LIMITS, frame: 400 };
    const refused = await r.redial();
    refused.welcome({ gen: 2, tok: 'k2', resumed: true, lim });
    await r.settle();
    expect([r.state(), refused.of('bye'), refused.messages]).toEqual(['backoff', [{ t: 'bye', keep: false }], []]);
    const next = await r.redial();
    expect(next.hello).not.toHaveProperty('resume');
    next.welcome({ sid: 's2', lim });
    await r.settle();
    expect([next.messages, big.fate, small.fate]).toEqual([[[1, 'small']], 'unknown', 'handed']);
    expect([r.state(), r.of('discontinuity'), r.of('undelivered')]).toMatchObject([
      'open',
      [{ why: 'limits', inDoubt: 0 }],
      [{ error: { code: 'OUTCOME_UNKNOWN', cause: { code: 'MESSAGE_TOO_BIG' } } }],
    ]);
  });

  test('is asked for no more: the next hello takes the new one, by a new name (trap 13)', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    server.sends(1, 'old');
    await r.drops();
    const next = await forgotten(r);
    next.sends(1, 'new');
    await r.settle();
    expect(heardBy(r)).toEqual(['old', 'new']);
    await r.drops();
    const { hello } = await r.redial();
    expect(hello.resume).toMatchObject({ sid: 's2', tok: 'k9', ep: 'e9', rx: 1 });
    expect(new Set([server.hello.nonce, next.hello.nonce, hello.nonce]).size).toBe(3);
  });

  test('is over at once when it says so with 4301: nothing is resumed, and a new one begins', async () => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    const receipt = connection.send('in doubt');
    await r.settle();
    await r.drops(server.socket, 4301);
    expect([r.state(), receipt.fate]).toEqual(['backoff', 'handed']);
    const next = await r.redial();
    expect(next.hello).not.toHaveProperty('resume');
    next.welcome({ sid: 's2' });
    await r.settle();
    expect([r.of('discontinuity'), receipt.fate]).toMatchObject([[{ why: 'lost', inDoubt: 1 }], 'unknown']);
  });

  test.each([
    ['that resumed it no longer', 1006],
    ['that said so itself', 4301],
  ])('because the server speaks plain now is told, and what it leaves is in doubt: one %s', async (_what, code) => {
    const r = new WireRig({ terminal: { wire: 'prefer' } });
    const { connection, server } = await r.join();
    const receipt = connection.send('in doubt');
    await r.settle();
    await r.drops(server.socket, code);
    await r.passBackoff();
    const plain = await r.opens();
    plain.says('plain now');
    await r.settle();
    expect([receipt.fate, r.status()]).toMatchObject(['unknown', { wire: 'plain', messages: { waiting: 0 } }]);
    expect(r.of('discontinuity')).toMatchObject([{ inDoubt: 1 }]);
    const types = r.events.map(({ type }) => type);
    expect(types.indexOf('discontinuity')).toBeLessThan(types.indexOf('message'));
  });
});

test('a session that the application gives up for plain is told as lost, and what it leaves is in doubt', async () => {
  const r = new WireRig();
  const { connection } = await r.join();
  const receipt = connection.send('in doubt');
  await r.settle();
  r.service.updateConfig({ services: { terminal: { wire: 'plain' } } });
  await r.drops();
  await r.reopen();
  expect([receipt.fate, r.of('discontinuity')]).toMatchObject(['unknown', [{ why: 'plain', inDoubt: 1 }]]);
  expect(r.status()).toMatchObject({ wire: 'plain', messages: { waiting: 0, unknown: 1 } });
});

describe('a welcome that is lost', () => {
  test('is asked for by the same name, and the session is the same one (trap 13)', async () => {
    const r = new WireRig();
    const server = await r.dial();
    const receipt = r.service.connection('terminal:one').send('a');
    server.srv();
    await r.settle();
    await r.drops();
    const next = await r.redial();
    expect([next.hello.nonce, next.hello.resume]).toEqual([server.hello.nonce, undefined]);
    next.welcome({ gen: 2, tok: 'k2' });
    await r.settle();
    expect([next.messages, receipt.fate, r.of('discontinuity')]).toEqual([[[1, 'a']], 'handed', []]);
  });

  test('of a resumption leaves the token that was used valid for the next (trap 12)', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    await r.drops();
    const lost = await r.redial();
    await r.drops();
    const next = await r.redial();
    expect(next.hello.resume).toEqual(lost.hello.resume);
    expect(next.hello.nonce).toBe(lost.hello.nonce);
    expect(next.hello.nonce).not.toBe(server.hello.nonce);
  });
});

test('connecting anew in a handler that hears of the loss resumes the session (trap 11)', async () => {
  const r = new WireRig();
  const { connection } = await r.join();
  r.service.on('closed', () => void connection.connect());
  await r.drops();
  const next = await r.opens();
  next.srv();
  await r.settle();
  expect(next.hello.resume).toMatchObject({ sid: 's1' });
  next.welcome({ gen: 2, resumed: true });
  await r.settle();
  expect([r.state(), r.sockets.constructions, r.status().connectionId]).toEqual([
    'open',
    2,
    `${TERMINAL.serviceType}:one`,
  ]);
});
