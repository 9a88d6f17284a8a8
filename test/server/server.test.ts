import { describe, expect, test, vi } from 'vitest';

import { MemoryStore } from '../../src/server/memory-store.ts';
import { createHoldfastServer } from '../../src/server/server.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { WireClient } from '../support/wire-client.ts';
import { startWireServer } from '../support/wire-server.ts';

const authenticate = () => ({ principal: 'ann' });

describe('a handshake', () => {
  const offering = (protocols: string, origin?: string) => ({
    headers: { 'sec-websocket-protocol': protocols, ...(origin !== undefined && { origin }) },
  });

  test('selects the subprotocol only for those who offer it', () => {
    const { server } = startWireServer();
    expect(server.handshake(offering('chat, holdfast.v1'))).toEqual({ protocol: 'holdfast.v1' });
    expect(server.handshake(offering('chat'))).toEqual({ refused: 400 });
    expect(server.handshake({ headers: {} })).toEqual({ refused: 400 });
  });

  test('lets a socket without it through to the application that asks for those', () => {
    const taken: unknown[] = [];
    const { server, errors } = startWireServer({
      onPlain: (socket) => {
        taken.push(socket);
        throw new Error('no');
      },
    });
    expect(server.handshake(offering('chat'))).toEqual({ protocol: null });
    server.plain('socket', { headers: {} });
    expect([taken, errors.map(({ code }) => code)]).toEqual([['socket'], ['LISTENER_THREW']]);
  });

  test('refuses pages that are not on the list, and no client that is no page', () => {
    const { server } = startWireServer({ origins: ['https://a.example'] });
    expect(server.handshake(offering('holdfast.v1', 'https://b.example'))).toEqual({ refused: 403 });
    expect(server.handshake(offering('holdfast.v1', 'https://a.example'))).toEqual({ protocol: 'holdfast.v1' });
    expect(server.handshake(offering('holdfast.v1'))).toEqual({ protocol: 'holdfast.v1' });
  });

  test('is refused while the server leaves, and a socket that comes all the same is closed', async () => {
    const { server, connect } = startWireServer();
    await server.drain();
    expect(server.handshake(offering('holdfast.v1'))).toEqual({ refused: 503 });
    expect(connect().closed?.code).toBe(4200);
  });
});

describe('presence', () => {
  test('tells which sessions are here, and whose they are', async () => {
    const { server, join, clock } = startWireServer({ ttlMs: 5_000 });
    const seen: string[] = [];
    server.on('session', ({ principal }) => seen.push(`${principal} came`));
    server.on('detached', ({ principal }) => seen.push(`${principal} is away`));
    server.on('ended', ({ session, why }) => seen.push(`${session.principal} ${why}`));
    server.on('closed', ({ code }) => seen.push(String(code)));
    const ann = await join({ auth: 'ann' });
    await join({ auth: 'bob' });
    expect(server.sessions.map(({ principal }) => principal)).toEqual(['ann', 'bob']);
    expect(server.sessionsOf('bob')).toHaveLength(1);
    ann.leave(1006);
    await clock.advanceAsync(10_000);
    expect(server.sessionsOf('ann')).toEqual([]);
    expect(seen).toEqual(['ann came', 'bob came', 'ann is away', '1006', 'ann expired']);
    expect(server.socketCount).toBe(1);
  });

  test('tells of a session that is away, and of its return, once each', async () => {
    const { server, join, resume, settle } = startWireServer();
    const seen: string[] = [];
    for (const type of ['session', 'detached', 'resumed'] as const)
      server.on(type, ({ principal, state }) => seen.push(`${type} ${principal} ${state}`));
    const client = await join({ auth: 'ann' });
    client.leave(1006);
    await settle();
    await resume(client, {}, { auth: 'ann' });
    expect(seen).toEqual(['session ann detached', 'detached ann detached', 'resumed ann attached']);
  });
});

describe('a broadcast', () => {
  test('goes to all, or to those who are picked, with one payload, and waits for nobody', async () => {
    const { server, join, settle } = startWireServer();
    const clients = [await join({ auth: 'ann' }), await join({ auth: 'bob' }), await join({ auth: 'eve' })];
    clients[1]?.leave();
    expect(server.broadcast({ hi: 1 })).toBe(3);
    expect(server.broadcast('some', { type: 'greeting', to: ({ principal }) => principal !== 'eve' })).toBe(2);
    await settle();
    expect(clients.map(({ payloads }) => payloads)).toEqual([[{ hi: 1 }, 'some'], [], [{ hi: 1 }]]);
  });

  test('throws for what cannot travel', () => {
    const { server } = startWireServer();
    expect(() => server.broadcast(() => 1)).toThrow(expect.objectContaining({ code: 'NOT_ENCODABLE' }));
  });
});

