import { describe, expect, test } from 'vitest';

import type { ConnectionEvent } from '../machines/facts.ts';
import { encodePlain } from '../src/protocol/codec.ts';
import { settle, type ServiceSettings } from '../src/settings.ts';
import type { ServiceOptions } from '../src/options.ts';
import { SocketAccess } from '../src/socket-access.ts';
import { WireMemory } from '../src/wire-memory.ts';
import { browserSockets } from './support/fake-socket.ts';
import { OutboxRig } from './support/outbox.ts';
import { ServerScript, type Welcome } from './support/server-script.ts';
import { microtasks } from './support/service.ts';

/** What one connection reaches its peer by, without the charts that tell it when to do what. */
class Reach extends OutboxRig {
  readonly sockets = browserSockets();
  readonly memory = new WireMemory(() => this.clock.now());
  readonly access: SocketAccess;
  readonly received: unknown[] = [];
  readonly told: ConnectionEvent[] = [];
  readonly heard: string[] = [];
  #names = 0;

  constructor(options: Partial<ServiceOptions> = {}, { hasWebSocket = true } = {}) {
    super();
    const { outbox } = this;
    const settings = settle({ services: { main: { url: 'wss://host/', wire: 'prefer', ...options } } });
    this.access = new SocketAccess({
      settings: () => settings.services.get('main') as ServiceSettings,
      clock: this.clock,
      webSocket: () => (hasWebSocket ? this.sockets.WebSocket : undefined),
      facts: () => ({
        connectionId: 'c',
        serviceType: 'main',
        terminalId: undefined,
        sessionId: undefined,
        params: {},
        attempt: 0,
        lastFailure: undefined,
      }),
      freshId: () => `n${++this.#names}`,
      memory: this.memory,
      outbox,
      inbox: { receive: (payload) => this.received.push(payload) },
      received: () => undefined,
      measured: () => undefined,
      sent: () => undefined,
      roundTrips: () => null,
      isWatched: () => true,
      unanswered: () => undefined,
      sessionLost: () => this.heard.push('session lost'),
      moved: () => {
        this.heard.push('moved');
        this.joins();
      },
      failed: ({ code }) => this.heard.push(code),
      report: (cause) => this.heard.push(String(cause)),
      context: { connectionId: 'c', serviceType: 'main' },
    });
  }

  get server(): ServerScript {
    return new ServerScript(this.sockets.last);
  }

  tells = (event: ConnectionEvent): void => {
    this.told.push(event);
  };

  /** Asks where to go, and makes a socket there. */
  async dials(generation = 1, offer: 'made' | 'withheld' = 'made'): Promise<void> {
    this.access.authorize('fresh', () => undefined);
    this.access.locate(() => undefined);
    await microtasks();
    this.access.dial({ generation, offer }, this.tells);
  }

  /** The same, and the server welcomes. */
  async welcomed(generation = 1, given?: Partial<Welcome>): Promise<ServerScript> {
    await this.dials(generation);
    this.sockets.last.opens();
    this.access.negotiate(this.tells);
    this.server.srv();
    this.server.welcome(given);
    return this.server;
  }

  joins(): void {
    const joined = this.access.join();
    if (!joined) return;
    this.tell('attached');
    this.outbox.attach(joined.wire, joined);
    this.access.read();
  }

  get last(): ConnectionEvent | undefined {
    return this.told.at(-1);
  }
}

