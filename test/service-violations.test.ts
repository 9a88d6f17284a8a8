import { describe, expect, test } from 'vitest';

import type { ServerFrame } from '../src/protocol/frames.ts';
import { ServerScript, srvOf, welcomeOf, WireRig } from './support/server-script.ts';
import { fateOf, NOTHING_LEFT, TERMINAL } from './support/service.ts';

type Said = ServerFrame | string | ArrayBuffer;

async function afterSaying(said: Said, options?: ConstructorParameters<typeof WireRig>[0]): Promise<WireRig> {
  const r = new WireRig(options);
  const { connection, server } = await r.join();
  connection.send('in doubt');
  await r.settle();
  server.says(said);
  await r.settle();
  return r;
}

describe('a server that breaks the protocol', () => {
  test.each<[string, Said]>([
    ['by a greeting on a socket that has had one', srvOf()],
    ['by a second welcome', welcomeOf()],
    ['by acknowledging what was never sent', { t: 'ack', a: 2 }],
    ['by acknowledging it with messages', '1,2["x"]'],
    ['by refusing what was never sent', { t: 'nack', s: 1, e: 2, c: 'X', m: '', temp: false, out: 'rejected' }],
    ['by text that is no frame', 'hello there'],
    ['by bytes that are no frame', Uint8Array.of(9, 9, 9).buffer],
    ['by no bytes at all', new ArrayBuffer(0)],
    ['by a frame of an unknown type', '{"t":"news"}'],
    ['by a frame that only a client sends', '{"t":"open","c":"a","n":"b"}'],
    ['by a frame with a field that cannot be', '{"t":"ack","a":-1}'],
    ['by compressing without having agreed on it', Uint8Array.of(2, 1, 1, 3, 0).buffer],
    ['by a batch at no position', '0["x"]'],
  ])('%s is told so with 4001, and given up', async (_how, said) => {
    const r = await afterSaying(said);
    expect(r.sockets.last.closeCalls[0]?.code).toBe(4001);
    expect(r.state()).toBe('failed');
    expect(r.of('gaveUp')).toMatchObject([{ because: 'terminal', error: { code: 'PROTOCOL_VIOLATION' } }]);
    expect(r.of('undelivered')).toMatchObject([{ messageId: 'm1', error: { outcome: 'unknown' } }]);
    await r.clock.advanceAsync(60_000);
    expect([r.sockets.constructions, r.of('message')]).toEqual([1, []]);
  });

  test('by a frame that is larger than it was told is told so with 4006', async () => {
    const wire = { use: 'required', maxFrameBytes: 1_024 } as const;
    const r = await afterSaying(`1["${'x'.repeat(1_024)}"]`, { terminal: { wire } });
    expect([r.sockets.last.closeCalls[0]?.code, r.state()]).toEqual([4006, 'failed']);
    expect(r.of('message')).toEqual([]);
  });

  test('says nothing to the application of what broke it: it may hold a secret (pain 60)', async () => {
    const r = await afterSaying('{"t":"welcome","tok":"s3cr3t"');
    expect(`${r.status().lastError?.message ?? ''} ${r.sockets.last.closeCalls[0]?.reason ?? ''}`).not.toContain(
      's3cr3t',
    );
  });

  test('may go on with a frame of an unknown type that says that it may be ignored', async () => {
    const r = await afterSaying('{"t":"news","o":1,"x":[1]}');
    expect([r.state(), r.sockets.last.closeCalls]).toEqual(['open', []]);
  });

  test.each<[string, Said[]]>([
    ['a message before the welcome', ['1["x"]']],
    ['a greeting twice', [srvOf(), srvOf()].slice(1)],
    ['no frame at all', ['hello there']],
    ['a new session that has something of the client', [welcomeOf({ rx: 3 })]],
    ['a resumption that nobody asked for', [welcomeOf({ resumed: true })]],
  ])('before the session is open, by %s, likewise', async (_what, said) => {
    const r = new WireRig();
    const opened = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    const server = await r.opens();
    server.srv();
    await r.settle();
    server.says(...said);
    await r.settle();
    expect([server.socket.closeCalls[0]?.code, r.state()]).toEqual([4001, 'failed']);
    expect(opened.error).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
    await r.destroy();
    expect(r.leftovers()).toEqual(NOTHING_LEFT);
  });

  test.each([
    ['another session', { sid: 's2' }],
    ['another history', { ep: 'e2' }],
    ['fewer messages of its own than it has sent', { top: 1 }],
    ['fewer of the client’s than it has acknowledged', { rx: 0 }],
    ['more of the client’s than were sent', { rx: 3 }],
  ])('by resuming with %s is told so with 4001', async (_what, wrong) => {
    const r = new WireRig();
    const { connection, server } = await r.join();
    for (const text of ['1', '2']) connection.send(text);
    server.sends(1, 'a', 'b');
    await r.settle();
    server.acks(1);
    await r.drops();
    const next = await r.resume({ rx: 2, top: 2, ...wrong });
    expect([next.socket.closeCalls[0]?.code, r.state()]).toEqual([4001, 'failed']);
  });

  test('before the session is open may say why it is about to close, and that reaches the error', async () => {
    const r = new WireRig({ terminal: { retry: { maxRetries: 0 } } });
    const server = await r.dial();
    server.srv();
    await r.settle();
    server.says({ t: 'err', c: 'MAINTENANCE', m: 'back\u0007 soon', temp: true });
    await r.drops(server.socket, 4103);
    expect(r.status().lastError?.message).toContain('MAINTENANCE: back  soon');
  });
});

