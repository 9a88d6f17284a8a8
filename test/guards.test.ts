// What more than one guard keeps out, so that a test that knows them all does not see one of them go: `test/mutants/pairs.ts` takes them away.
import { expect, test } from 'vitest';

import { MemoryStore } from '../src/server/memory-store.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import type { FakeSocket } from './support/fake-socket.ts';
import { WireRig } from './support/server-script.ts';
import { rig, TERMINAL } from './support/service.ts';
import type { WireClient } from './support/wire-client.ts';
import { startWireServer, type WireServer } from './support/wire-server.ts';

/** A socket of a real client that leads to a real server. */
class Joint {
  readonly #near: FakeSocket;
  readonly #far: WireClient;
  readonly #clock: SimulatedClock;
  #sent = 0;
  #said = 0;

  constructor(near: FakeSocket, far: WireClient, clock: SimulatedClock) {
    this.#near = near;
    this.#far = far;
    this.#clock = clock;
    near.opens();
  }

  /** Carries what both sides say until they have nothing to say; or what the client says, and nothing back. */
  async carry(ways: 'both' | 'up' = 'both'): Promise<void> {
    for (;;) {
      await this.#clock.advanceAsync(0);
      const up = this.#near.sent.slice(this.#sent);
      const down = ways === 'both' ? this.#far.raw.slice(this.#said) : [];
      if (up.length + down.length === 0) return;
      this.#sent += up.length;
      this.#said += down.length;
      for (const data of up) this.#far.says(typeof data === 'string' ? data : data.slice().buffer);
      for (const data of down) this.#near.says(data);
    }
  }

  async cut(): Promise<void> {
    this.#near.ends(1006);
    this.#far.leave();
    await this.#clock.advanceAsync(0);
  }
}

test('a message whose acknowledgement was lost is handed over once', async () => {
  const clock = new SimulatedClock();
  const heard: unknown[] = [];
  const server = startWireServer(
    { onSession: (session) => session.onMessage(({ data }) => heard.push(data)) },
    { clock },
  );
  const r = new WireRig({ clock });
  const join = (): Joint => new Joint(r.sockets.last, server.connect(), clock);
  void r.service.connect(TERMINAL);
  await r.settle();
  const first = join();
  await first.carry();
  const connection = r.service.connection('terminal:one');
  const receipts = ['a', 'b'].map((text) => connection.send(text));
  await first.carry('up');
  await first.cut();
  await r.passBackoff();
  const second = join();
  await second.carry();
  receipts.push(connection.send('c'));
  await second.carry();
  await clock.advanceAsync(50);
  await second.carry();
  expect(heard).toEqual(['a', 'b', 'c']);
  expect(receipts.map(({ fate }) => fate)).toEqual(['acknowledged', 'acknowledged', 'acknowledged']);
});

test('a message with a key that comes twice at its position is handed over once', async () => {
  const heard: unknown[] = [];
  const server = startWireServer({ onSession: (session) => session.onMessage(({ data }) => heard.push(data)) });
  const client = await server.join();
  for (let time = 1; time <= 2; time++) {
    client.says({ t: 'm', s: 1, b: [{ d: 'a', k: 'once' }] });
    await server.settle();
  }
  expect(heard).toEqual(['a']);
});

test('the end of an abandoned socket is not that of the next', async () => {
  const r = rig({ terminal: { connectTimeoutMs: 2_000 } });
  void r.service.connect(TERMINAL);
  await r.clock.advanceAsync(2_000);
  const abandoned = r.sockets.last;
  await r.reopen();
  abandoned.ends(4001);
  await r.settle();
  expect([r.state(), r.sockets.constructions]).toEqual(['open', 2]);
});

test('an error that an old socket never followed up is not held against the next', async () => {
  const r = rig();
  const { socket } = await r.open();
  await r.clock.advanceAsync(10_000);
  socket.errs('broken');
  socket.ends(1006);
  await r.settle();
  await r.reopen();
  await r.clock.advanceAsync(1_000);
  expect([r.state(), r.sockets.constructions]).toEqual(['open', 2]);
});

test('a frame of an old socket is no message', async () => {
  const r = rig();
  const { id, socket } = await r.open();
  socket.says('early');
  void r.service.disconnect(id);
  await r.settle();
  void r.service.connect(TERMINAL);
  await r.settle();
  r.sockets.last.opens();
  await r.settle();
  socket.says('late');
  await r.settle();
  expect(r.of('message').map(({ data }) => data)).toEqual(['early']);
});

test('a socket that was given up while it was connecting does not stay open', async () => {
  const r = rig({ terminal: { connectTimeoutMs: 2_000 } });
  void r.service.connect(TERMINAL);
  await r.clock.advanceAsync(2_000);
  const abandoned = r.sockets.last;
  // one that was told to close does not open
  if (abandoned.isLive) abandoned.opens();
  await r.settle();
  expect([abandoned.isLive, r.sockets.live]).toEqual([false, []]);
});

test('a server that takes the session from one socket of a client for another does not end it', async () => {
  const r = new WireRig();
  const { server } = await r.join({ ping: { iv: 600_000, to: 10_000 } });
  server.says({ t: 'away', in: 30_000, spread: 10_000 });
  await r.clock.advanceAsync(10_000);
  const next = await r.opens();
  next.srv({ node: 'n2' });
  await r.settle();
  server.socket.ends(4004);
  await r.settle();
  expect(r.state()).not.toBe('failed');
});

test('a frame of a socket that was replaced is not handed over', async () => {
  const heard: unknown[] = [];
  const server = startWireServer({ onSession: (session) => session.onMessage(({ data }) => heard.push(data)) });
  const old = await server.join();
  old.isDeaf = true;
  const next = await server.resume(old);
  old.says('1["late"]');
  next.says('1["a"]');
  await server.settle();
  expect([old.closed?.code, heard]).toEqual([4004, ['a']]);
});

test('a node whose session another has taken says nothing in it', async () => {
  const clock = new SimulatedClock();
  const store = new MemoryStore({ clock });
  const [one, other] = ['n1', 'n2'].map((node) => startWireServer({ node }, { clock, store })) as [
    WireServer,
    WireServer,
  ];
  const client = await one.join();
  const next = await other.resume(client);
  one.sessions[0]?.send('ghost');
  await one.settle();
  other.sessions[0]?.send('a');
  await other.settle();
  expect(next.payloads).toEqual(['a']);
});

test('a session whose time is over is not resumed', async () => {
  const server = startWireServer({ ttlMs: 5_000 });
  const client = await server.join();
  client.leave();
  await server.clock.advanceAsync(6_000);
  const next = await server.resume(client);
  expect(next.welcome).toMatchObject({ resumed: false, why: 'unknown' });
});