describe('dialling', () => {
  test('goes to what was found, once: the address and the token are not kept (pain 60)', async () => {
    const r = new Reach({ credentials: () => 'secret' });
    await r.dials();
    expect(r.sockets.all.map(({ url }) => url)).toEqual(['wss://host/']);
    r.access.hangUp();
    r.access.dial({ generation: 2, offer: 'made' }, r.tells);
    expect(r.last).toMatchObject({ type: 'socket.closed', generation: 2, failure: { code: 'INVALID_URL' } });
    expect(JSON.stringify([r.told, r.access.facts])).not.toContain('secret');
  });

  test('fails where there is no WebSocket', async () => {
    const r = new Reach({}, { hasWebSocket: false });
    await r.dials();
    expect(r.last).toMatchObject({ failure: { code: 'NO_WEBSOCKET', strategy: 'manual' } });
    expect(r.access.isLinked).toBe(false);
  });

  test('names each attempt anew', async () => {
    const r = new Reach();
    await r.dials();
    const first = r.access.facts.attemptId;
    await r.dials(2);
    expect(r.access.facts.attemptId).not.toBe(first);
  });

  test.each([
    ['plain', 'made', undefined, false],
    ['required', 'withheld', 'plain', true],
    ['prefer', 'made', undefined, true],
    ['prefer', 'withheld', undefined, false],
    ['prefer', 'made', 'plain', false],
    ['prefer', 'withheld', 'holdfast.v1', true],
  ] as const)(
    'with the wire %s, an offer that is %s and %s known offers the name: %j',
    async (wire, offer, known, offers) => {
      const r = new Reach({ wire });
      if (known) r.memory.remember('wss://host/', known);
      await r.dials(1, offer);
      r.sockets.last.opens();
      expect(r.sockets.last.protocols?.includes('holdfast.v1') ?? false).toBe(offers);
      expect(r.last).toMatchObject({ type: 'socket.opened', generation: 1, wire: offers ? 'offered' : 'plain' });
    },
  );

  test('remembers that a handshake works without the name', async () => {
    const r = new Reach();
    await r.dials(1, 'withheld');
    expect(r.memory.recall('wss://host/')).toBeUndefined();
    r.sockets.last.opens();
    expect(r.memory.recall('wss://host/')).toBe('plain');
  });
});

describe('a link', () => {
  test('that turned out plain is joined by a plain wire, whose peer has proved nothing', async () => {
    const r = new Reach();
    await r.dials();
    r.sockets.last.opens();
    r.access.negotiate(r.tells);
    r.access.yieldToPlain();
    expect([r.last, r.memory.recall('wss://host/')]).toMatchObject([{ type: 'wire.plain', lost: null }, 'plain']);
    r.access.greet([encodePlain('first')]);
    expect([r.access.join()?.isTrusted, r.access.isSession, r.sockets.last.sent]).toEqual([false, false, ['first']]);
    r.access.read();
    r.sockets.last.says('a');
    expect(r.received).toEqual(['a']);
  });

  test('of a session is joined by its wire, whose peer has proved that it listens', async () => {
    const r = new Reach();
    const server = await r.welcomed();
    expect([r.last, r.memory.recall('wss://host/')]).toMatchObject([{ type: 'session.welcomed' }, 'holdfast.v1']);
    r.access.greet([encodePlain('first')]);
    expect([r.access.join()?.isTrusted, r.access.isSession, server.messages]).toEqual([true, true, [[1, 'first']]]);
  });

  test('carries the ids of requests until it turns out that it does not', async () => {
    const r = new Reach();
    const carried = [r.access.carriesIds];
    await r.dials();
    carried.push(r.access.carriesIds);
    r.sockets.last.opens();
    r.access.negotiate(r.tells);
    carried.push(r.access.carriesIds);
    r.access.yieldToPlain();
    carried.push(r.access.carriesIds);
    r.access.hangUp();
    carried.push(r.access.carriesIds, new Reach({ wire: 'plain' }).access.carriesIds);
    expect(carried).toEqual([true, true, true, false, true, false]);
  });

  test('that is not there cannot be joined, read, negotiated with, probed or closed, and nothing is thrown', () => {
    const { access } = new Reach();
    access.negotiate(() => undefined)();
    access.asking.probe(() => undefined)();
    expect(access.asking.ping(() => undefined)).toBe(false);
    access.yieldToPlain();
    access.greet([]);
    access.read();
    access.unread();
    access.close(1000, '');
    access.hangUp();
    expect([access.join(), access.isLinked]).toEqual([undefined, false]);
  });

  test('that ends says how, and whether the peer has read everything', async () => {
    const r = new Reach();
    await r.welcomed();
    r.access.close(1000, 'bye');
    r.sockets.last.ends(1000);
    expect([r.access.wasRead, r.last]).toMatchObject([true, { type: 'socket.closed', generation: 1 }]);
    expect(r.server.of('bye')).toEqual([{ t: 'bye', keep: false }]);
  });

  test('that is let go of is silent, and leaves the session', async () => {
    const r = new Reach();
    await r.welcomed();
    const { length } = r.told;
    r.access.hangUp();
    r.sockets.last.ends(1006);
    expect([r.told.length, r.access.isLinked, r.access.isSession]).toEqual([length, false, true]);
    r.access.end(null);
    expect(r.access.isSession).toBe(false);
  });

  test('that breaks the protocol is closed with its code, and told as failed', async () => {
    const r = new Reach();
    const server = await r.welcomed();
    r.joins();
    server.says('no frame');
    expect(server.socket.closeCalls[0]?.code).toBe(4001);
    expect(r.last).toMatchObject({
      type: 'socket.closed',
      failure: { code: 'PROTOCOL_VIOLATION', strategy: 'manual' },
    });
  });
});

