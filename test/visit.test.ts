import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';

import { writeText } from '../src/protocol/text-frames.ts';
import type { WebSocketConstructor } from '../src/transport/websocket.ts';
import { Visit, type Arrival, type VisitOptions } from '../src/visit.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { FakeNodeSocket, FakeSockets, nodeSockets } from './support/fake-socket.ts';
import { srvOf } from './support/server-script.ts';
import { fateOf, microtasks, type Fate } from './support/service.ts';

interface Made {
  visit: Visit;
  arrival: Fate<Arrival>;
  socket: FakeNodeSocket;
  sockets: FakeSockets<FakeNodeSocket>;
  clock: SimulatedClock;
  controller: AbortController;
}

/** As a browser has it. */
class PinglessSocket extends FakeNodeSocket {
  constructor(url: string, protocols?: string[]) {
    super(url, protocols);
    Object.assign(this, { ping: undefined });
  }
}

/** A visit whose socket is being opened. */
function visiting(options: Partial<VisitOptions> = {}, sockets = nodeSockets()): Made {
  const clock = new SimulatedClock();
  const controller = new AbortController();
  const visit = new Visit({
    WebSocket: sockets.WebSocket,
    clock,
    address: { url: 'wss://host/', protocols: [] },
    signal: controller.signal,
    connectTimeoutMs: 10_000,
    ...options,
  });
  const arrival = fateOf(visit.arrive());
  return { visit, arrival, socket: sockets.all.at(-1) as FakeNodeSocket, sockets, clock, controller };
}

/** A visit whose socket is open. */
async function visited(protocol?: string, sockets = nodeSockets()): Promise<Made> {
  const made = visiting({}, sockets);
  if (protocol !== undefined) made.socket.protocol = protocol;
  made.socket.opens();
  await microtasks();
  return made;
}

/** What is left of a visit. */
const left = ({ clock, sockets, socket }: Made): unknown => {
  const live = sockets.live.length;
  socket.ends();
  return { live, timers: clock.pending(), listeners: sockets.listenersLeft };
};
const NOTHING = { live: 0, timers: 0, listeners: 0 };

describe('a visit', () => {
  test('arrives when its socket opens', async () => {
    const { arrival, socket, clock } = visiting();
    clock.advance(40);
    socket.protocol = 'mqtt';
    socket.opens();
    await microtasks();
    expect(arrival.value).toEqual({ isOpen: true, durationMs: 40, protocol: 'mqtt', end: null });
    expect(clock.pending()).toBe(0);
  });

  test('says how the socket ended that did not open, and holds nothing', async () => {
    const made = visiting();
    made.socket.refuses(401);
    await microtasks();
    expect(made.arrival.value).toMatchObject({ isOpen: false, end: { code: 1006, status: 401 } });
    expect([made.visit.canPing, left(made)]).toEqual([false, NOTHING]);
  });

  test('ends when the socket opens too late: it is let go of', async () => {
    const made = visiting();
    await made.clock.advanceAsync(10_000);
    expect(made.arrival.value).toMatchObject({ isOpen: false, durationMs: 10_000, end: null });
    expect(made.sockets.live).toEqual([]);
    made.socket.opens();
    expect([made.visit.canPing, left(made)]).toEqual([false, NOTHING]);
  });

  test('ends where the platform takes no such address', async () => {
    const WebSocket = (() => {
      throw new SyntaxError('wss://host/?token=s3cret');
    }) as unknown as WebSocketConstructor;
    const { arrival } = visiting({ WebSocket });
    await microtasks();
    expect(arrival.value).toMatchObject({ isOpen: false, end: { code: 1006, detail: null } });
  });

  test('to which there is no more time opens nothing', async () => {
    const { arrival, sockets } = visiting({ signal: AbortSignal.abort() });
    await microtasks();
    expect([arrival.value, sockets.all]).toMatchObject([{ isOpen: false, end: null }, []]);
  });

  test('tells a socket that opened and closed at once from one that did not open', async () => {
    const { visit, arrival, socket } = visiting();
    socket.opens();
    socket.ends(4401);
    await microtasks();
    expect(arrival.value).toMatchObject({ isOpen: true, end: null });
    expect([visit.end?.code, visit.over.aborted, visit.canPing]).toEqual([4401, true, false]);
  });
});