describe('a drain', () => {
  test('asks every client to leave, and is over when the last one has', async () => {
    const { server, join, settle } = startWireServer();
    const clients = [await join({ auth: 'ann' }), await join({ auth: 'bob' })];
    let isOver = false;
    const drained = server
      .drain({ deadlineMs: 5_000, why: 'deploy', url: 'wss://b.example' })
      .then(() => (isOver = true));
    expect(clients.map((client) => client.of('away'))).toEqual([
      [{ t: 'away', in: 5_000, spread: 5_000, why: 'deploy', url: 'wss://b.example' }],
      [{ t: 'away', in: 5_000, spread: 5_000, why: 'deploy', url: 'wss://b.example' }],
    ]);
    clients[0]?.leave(1000);
    await settle();
    expect(isOver).toBe(false);
    clients[1]?.leave(1000);
    await drained;
    expect(server.socketCount).toBe(0);
  });

  test('asks a client that is welcomed while it goes on as well, at once, with the time that is left', async () => {
    // a clock may know parts of a millisecond, the protocol does not
    const { server, join, connect, clock, settle } = startWireServer({}, { clock: new SimulatedClock(0.25) });
    const [before, opening, resuming] = [await join({ auth: 'ann' }), connect(), connect()];
    const drained = server.drain({ spreadMs: 4_000, deadlineMs: 5_000, why: 'deploy' });
    await clock.advanceAsync(1_999.5);
    opening.hello({ auth: 'bob' });
    const { sid, tok, ep } = before.welcome;
    resuming.hello({ nonce: 'n2', resume: { sid, tok, ep, rx: 0, lo: 1, hi: 0 } });
    await settle();
    for (const client of [opening, resuming]) {
      expect(client.frames.map(({ t }) => t)).toEqual(['srv', 'welcome', 'away']);
      expect(client.of('away')).toEqual([{ t: 'away', in: 3_000, spread: 3_000, why: 'deploy' }]);
    }
    await clock.advanceAsync(3_000.5);
    await drained;
    expect([opening.closed?.code, resuming.closed?.code]).toEqual([4200, 4200]);
  });

  test('closes those who have not left by the deadline, and cuts those who do not answer', async () => {
    const { server, join, clock } = startWireServer();
    const [slow, deaf] = [await join({ auth: 'ann' }), await join({ auth: 'bob' })];
    deaf.isDeaf = true;
    const drained = server.drain({ deadlineMs: 5_000 });
    await clock.advanceAsync(5_000);
    expect([slow.closed?.code, deaf.closed?.code, deaf.isTerminated]).toEqual([4200, 4200, false]);
    await clock.advanceAsync(6_000);
    await drained;
    expect(deaf.isTerminated).toBe(true);
  });
});

describe('a server that compresses', () => {
  test('greets nobody before it can, so that the first socket is compressed as well', async () => {
    const { connect, settle, sessions } = startWireServer({ compression: true });
    const client = connect();
    await vi.waitFor(() => {
      expect(client.of('srv')[0]?.caps).toEqual(['deflate-raw']);
    });
    client.hello({ caps: ['deflate-raw'] });
    await settle();
    sessions[0]?.send('x'.repeat(2_000));
    await settle();
    expect([client.welcome.caps, client.payloads]).toEqual([['deflate-raw'], ['x'.repeat(2_000)]]);
    expect(client.raw.at(-1)?.length).toBeLessThan(1_000);
  });

  test('keeps a window for as many sockets as it may, and gives that of one that is gone to the next', async () => {
    const caps = ['deflate-raw', 'deflate-window'];
    const { connect, settle } = startWireServer({ compression: { windows: 1 } });
    const first = connect();
    await vi.waitFor(() => {
      expect(first.of('srv')[0]?.caps).toEqual(caps);
    });
    const [second, gone] = [connect(), connect()];
    gone.hello({ caps, nonce: 'gone' });
    gone.leave();
    await settle();
    first.hello({ caps, nonce: 'first' });
    await settle();
    second.hello({ caps, nonce: 'second' });
    await settle();
    expect([first.welcome.caps, second.welcome.caps]).toEqual([caps, ['deflate-raw']]);
    first.leave();
    const third = connect();
    third.hello({ caps, nonce: 'third' });
    await settle();
    // the same client by another socket takes it along
    const again = connect();
    again.hello({ caps, nonce: 'third' });
    await settle();
    expect([third.welcome.caps, third.closed?.code, again.welcome.caps]).toEqual([caps, 4004, caps]);
  });

  test('knows no hello before its greeting, and lets go of a socket that leaves before it', async () => {
    const { connect, server } = startWireServer({ compression: true });
    const [early, gone] = [connect(), connect()];
    early.hello();
    gone.leave();
    expect([early.closed?.code, server.socketCount]).toEqual([4001, 1]);
    await vi.waitFor(() => {
      expect(connect().of('srv')).toHaveLength(1);
    });
    expect([early.frames, gone.frames]).toEqual([[], []]);
  });
});