describe('a session on another socket', () => {
  test('is sent what is missing, and then the rest', async () => {
    const r = new Reach();
    await r.welcomed();
    r.joins();
    r.push('a');
    await microtasks();
    r.lose();
    r.access.hangUp();
    r.push('b');
    const next = await r.welcomed(2, { resumed: true, gen: 2 });
    r.joins();
    await microtasks();
    expect(next.messages).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
  });

  test('moves there while the first goes on, and the first is closed', async () => {
    const r = new Reach();
    const first = await r.welcomed();
    r.access.greet([]);
    r.joins();
    first.says({ t: 'away', in: 1_000, spread: 10, url: 'wss://other/' });
    expect(r.last).toEqual({ type: 'server.away', inMs: 1_000, spreadMs: 10 });
    r.access.succeed(r.tells);
    await microtasks();
    const second = r.server;
    expect(second.socket.url).toBe('wss://other/');
    second.socket.opens();
    second.srv();
    expect(first.socket.isLive).toBe(true);
    second.welcome({ resumed: true, gen: 2 });
    expect([first.socket.closeCalls[0], r.access.generation, r.heard]).toEqual([
      { code: 1000, reason: 'moved' },
      2,
      ['moved'],
    ]);
    second.sends(1, 'a');
    second.socket.ends(1006);
    expect([r.received.length, r.last]).toMatchObject([1, { type: 'socket.closed', generation: 2 }]);
  });

  test('that moved there goes on there, as the chart does, whether it has been greeted or not', async () => {
    const r = new Reach();
    await r.welcomed();
    r.joins();
    r.access.succeed(r.tells);
    await microtasks();
    const second = r.server;
    second.socket.opens();
    second.srv();
    second.welcome({ resumed: true, gen: 2 });
    second.sends(1, 'a');
    expect([r.last, r.heard, r.received.length]).toMatchObject([{ isResumed: true }, ['moved'], 1]);
  });

  test('that moved there is not read before it was greeted, if it began anew', async () => {
    const r = new Reach();
    await r.welcomed();
    r.joins();
    r.access.succeed(r.tells);
    await microtasks();
    const second = r.server;
    second.socket.opens();
    second.srv();
    second.welcome({ sid: 's2', why: 'unknown' });
    // what the chart does for a session that begins anew
    r.access.unread();
    second.sends(1, 'a');
    expect([r.received, r.heard]).toEqual([[], ['session lost']]);
    r.access.greet([encodePlain('first')]);
    r.joins();
    expect([r.received.length, second.messages]).toEqual([1, [[1, 'first']]]);
  });

  test('that nobody moves to any more goes on where it is', async () => {
    const r = new Reach();
    const first = await r.welcomed();
    r.joins();
    const abandon = r.access.succeed(r.tells);
    await microtasks();
    r.sockets.last.opens();
    r.server.srv();
    abandon();
    r.push('a');
    await microtasks();
    expect([first.messages, r.sockets.live.length, r.access.generation]).toEqual([[[1, 'a']], 1, 1]);
  });
});

describe('fresh credentials', () => {
  test('are given when asked for, and told when taken', async () => {
    let tokens = 0;
    const r = new Reach({ credentials: () => `t${++tokens}` });
    const server = await r.welcomed();
    r.joins();
    server.says({ t: 'auth', need: true, in: 5 });
    expect(r.last).toEqual({ type: 'credentials.demanded' });
    r.access.renew(r.tells);
    await microtasks();
    expect([server.hello.auth, server.of('auth')]).toEqual(['t1', [{ t: 'auth', tok: 't2' }]]);
    server.says({ t: 'auth', ok: true });
    expect(r.last).toEqual({ type: 'credentials.renewed' });
  });
});
