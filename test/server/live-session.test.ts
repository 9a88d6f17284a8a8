import { describe, expect, test } from 'vitest';

import { MemoryStore } from '../../src/server/memory-store.ts';
import type { Session } from '../../src/server/surface.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { CLIENT_LIMITS } from '../support/wire-client.ts';
import { startWireServer } from '../support/wire-server.ts';

function first(sessions: readonly Session[]): Session {
  const [session] = sessions;
  if (!session) throw new Error('There is no session.');
  return session;
}

describe('a session', () => {
  test('carries messages both ways, acknowledged with what goes out anyway', async () => {
    const { join, settle } = startWireServer({
      onSession: (session) => {
        session.onMessage(({ data }) => session.send({ echo: data }));
      },
    });
    const client = await join();
    client.says('1["a","b"]');
    await settle();
    client.says('3["c"]');
    await settle();
    expect(client.raw.slice(2)).toEqual(['1,2[{"echo":"a"},{"echo":"b"}]', '3,3[{"echo":"c"}]']);
  });

  test('has copies of the bytes of one turn lie beside each other, and none beside those of the next', async () => {
    const kept: Uint8Array[] = [];
    class Store extends MemoryStore {
      override append(...asked: Parameters<MemoryStore['append']>): ReturnType<MemoryStore['append']> {
        kept.push(...asked[2].map(({ data }) => data as Uint8Array));
        return super.append(...asked);
      }
    }
    const clock = new SimulatedClock();
    const { join, sessions, settle } = startWireServer({}, { clock, store: new Store({ clock }) });
    const client = await join();
    for (let turn = 1; turn <= 2; turn++) {
      for (let copy = 0; copy < 4; copy++) first(sessions).send(new Uint8Array(100).fill(turn));
      await settle();
    }
    expect(client.of('bytes').flatMap(({ b }) => b.map(({ d }) => d[0]))).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    // the first two of a turn have memory of their own
    expect(kept.map(({ buffer }) => buffer.byteLength)).toEqual([100, 100, 200, 200, 100, 100, 200, 200]);
    expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(6);
  });

  test('acknowledges by itself 50 ms after the first message, and once for all', async () => {
    const { join, sessions, clock } = startWireServer();
    const client = await join();
    const messages: unknown[] = [];
    first(sessions).onMessage(({ data }) => messages.push(data));
    client.says('1["a"]');
    await clock.advanceAsync(30);
    client.says('2["b"]');
    await clock.advanceAsync(19);
    expect(client.of('ack')).toEqual([]);
    await clock.advanceAsync(1);
    expect([client.of('ack'), messages]).toEqual([[{ t: 'ack', a: 2 }], ['a', 'b']]);
    await clock.advanceAsync(100);
    expect(client.of('ack')).toHaveLength(1);
  });

  test('acknowledges at once when 256 messages wait for it', async () => {
    const { join, sessions, settle } = startWireServer();
    const client = await join();
    first(sessions).onMessage(() => undefined);
    client.says(`1${JSON.stringify(Array.from({ length: 256 }, (_, index) => index))}`);
    await settle();
    expect(client.of('ack')).toEqual([{ t: 'ack', a: 256 }]);
  });

  test('tells by pong what is accepted', async () => {
    const { join, sessions, settle, clock } = startWireServer();
    const client = await join();
    first(sessions).onMessage(() => undefined);
    client.says('1["a"]');
    await settle();
    client.says({ t: 'ping', i: 7, ts: 1.5 });
    expect(client.of('pong')).toEqual([{ t: 'pong', i: 7, ts: 1.5, now: clock.now(), a: 1 }]);
  });

  test('settles a receipt when the client has accepted the message, and not before', async () => {
    const { join, sessions, settle } = startWireServer();
    const client = await join();
    const receipt = first(sessions).send('one');
    let isSettled = false;
    void receipt.settled.then(() => (isSettled = true));
    await settle();
    expect([receipt.position, isSettled, first(sessions).unacknowledged]).toEqual([1, false, 1]);
    client.says({ t: 'ack', a: 1 });
    await settle();
    expect([isSettled, first(sessions).unacknowledged]).toEqual([true, 0]);
  });

  test('resumes: what was missed comes again in order, with its positions, and what was sent meanwhile after it', async () => {
    const { join, resume, sessions, settle } = startWireServer();
    const client = await join();
    const session = first(sessions);
    const seen: string[] = [];
    session.on('detached', () => seen.push('detached'));
    session.on('resumed', ({ gen }) => seen.push(`resumed ${gen}`));
    session.send('one');
    session.send('two');
    await settle();
    client.leave();
    session.send('three');
    await settle();
    const again = await resume(client, { rx: 1 });
    session.send('four');
    await settle();
    expect(again.raw.slice(2)).toEqual(['2["two","three"]', '4["four"]']);
    expect([again.welcome.resumed, again.welcome.gen, again.welcome.top]).toEqual([true, 2, 3]);
    expect([seen, session.state]).toEqual([['detached', 'resumed 2'], 'attached']);
  });

  test('drops what it has already, and acknowledges it at once', async () => {
    const { join, resume, sessions, settle } = startWireServer();
    const client = await join();
    const messages: unknown[] = [];
    first(sessions).onMessage(({ data }) => messages.push(data));
    client.says('1["a","b"]');
    client.leave();
    await settle();
    const again = await resume(client, { lo: 1, hi: 3 });
    again.says('1["a","b","c"]');
    await settle();
    expect([again.welcome.rx, messages, again.of('ack')]).toEqual([2, ['a', 'b', 'c'], [{ t: 'ack', a: 2 }]]);
  });

  test('gives a newer socket the session, and closes the one before (trap 3)', async () => {
    const { join, resume, sessions, settle } = startWireServer();
    const client = await join();
    const again = await resume(client);
    expect([client.closed?.code, again.welcome.gen]).toEqual([4004, 2]);
    client.events.received('1["late"]');
    const messages: unknown[] = [];
    first(sessions).onMessage(({ data }) => messages.push(data));
    await settle();
    expect([messages, first(sessions).state, sessions.length]).toEqual([[], 'attached', 1]);
  });

  test('is the same for the same nonce, for its welcome was lost', async () => {
    const { join, sessions } = startWireServer();
    const client = await join({ nonce: 'x' });
    first(sessions).send('one');
    client.leave();
    const again = await join({ nonce: 'x' });
    expect(again.welcome).toMatchObject({ sid: client.welcome.sid, gen: 2, resumed: false, rx: 0 });
    expect([again.payloads, sessions.length]).toEqual([['one'], 1]);
  });

  test('sends no more than the window of the client, and goes on with each acknowledgement', async () => {
    const { join, sessions, settle } = startWireServer();
    const client = await join({ lim: { ...CLIENT_LIMITS, win: { m: 2, b: 1_000 } } });
    for (const number of [1, 2, 3, 4, 5]) first(sessions).send(number);
    await settle();
    expect(client.payloads).toEqual([1, 2]);
    client.says({ t: 'ack', a: 1 });
    await settle();
    expect(client.payloads).toEqual([1, 2, 3]);
    client.says({ t: 'flow', w: { m: 0, b: 0 } }, { t: 'ack', a: 3 });
    await settle();
    expect(client.payloads).toEqual([1, 2, 3]);
    client.says({ t: 'ack', a: 3, w: { m: 9, b: 1_000 } });
    await settle();
    expect(client.payloads).toEqual([1, 2, 3, 4, 5]);
  });

  test('puts no more into a frame than the client takes, 256 messages or 64 KiB', async () => {
    const { join, sessions, settle } = startWireServer();
    const client = await join();
    for (let number = 0; number < 300; number++) first(sessions).send(number);
    await settle();
    for (let number = 0; number < 4; number++) first(sessions).send('x'.repeat(30_000));
    await settle();
    const sizes = client.of('batch').map(({ d }) => d.length);
    expect(sizes).toEqual([256, 44, 2, 2]);
    const small = await join({ nonce: 'n2', auth: 'bob', lim: { ...CLIENT_LIMITS, frame: 200 } });
    for (let number = 0; number < 9; number++) sessions[1]?.send('y'.repeat(50));
    await settle();
    expect(Math.max(...small.raw.slice(2).map(({ length }) => length))).toBeLessThanOrEqual(200);
    await expect(sessions[1]?.send('z'.repeat(200)).settled).rejects.toMatchObject({ code: 'MESSAGE_TOO_BIG' });
  });

  test('sends bytes as bytes, and metadata beside its message', async () => {
    const { join, sessions, settle } = startWireServer();
    const client = await join();
    const session = first(sessions);
    session.send('a', { type: 'note', headers: { x: '1' }, key: 'k' });
    session.send(new Uint8Array([1, 2, 3]));
    session.send('b');
    await settle();
    expect(client.frames.slice(2)).toEqual([
      { t: 'm', s: 1, b: [{ d: 'a', k: 'k', n: 'note', h: { x: '1' } }] },
      { t: 'bytes', s: 2, a: 0, b: [{ meta: {}, d: new Uint8Array([1, 2, 3]) }] },
      { t: 'batch', s: 3, d: ['b'] },
    ]);
    await expect(session.send('c', { type: '' }).settled).rejects.toMatchObject({ code: 'NOT_ENCODABLE' });
    await expect(session.send(undefined).settled).rejects.toMatchObject({ code: 'NOT_ENCODABLE' });
    await expect(session.send('c', { channel: 'no' }).settled).rejects.toMatchObject({ code: 'CONNECTION_ENDED' });
  });

  test('sends volatile messages now or never', async () => {
    const { join, sessions } = startWireServer();
    const client = await join();
    const session = first(sessions);
    expect([session.sendVolatile('now'), session.sendVolatile(new Uint8Array([7]), { type: 't' })]).toEqual([
      true,
      true,
    ]);
    client.says({ t: 'flow', w: { m: 0, b: 0 } });
    expect(session.sendVolatile('never')).toBe(false);
    client.says({ t: 'flow', w: { m: 1, b: 1 } });
    client.leave();
    expect(session.sendVolatile('never')).toBe(false);
    expect(client.frames.slice(2)).toEqual([
      { t: 'v', b: [{ d: 'now' }] },
      { t: 'bytes', s: 0, a: 0, b: [{ meta: { n: 't' }, d: new Uint8Array([7]) }] },
    ]);
  });

  test('asks and answers', async () => {
    const { join, sessions, settle, clock } = startWireServer();
    const client = await join();
    const session = first(sessions);
    session.onRequest(({ data }) => [data, 'answered']);
    client.says('{"t":"m","s":1,"b":[{"d":1,"r":"q"}]}');
    await settle();
    expect(client.of('m')).toEqual([{ t: 'm', s: 1, b: [{ d: [1, 'answered'], re: 'q' }], a: 1 }]);
    const [answered, failed, late] = [
      session.request('x'),
      session.request('y'),
      session.request('z', { timeoutMs: 99 }),
    ];
    await settle();
    const ids = client
      .of('m')
      .flatMap(({ b }) => b.map(({ r }) => r ?? []))
      .flat();
    client.says(`{"t":"m","s":2,"b":[{"d":"yes","re":"${ids[0]}"},{"d":"no","re":"${ids[1]}","h":{"error":"BUSY"}}]}`);
    await clock.advanceAsync(99);
    await expect(answered).resolves.toBe('yes');
    await expect(failed).rejects.toMatchObject({ outcome: 'rejected' });
    await expect(late).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
  });

  test('is resumed with the token that its client has, although a hello of an older socket came late', async () => {
    const { store, join, resume, settle } = startWireServer();
    const first = await join();
    const second = await resume(first);
    const attach = store.attach.bind(store);
    let answer: () => void = () => undefined;
    store.attach = async (claim) => {
      const given = await attach(claim);
      await new Promise<void>((resolve) => (answer = resolve));
      return given;
    };
    await resume(first);
    second.says({ t: 'ack', a: 0 });
    await settle();
    store.attach = attach;
    answer();
    await settle();
    expect((await resume(second)).welcome).toMatchObject({ resumed: true, sid: first.welcome.sid });
  });

  test('asks by ids that no other session has, for a late answer may come in the next', async () => {
    const { join, sessions, settle } = startWireServer();
    const clients = [await join(), await join({ nonce: 'n2' })];
    for (const session of sessions) session.request('x').catch(() => undefined);
    await settle();
    const ids = clients.flatMap((client) => client.of('m').flatMap(({ b }) => b.map(({ r }) => r)));
    expect([ids.length, new Set(ids).size]).toEqual([2, 2]);
  });

  test('ends once the client has acknowledged what was sent, and is nobody’s then', async () => {
    const { join, resume, sessions, settle, ended } = startWireServer();
    const client = await join();
    const session = first(sessions);
    session.onMessage(() => undefined);
    client.says('1["a"]');
    session.send('last');
    const closed = session.close({ why: 'done' });
    await settle();
    expect([client.closed, session.state]).toEqual([undefined, 'attached']);
    client.says({ t: 'ack', a: 1 });
    await closed;
    expect(client.of('bye')).toEqual([{ t: 'bye', keep: false, why: 'done' }]);
    expect([client.closed, session.state, ended]).toEqual([{ code: 4000, reason: 'done' }, 'ended', ['closed']]);
    const again = await resume(client);
    expect(again.welcome).toMatchObject({ resumed: false, why: 'unknown' });
    await expect(session.send('later').settled).rejects.toMatchObject({ code: 'CONNECTION_ENDED' });
  });

  test('ends after 5 s when the client acknowledges nothing, and says what is unknown', async () => {
    const { join, sessions, clock, settle } = startWireServer();
    const client = await join();
    const receipt = first(sessions).send('last');
    await settle();
    const closed = first(sessions).close({ code: 4003 });
    await clock.advanceAsync(5_000);
    await closed;
    expect(client.closed?.code).toBe(4003);
    await expect(receipt.settled).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
  });

  test('ends when the client says so, and stays when it only leaves', async () => {
    const { join, resume, sessions, settle, ended } = startWireServer();
    const client = await join();
    client.says({ t: 'bye', keep: true });
    await settle();
    const again = await resume(client);
    expect([client.closed?.code, again.welcome.resumed, ended]).toEqual([1000, true, []]);
    again.says({ t: 'bye', keep: false });
    await settle();
    expect([again.closed?.code, ended, first(sessions).state]).toEqual([4000, ['closed_by_peer'], 'ended']);
  });

  test('ends after its time without a socket', async () => {
    const { join, resume, sessions, clock, ended } = startWireServer({ ttlMs: 2_000 });
    const client = await join();
    const receipt = first(sessions).send('one');
    client.leave();
    await clock.advanceAsync(4_000);
    expect(ended).toEqual(['expired']);
    await expect(receipt.settled).rejects.toMatchObject({ outcome: 'unknown' });
    expect((await resume(client)).welcome).toMatchObject({ resumed: false, why: 'unknown' });
  });

  test('ends when more is sent to it without a socket than is kept, and the client is told', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore({ clock, maxMessages: 2 });
    const { join, resume, sessions, settle, ended } = startWireServer({}, { clock, store });
    const client = await join();
    client.leave();
    const receipts = [1, 2, 3].map((number) => first(sessions).send(number));
    await settle();
    expect(ended).toEqual(['overflow']);
    await expect(receipts[2]?.settled).rejects.toMatchObject({ code: 'CONNECTION_ENDED' });
    const again = await resume(client);
    expect(again.welcome).toMatchObject({ resumed: false, why: 'overflow', rx: 0, top: 0 });
    expect(again.welcome.sid).not.toBe(client.welcome.sid);
  });

  test('waits for acknowledgements when its store is full, and loses nothing', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore({ clock, maxMessages: 4 });
    const { join, sessions, settle } = startWireServer({}, { clock, store });
    const client = await join();
    for (let number = 1; number <= 10; number++) first(sessions).send(number);
    for (let round = 0; round < 6; round++) {
      await settle();
      client.says({ t: 'ack', a: client.payloads.length });
    }
    await settle();
    expect(client.payloads).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('has its socket closed when the client reads too slowly, and goes on with the next', async () => {
    const { join, resume, sessions, settle } = startWireServer({
      limits: { bufferedBytes: 10_000 },
    });
    const client = await join();
    client.bufferedBytes = 9_000;
    const refused = first(sessions).send('x'.repeat(2_000));
    expect(client.closed?.code).toBe(4102);
    await expect(refused.settled).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    first(sessions).send('small');
    await settle();
    expect((await resume(client)).payloads).toEqual(['small']);
  });

  test('keeps to itself what a listener throws', async () => {
    const { join, sessions, errors, settle } = startWireServer({
      onSession: (session) => {
        session.on('detached', () => {
          throw new Error('no');
        });
        throw new Error('no');
      },
    });
    const client = await join();
    client.leave();
    await settle();
    expect([errors.map(({ code }) => code), first(sessions).state]).toEqual([
      ['LISTENER_THREW', 'LISTENER_THREW'],
      'detached',
    ]);
  });
});