describe('the end of a server', () => {
  test('ends sessions and settles what waits, and leaves no timer', async () => {
    const clock = new SimulatedClock();
    const server = createHoldfastServer({ clock, authenticate });
    const client = new WireClient(server);
    client.hello();
    await clock.advanceAsync(0);
    const [session] = server.sessions;
    const receipt = session?.send('late');
    const asked = session?.request('question');
    const ended: string[] = [];
    session?.on('ended', ({ why }) => ended.push(why));
    const closed = server.close();
    await clock.advanceAsync(0);
    await closed;
    await expect(receipt?.settled).rejects.toMatchObject({ code: 'CONNECTION_ENDED', outcome: 'not_sent' });
    await expect(asked).rejects.toMatchObject({ code: 'REPLY_LOST' });
    expect([ended, client.closed?.code, clock.pending(), server.sessions]).toEqual([['released'], 4200, 0, []]);
    expect(server.close()).toBe(server.close());
  });

  test('cuts those who do not answer, after a second', async () => {
    const clock = new SimulatedClock();
    const server = createHoldfastServer({ clock, authenticate });
    const client = new WireClient(server);
    client.isDeaf = true;
    const closed = server.close();
    await clock.advanceAsync(1_000);
    await closed;
    expect([client.isTerminated, clock.pending()]).toEqual([true, 0]);
  });

  test('leaves its sessions in a store that was handed in, for another node', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore({ clock });
    const first = startWireServer({ node: 'a' }, { clock, store });
    const before = await first.join();
    first.sessions[0]?.send('one');
    await first.settle();
    const closed = first.server.close();
    await clock.advanceAsync(0);
    await closed;
    const second = startWireServer({ node: 'b' }, { clock, store });
    const after = await second.resume(before);
    expect([after.welcome.resumed, after.payloads, second.sessions[0]?.isInherited]).toEqual([true, ['one'], true]);
  });
});

describe('two nodes with one store', () => {
  test('hand a session over: the newer socket wins, and what was sent at the first arrives at the second', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore({ clock });
    const first = startWireServer({ node: 'a' }, { clock, store });
    const second = startWireServer({ node: 'b' }, { clock, store });
    const before = await first.join();
    const session = first.sessions[0];
    session?.send('one');
    await first.settle();
    const after = await second.resume(before);
    expect(before.closed?.code).toBe(4004);
    expect([after.welcome.resumed, after.payloads, first.ended]).toEqual([true, ['one'], ['taken_over']]);
    expect(session?.state).toBe('ended');
  });

  test('wake each other: what one node appends the other sends', async () => {
    const { store, join, sessions, settle } = startWireServer();
    const client = await join();
    await store.append(sessions[0]?.id ?? '', null, [{ data: '"from elsewhere"' }]);
    await settle();
    expect(client.payloads).toEqual(['from elsewhere']);
  });

  test('find what they were not woken for, and that they are fenced, when they say that they are alive', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore({ clock });
    // its news are lost
    store.subscribe = () => () => undefined;
    const first = startWireServer({ node: 'a' }, { clock, store });
    const before = await first.join();
    await store.append(first.sessions[0]?.id ?? '', null, [{ data: '"unheard"' }]);
    await clock.advanceAsync(11_000);
    expect(before.payloads).toEqual(['unheard']);
    const second = startWireServer({ node: 'b' }, { clock, store });
    const after = await second.resume(before);
    expect([after.welcome.resumed, before.closed]).toEqual([true, undefined]);
    await clock.advanceAsync(11_000);
    expect([before.closed?.code, first.ended]).toEqual([4004, ['taken_over']]);
  });
});