describe('a visited server', () => {
  test('has greeted once its first message is a greeting', async () => {
    const { visit, socket, clock } = await visited('holdfast.v1');
    const fate = fateOf(visit.isGreeted(3_000));
    await clock.advanceAsync(2_999);
    expect(fate.kind).toBe('pending');
    socket.says(writeText(srvOf()));
    await microtasks();
    expect([fate.value, clock.pending(), socket.sent]).toEqual([true, 0, []]);
  });

  test('has greeted also if it did so before it was asked about', async () => {
    const { visit, socket } = await visited('holdfast.v1');
    socket.says(writeText(srvOf()));
    await expect(visit.isGreeted(3_000)).resolves.toBe(true);
  });

  test('may greet where the platform does not say what it chose', async () => {
    const { visit, socket } = await visited();
    const fate = fateOf(visit.isGreeted(3_000));
    socket.says(writeText(srvOf()));
    await microtasks();
    expect(fate.value).toBe(true);
  });

  test.each(['', 'mqtt'])('that chose %j does not greet, and is not waited for', async (protocol) => {
    const { visit, clock } = await visited(protocol);
    await expect(visit.isGreeted(3_000)).resolves.toBe(false);
    expect(clock.pending()).toBe(0);
  });

  test.each<[what: string, message: string | ArrayBuffer]>([
    ['another message', 'welcome to chat'],
    ['another frame', writeText({ t: 'ack', a: 1 })],
    ['bytes', new ArrayBuffer(70_000)],
    ['a greeting that is too long', writeText(srvOf({ node: 'n'.repeat(70_000) }))],
  ])('that says %s first does not greet, and is not waited for', async (_what, message) => {
    const { visit, socket } = await visited('holdfast.v1');
    socket.says(message);
    socket.says(writeText(srvOf()));
    await expect(visit.isGreeted(3_000)).resolves.toBe(false);
  });

  test('that says nothing is waited for so long and no longer', async () => {
    const { visit, clock } = await visited('holdfast.v1');
    const fate = fateOf(visit.isGreeted(3_000));
    await clock.advanceAsync(3_000);
    expect([fate.value, clock.pending()]).toEqual([false, 0]);
  });

  test('that closes is not waited for', async () => {
    const { visit, socket, clock } = await visited('holdfast.v1');
    const fate = fateOf(visit.isGreeted(3_000));
    socket.ends(4000);
    await microtasks();
    expect([fate.value, clock.pending()]).toEqual([false, 0]);
  });
});

describe('a ping of a visit', () => {
  test('is answered by its own pong', async () => {
    const { visit, socket, clock } = await visited();
    const heard: number[] = [];
    expect(visit.ping((rttMs) => heard.push(rttMs))).toBe(true);
    clock.advance(15);
    socket.controls('pong', 'another');
    socket.controls('ping');
    expect(heard).toEqual([]);
    socket.controls('pong');
    socket.controls('pong');
    expect(heard).toEqual([15]);
  });

  test('is not sent where the platform has none, nor on a socket that is not open', async () => {
    const browser = await visited(undefined, new FakeSockets(PinglessSocket));
    const node = await visited();
    node.socket.ends(1000);
    for (const { visit } of [browser, node, visiting()])
      expect([visit.canPing, visit.ping(() => undefined)]).toEqual([false, false]);
  });
});

describe('the end of a visit', () => {
  test('is a closing handshake, after which nothing is left', async () => {
    const made = await visited();
    const fate = fateOf(made.visit.leave());
    await microtasks();
    expect([made.socket.closeCalls, fate.kind]).toEqual([[{ code: 1000, reason: 'diagnostics' }], 'pending']);
    made.socket.ends(1000);
    await microtasks();
    expect([fate.kind, left(made)]).toEqual(['resolved', NOTHING]);
  });

  test('leaves the signal without a listener', async () => {
    const made = await visited('holdfast.v1');
    const { signal } = made.controller;
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    const fate = fateOf(made.visit.leave());
    made.socket.ends(1000);
    await microtasks();
    expect([fate.kind, getEventListeners(signal, 'abort')]).toEqual(['resolved', []]);
  });

  test('does not depend on the server: after a second the socket is gone', async () => {
    const made = await visited();
    const fate = fateOf(made.visit.leave());
    await made.clock.advanceAsync(1_000);
    expect([fate.kind, made.socket.terminations, left(made)]).toEqual(['resolved', 1, NOTHING]);
  });

  test('does not depend on the platform: a socket that cannot be closed is let go of', async () => {
    const made = await visited();
    Object.assign(made.socket, {
      close: () => {
        throw new Error('no');
      },
    });
    const fate = fateOf(made.visit.leave());
    await made.clock.advanceAsync(1_000);
    expect([fate.kind, made.clock.pending()]).toEqual(['resolved', 0]);
  });

  test.each(['while it opens', 'while it is open', 'while it is waited for'])(
    'comes at once when it is aborted %s',
    async (when) => {
      const made = when === 'while it opens' ? visiting() : await visited('holdfast.v1');
      const greeted = when === 'while it is waited for' ? fateOf(made.visit.isGreeted(3_000)) : undefined;
      made.controller.abort();
      expect(left(made)).toEqual(NOTHING);
      expect(made.socket.closeCalls).toEqual(when === 'while it opens' ? [] : [{ code: 1000, reason: 'diagnostics' }]);
      await microtasks();
      expect([made.arrival.kind, greeted?.value]).toEqual(['resolved', greeted && false]);
    },
  );

  test('is the same twice', async () => {
    const made = await visited();
    made.socket.ends(1001);
    await made.visit.leave();
    made.visit.dispose();
    expect([made.socket.closeCalls, left(made)]).toEqual([[], NOTHING]);
  });
});
