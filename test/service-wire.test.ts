import { describe, expect, test } from 'vitest';

import { jsonProfile } from '../src/protocol/profile.ts';
import { srvOf, welcomeOf, WireRig } from './support/server-script.ts';
import { fateOf, rig, TERMINAL } from './support/service.ts';

const NAME = 'holdfast.v1';
const preferring = (): WireRig => new WireRig({ terminal: { wire: 'prefer' } });

describe('a service that wants plain', () => {
  test('offers no subprotocol, and is open when its socket is', async () => {
    const r = rig();
    await r.open();
    expect([r.sockets.last.protocols, r.state()]).toEqual([undefined, 'open']);
    expect(r.of('opened')).toMatchObject([{ wire: 'plain', isResumed: false }]);
    expect(r.status()).toMatchObject({ wire: 'plain', rttMs: null });
  });

  test('hands on what looks like a greeting, and answers nothing', async () => {
    const r = rig();
    const { socket } = await r.open();
    socket.says(JSON.stringify(srvOf()));
    await r.settle();
    expect([socket.sent, r.of('message').map(({ data }) => data)]).toEqual([[], [JSON.stringify(srvOf())]]);
  });
});

describe('a service that prefers holdfast.v1', () => {
  test('offers the name before its own subprotocols, once', async () => {
    const r = new WireRig({ terminal: { wire: 'prefer', protocols: ['own', NAME, 'other'] } });
    await r.dial();
    expect(r.sockets.last.protocols).toEqual([NAME, 'own', 'other']);
  });

  test('says hello only after the server has greeted, and nothing else before it is welcomed', async () => {
    const r = preferring();
    const server = await r.dial();
    const connection = r.service.connection('terminal:one');
    const receipts = [connection.send('a'), connection.send('!', { priority: 'critical' })];
    await r.clock.advanceAsync(1_000);
    expect([server.socket.sent, r.status()]).toMatchObject([
      [],
      { state: 'connecting', detail: 'awaiting', wire: null },
    ]);
    server.srv();
    await r.settle();
    expect(server.frames).toMatchObject([{ t: 'hello', v: 1, caps: [] }]);
    expect(server.hello).not.toHaveProperty('resume');
    expect([receipts.map(({ fate }) => fate), r.status().detail]).toEqual([['waiting', 'waiting'], 'introducing']);
    server.welcome();
    await r.settle();
    expect(server.messages).toEqual([
      [1, '!'],
      [2, 'a'],
    ]);
    expect([r.state(), r.status().wire]).toEqual(['open', NAME]);
  });

  test('says in its hello what it takes, as its options say', async () => {
    const wire = {
      use: 'prefer',
      maxFrameBytes: 2_048,
      maxInflatedBytes: 4_096,
      windowMessages: 8,
      windowBytes: 9,
    } as const;
    const r = new WireRig({ terminal: { wire } });
    const { server } = await r.join();
    expect(server.hello.lim).toEqual({ frame: 2_048, inflated: 4_096, win: { m: 8, b: 9 } });
  });

  test('goes on in plain on the same socket when the server shows nothing for 3 s', async () => {
    const r = preferring();
    const server = await r.dial();
    r.service.connection('terminal:one').send('hello there');
    await r.clock.advanceAsync(2_999);
    expect([r.state(), server.socket.sent]).toEqual(['connecting', []]);
    await r.clock.advanceAsync(1);
    expect([r.state(), r.status().wire, server.socket.sent]).toEqual(['open', 'plain', ['hello there']]);
    expect(r.sockets.constructions).toBe(1);
    server.socket.says('still plain');
    expect(r.of('message').map(({ data }) => data)).toEqual(['still plain']);
  });

  test.each([
    ['a text', 'hello there'],
    ['the JSON of no frame', '{"type":"welcome"}'],
    ['an echo of a frame that is no greeting', JSON.stringify(welcomeOf())],
    ['a greeting with a field that cannot be', JSON.stringify({ ...srvOf(), v: 'one' })],
    ['what looks like a batch', '1["a"]'],
  ])('goes on in plain at once when the server says %s first, and hands it on (trap 8)', async (_what, first) => {
    const r = preferring();
    const server = await r.dial();
    server.says(first);
    await r.settle();
    server.says('second');
    await r.settle();
    expect([r.state(), r.status().wire]).toEqual(['open', 'plain']);
    expect(r.of('message').map(({ data }) => data)).toEqual([first, 'second']);
    expect(server.socket.sent).toEqual([]);
  });

  test('hands on bytes that came first as bytes', async () => {
    const r = preferring();
    const server = await r.dial();
    const bytes = Uint8Array.of(9, 9).buffer;
    server.says(bytes);
    await r.settle();
    expect([r.status().wire, r.of('message').map(({ data }) => data)]).toEqual(['plain', [bytes]]);
  });

  test.each(['', 'other'])('goes on in plain at once when the server selected %j', async (protocol) => {
    const r = preferring();
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.protocol = protocol;
    await r.opens();
    expect([r.state(), r.status().wire]).toEqual(['open', 'plain']);
  });

  test('takes an echo of the name for no proof (trap 8)', async () => {
    const r = preferring();
    void r.service.connect(TERMINAL);
    await r.settle();
    r.sockets.last.protocol = NAME;
    const server = await r.opens();
    await r.clock.advanceAsync(3_000);
    expect([r.status().wire, server.socket.sent]).toEqual(['plain', []]);
  });

  test('ends with 4002 where no version is spoken by both, and speaks plain at the next attempt', async () => {
    const r = preferring();
    const server = await r.dial();
    server.srv({ v: [2, 3] });
    await r.settle();
    expect(server.socket.closeCalls[0]).toMatchObject({ code: 4002 });
    expect([r.state(), server.socket.sent]).toEqual(['backoff', []]);
    expect(r.status().lastError).toMatchObject({
      code: 'PROTOCOL_VIOLATION',
      category: 'protocol_error',
      closeCode: 4002,
    });
    await r.clock.advanceAsync(200);
    expect(r.sockets.last.protocols ?? []).not.toContain('holdfast.v1');
  });

  test('asks again, by the same name, when it is not welcomed within 10 s (trap 13)', async () => {
    const r = preferring();
    const server = await r.dial();
    server.srv();
    await r.clock.advanceAsync(9_999);
    expect(r.state()).toBe('connecting');
    await r.clock.advanceAsync(1);
    expect(r.status()).toMatchObject({ state: 'backoff', lastError: { code: 'WELCOME_TIMEOUT' } });
    const next = await r.redial();
    expect(next.hello.nonce).toBe(server.hello.nonce);
  });
});