describe('a server that closes', () => {
  test.each<[number, 'failed' | 'backoff']>([
    [4000, 'failed'],
    [4001, 'failed'],
    [4002, 'failed'],
    [4003, 'failed'],
    [4004, 'failed'],
    [4005, 'failed'],
    [4006, 'failed'],
    [4007, 'failed'],
    [4100, 'backoff'],
    [4101, 'backoff'],
    [4102, 'backoff'],
    [4103, 'backoff'],
    [4200, 'backoff'],
    [4201, 'backoff'],
    [4202, 'backoff'],
    [4203, 'backoff'],
    [4204, 'backoff'],
    // there is nobody to ask for others
    [4300, 'failed'],
    [4301, 'backoff'],
  ])('with %i leaves the connection %s', async (code, state) => {
    const r = new WireRig();
    const { server } = await r.join();
    await r.drops(server.socket, code);
    expect(r.state()).toBe(state);
    expect(r.of('closed')).toMatchObject([{ code, initiator: 'peer' }]);
  });

  test('because a newer socket has the session is not asked again', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    await r.drops(server.socket, 4004);
    await r.clock.advanceAsync(600_000);
    expect([r.state(), r.sockets.constructions]).toEqual(['failed', 1]);
  });

  test('because of a hello that was given up, and read late, is asked again: that was nobody else', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    await r.drops(server.socket, 1006);
    await r.passBackoff();
    r.sockets.last.opens();
    new ServerScript(r.sockets.last).srv();
    await r.settle();
    await r.drops(r.sockets.last, 1006);
    await r.resume();
    await r.drops(r.sockets.last, 4004);
    expect(r.state()).toBe('backoff');
  });

  test('having said why and for how long is not asked sooner', async () => {
    const r = new WireRig();
    const { server } = await r.join();
    server.says({ t: 'err', c: 'OVERLOADED', m: 'too many clients', temp: true, ra: 20_000, fatal: true });
    await r.drops(server.socket, 4100);
    expect(r.of('retrying')[0]?.delayMs).toBeGreaterThanOrEqual(20_000);
    expect(r.status().lastError?.message).toContain('OVERLOADED: too many clients');
    await r.resume();
    await r.drops();
    expect(r.of('retrying')[1]?.delayMs).toBeLessThan(20_000);
  });

  test('because the credentials expired is asked again with fresh ones, and the session goes on (trap 12)', async () => {
    let tokens = 0;
    const r = new WireRig({ terminal: { credentials: () => `t${++tokens}` } });
    const { server } = await r.join();
    await r.drops(server.socket, 4300);
    const next = await r.redial();
    expect([server.hello.auth, next.hello.auth, next.hello.resume?.sid]).toEqual(['t1', 't2', 's1']);
  });
});