describe('what worked at a URL', () => {
  test('after a handshake that was refused with the name is plain, tried at the next retry, and remembered', async () => {
    const r = preferring();
    void r.service.connect(TERMINAL);
    await r.settle();
    await r.drops();
    expect(r.of('retrying')).toMatchObject([{ attempt: 1, error: { code: 'HANDSHAKE_FAILED' } }]);
    await r.passBackoff();
    expect(r.sockets.all.map(({ protocols }) => protocols)).toEqual([[NAME], undefined]);
    await r.opens();
    expect([r.state(), r.status().wire]).toEqual(['open', 'plain']);
    void r.service.connect({ serviceType: 'terminal', terminalId: 'two' });
    await r.settle();
    expect(r.sockets.last.protocols).toBeUndefined();
  });

  test('is asked for by turns while the server refuses every handshake', async () => {
    const r = preferring();
    void r.service.connect(TERMINAL);
    await r.settle();
    for (let refusal = 1; refusal <= 3; refusal++) {
      await r.drops();
      await r.passBackoff();
    }
    expect(r.sockets.all.map(({ protocols }) => protocols)).toEqual([[NAME], undefined, [NAME], undefined]);
    expect(r.of('retrying').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  test('is forgotten after 30 min, and asked for anew', async () => {
    const r = preferring();
    await r.dial();
    await r.clock.advanceAsync(3_000);
    await r.drops();
    await r.reopen();
    expect(r.sockets.last.protocols).toBeUndefined();
    await r.clock.advanceAsync(30 * 60_000);
    await r.drops();
    await r.passBackoff();
    expect(r.sockets.last.protocols).toEqual([NAME]);
  });

  test('is forgotten as plain when the server ends that as only one of holdfast.v1 does, and asked for anew', async () => {
    const r = preferring();
    const server = await r.dial();
    // it was slow: what it says now comes too late
    await r.clock.advanceAsync(3_000);
    expect(r.status().wire).toBe('plain');
    server.socket.ends(4001, 'a frame is no JSON');
    await r.settle();
    await r.passBackoff();
    expect(r.sockets.last.protocols).toEqual([NAME]);
  });

  test('is known by its path: another service of the same host asks for itself, and a token in the query changes nothing', async () => {
    let token = 0;
    const r = new WireRig({
      services: {
        terminal: { url: () => `wss://host/terminal?token=${++token}`, wire: 'prefer' },
        chat: { url: 'wss://host/chat', wire: 'prefer' },
      },
    });
    await r.dial();
    await r.clock.advanceAsync(3_000);
    await r.drops();
    await r.reopen();
    void r.service.connect({ serviceType: 'chat' });
    await r.settle();
    expect(r.sockets.all.map(({ url, protocols }) => [url, protocols])).toEqual([
      ['wss://host/terminal?token=1', [NAME]],
      ['wss://host/terminal?token=2', undefined],
      ['wss://host/chat', [NAME]],
    ]);
  });

  test('is holdfast.v1 still while a server that spoke it is down', async () => {
    const r = preferring();
    await r.join();
    await r.drops();
    for (let refusal = 1; refusal <= 2; refusal++) {
      await r.passBackoff();
      await r.drops();
    }
    await r.passBackoff();
    expect(new Set(r.sockets.all.map(({ protocols }) => protocols?.[0]))).toEqual(new Set([NAME]));
  });

  test('does not matter to a session that may be resumed: it is asked for, whatever a handshake meets', async () => {
    const r = new WireRig({ terminal: { wire: 'prefer', heartbeat: false } });
    await r.join({ ping: { iv: 10_000_000, to: 10_000 } });
    // longer than is remembered
    await r.clock.advanceAsync(31 * 60_000);
    await r.drops();
    await r.passBackoff();
    await r.drops();
    expect((await r.redial()).hello.resume?.sid).toBe('s1');
  });
});

describe('a service that requires holdfast.v1', () => {
  test.each<[string, (r: WireRig) => Promise<unknown>]>([
    ['that shows nothing for 3 s', (r) => r.clock.advanceAsync(3_000)],
    [
      'that says something else first',
      (r) => {
        r.server.says('hello there');
        return r.settle();
      },
    ],
  ])('does not open at a server %s: it is told WIRE_UNAVAILABLE, and tried again', async (_what, happens) => {
    const r = new WireRig();
    const opened = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    await r.opens();
    await happens(r);
    expect(r.status()).toMatchObject({ state: 'backoff', lastError: { code: 'WIRE_UNAVAILABLE', retryable: true } });
    expect([r.of('message'), r.of('opened'), opened.kind]).toEqual([[], [], 'pending']);
    const server = await r.redial();
    server.welcome();
    await r.settle();
    expect([opened.kind, r.sockets.last.protocols]).toEqual(['resolved', [NAME]]);
  });

  test('offers the name after a refused handshake too', async () => {
    const r = new WireRig();
    void r.service.connect(TERMINAL);
    await r.settle();
    await r.drops();
    await r.passBackoff();
    expect(r.sockets.last.protocols).toEqual([NAME]);
  });

  test('gives up where no retry is left, and says why', async () => {
    const r = new WireRig({ terminal: { retry: { maxRetries: 0 } } });
    const opened = fateOf(r.service.connect(TERMINAL));
    await r.settle();
    await r.opens();
    await r.clock.advanceAsync(3_000);
    expect([r.state(), opened.error]).toMatchObject(['failed', { code: 'WIRE_UNAVAILABLE' }]);
  });
});

describe('what a profile says on opening', () => {
  const profile = { ...jsonProfile, onOpen: () => [{ subscribe: 'news' }] };

  test('leaves in a new session before anything that waited, once (pain 15)', async () => {
    const r = new WireRig({ terminal: { profile } });
    const server = await r.dial();
    r.service.connection('terminal:one').send('waited');
    server.srv();
    await r.settle();
    server.welcome();
    await r.settle();
    expect(server.messages).toEqual([
      [1, { subscribe: 'news' }],
      [2, 'waited'],
    ]);
    server.acks(2);
    await r.settle();
    expect(r.status().messages).toMatchObject({ accepted: 1, acknowledged: 1, waiting: 0 });
  });

  test('is not said again in a session that goes on, and is in one that does not (pain 38)', async () => {
    const r = new WireRig({ terminal: { profile } });
    const { server } = await r.join();
    server.acks(1);
    await r.drops();
    const resumed = await r.resume();
    expect(resumed.messages).toEqual([]);
    await r.drops();
    const fresh = await r.redial();
    fresh.welcome({ sid: 's2', why: 'unknown' });
    await r.settle();
    expect(fresh.messages).toEqual([[1, { subscribe: 'news' }]]);
  });

  test.each<[string, () => Iterable<unknown> | Promise<Iterable<unknown>>]>([
    [
      'threw',
      () => {
        throw new Error('not yet');
      },
    ],
    ['was not ready when the socket was lost', () => new Promise(() => undefined)],
  ])('is said in the session that goes on, when it %s before', async (_what, first) => {
    let calls = 0;
    const r = new WireRig({
      terminal: { profile: { ...jsonProfile, onOpen: () => (++calls === 1 ? first() : [{ subscribe: 'news' }]) } },
    });
    await r.join();
    if (r.state() !== 'backoff') await r.drops();
    r.service.connection('terminal:one').send('waited');
    const resumed = await r.resume();
    expect([calls, resumed.messages]).toEqual([
      2,
      [
        [1, { subscribe: 'news' }],
        [2, 'waited'],
      ],
    ]);
  });
});
