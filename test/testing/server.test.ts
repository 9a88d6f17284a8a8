import { describe, expect, test } from 'vitest';

import type { Session } from '../../src/server/index.ts';
import { Chance } from '../../src/testing/chance.ts';
import { SimulatedServer, type ServerLife } from '../../src/testing/server.ts';
import { SimulatedStore } from '../../src/testing/store.ts';
import { SimulatedClient } from '../support/simulated-client.ts';
import { NetworkRig } from '../support/simulated.ts';

const SOCKET = {
  bufferedBytes: 0,
  send: () => undefined,
  batch: (write: () => void) => {
    write();
  },
  close: () => undefined,
  terminate: () => undefined,
};

/** A server on a network, with what its application has. */
class ServerRig extends NetworkRig {
  readonly server: SimulatedServer;
  readonly lives: ServerLife[] = [];
  readonly sessions: Session[] = [];
  readonly got: string[] = [];
  readonly store: SimulatedStore | undefined;

  constructor({ hasStore = false } = {}) {
    super({ host: () => this.server });
    const { clock } = this;
    const chance = new Chance(2);
    this.store = hasStore ? new SimulatedStore({ clock, chance }) : undefined;
    this.server = new SimulatedServer({
      clock,
      chance,
      ...(this.store && { store: this.store }),
      serve: (life) => {
        this.lives.push(life);
        return { authenticate: () => ({ principal: 'p' }), onSession: (session) => this.#serve(session, life) };
      },
    });
  }

  /** Dies, and its sockets with it. */
  crash(): void {
    this.server.crash();
    this.network.abandon(this.server, () => 10);
  }

  pass(ms = 1_000): Promise<void> {
    return this.clock.advanceAsync(ms);
  }

  #serve(session: Session, { number }: ServerLife): void {
    this.sessions.push(session);
    session.onMessage(({ data }) => this.got.push(`${number}: ${String(data)}`));
    session.on('ended', ({ why }) => this.got.push(`${number}: ended, ${why}`));
  }
}

describe('a simulated server', () => {
  test('is down until it starts, and takes nobody', () => {
    const { server, lives } = new ServerRig();
    expect([server.isUp, server.server, lives]).toEqual([false, undefined, []]);
    expect([server.name, server.protocol]).toEqual(['server', 'holdfast.v1']);
    expect(() => server.accept(SOCKET, { headers: {} })).toThrow('server is down');
  });

  test('starts once, and is the same until its end', () => {
    const { server, lives } = new ServerRig();
    server.start();
    const first = server.server;
    server.start();
    expect([server.isUp, server.server === first, lives.length]).toEqual([true, true, 1]);
    expect(lives[0]).toMatchObject({ number: 1, isOver: false });
  });

  test('is the real one: what is sent is had, both ways', async () => {
    const rig = new ServerRig();
    rig.server.start();
    const client = new SimulatedClient(rig.network);
    await rig.pass();
    void client.connection.send('up').settled.then(({ outcome }) => rig.got.push(outcome));
    rig.sessions[0]?.send('down');
    await rig.pass();
    expect(rig.got).toEqual(['1: up', 'acknowledged']);
    expect(client.heard).toEqual(['opened', 'down']);
  });
});

describe('a crash of a simulated server', () => {
  test('leaves nothing of its life running', async () => {
    const rig = new ServerRig();
    rig.server.start();
    for (let count = 0; count < 3; count++) rig.server.accept(SOCKET, { headers: {} });
    await rig.pass(1);
    expect(rig.clock.pending()).toBeGreaterThan(0);
    rig.server.crash();
    expect([rig.clock.pending(), rig.server.isUp, rig.lives[0]?.isOver]).toEqual([0, false, true]);
    expect(() => rig.server.accept(SOCKET, { headers: {} })).toThrow('server is down');
    rig.server.crash();
    await rig.pass(600_000);
    expect(rig.clock.pending()).toBe(0);
  });

  test('is the end for its sessions, and nobody is told', async () => {
    const rig = new ServerRig();
    rig.server.start();
    const client = new SimulatedClient(rig.network);
    await rig.pass();
    rig.crash();
    void client.service.destroy();
    await rig.pass(600_000);
    expect([rig.sessions.length, rig.got, rig.clock.pending()]).toEqual([1, [], 0]);
  });

  test('is followed by another life, with the next number and an application of its own', () => {
    const { server, lives } = new ServerRig();
    server.start();
    server.crash();
    server.start();
    expect(lives.map(({ number, isOver }) => [number, isOver])).toEqual([
      [1, true],
      [2, false],
    ]);
  });

  test('is outlived by sessions that are in a store', async () => {
    const rig = new ServerRig({ hasStore: true });
    rig.server.start();
    const client = new SimulatedClient(rig.network);
    await rig.pass();
    rig.sessions[0]?.send('kept');
    await rig.pass(5);
    rig.crash();
    client.connection.send('waits');
    rig.server.start();
    await rig.pass(10_000);
    expect(client.heard).toEqual(['opened', 'resumed', 'kept']);
    expect(rig.got).toEqual(['2: waits']);
  });

  test('is not outlived by those in its own memory', async () => {
    const rig = new ServerRig();
    rig.server.start();
    const client = new SimulatedClient(rig.network);
    await rig.pass();
    rig.crash();
    rig.server.start();
    await rig.pass(10_000);
    expect(client.heard).toEqual(['opened', 'lost: unknown', 'opened']);
  });
});

describe('a simulated server that drains', () => {
  test('asks its clients to move, and is down when it is through', async () => {
    const rig = new ServerRig({ hasStore: true });
    const other = new ServerRig();
    rig.server.start();
    const client = new SimulatedClient(rig.network);
    await rig.pass();
    let isThrough = false;
    void rig.server.drain({ spreadMs: 0, deadlineMs: 500 }).then(() => (isThrough = true));
    await rig.pass(10_000);
    expect([isThrough, rig.server.isUp, rig.lives[0]?.isOver]).toEqual([true, false, true]);
    expect(client.connection.status.state).not.toBe('open');
    expect(other.server.isUp).toBe(false);
    rig.server.start();
    await rig.pass(60_000);
    expect(client.heard).toEqual(['opened', 'resumed']);
  });

  test('drains once, however often it is asked, and tells each once it is down', async () => {
    const rig = new ServerRig();
    rig.server.start();
    new SimulatedClient(rig.network);
    await rig.pass();
    const wasUp: boolean[] = [];
    for (let count = 0; count < 2; count++) void rig.server.drain().then(() => wasUp.push(rig.server.isUp));
    await rig.pass(1);
    expect(wasUp).toEqual([]);
    await rig.pass(60_000);
    expect(wasUp).toEqual([false, false]);
  });

  test('is through at once when it is down', async () => {
    await expect(new ServerRig().server.drain()).resolves.toBeUndefined();
  });

  test('is through when it crashes meanwhile, and its next life is none of its business', async () => {
    const rig = new ServerRig();
    rig.server.start();
    new SimulatedClient(rig.network);
    await rig.pass();
    let isThrough = false;
    void rig.server.drain({ spreadMs: 5_000, deadlineMs: 20_000 }).then(() => (isThrough = true));
    await rig.pass(10);
    rig.crash();
    rig.server.start();
    await rig.pass(60_000);
    expect([isThrough, rig.server.isUp, rig.lives.length]).toEqual([true, true, 2]);
    void rig.server.drain();
    await rig.pass(60_000);
    expect(rig.server.isUp).toBe(false);
  });
});

describe('a simulated server that is closed', () => {
  test('ends its sessions and is down, and so is one that was', async () => {
    const rig = new ServerRig();
    rig.server.start();
    new SimulatedClient(rig.network, { retry: { maxRetries: 0 } });
    await rig.pass();
    let closed = 0;
    for (let count = 0; count < 2; count++) void rig.server.close().then(() => (closed += 1));
    await rig.pass(10_000);
    expect([closed, rig.server.isUp, rig.lives[0]?.isOver]).toEqual([2, false, true]);
    expect(rig.got).toEqual([expect.stringMatching(/^1: ended/)]);
    await expect(rig.server.close()).resolves.toBeUndefined();
  });

  test('is through when it crashes meanwhile, and leaves its next life alone', async () => {
    const rig = new ServerRig({ hasStore: true });
    rig.server.start();
    new SimulatedClient(rig.network);
    await rig.pass();
    // nothing is answered any more, so that the end of the sessions takes time
    for (const line of rig.network.live) line.silence();
    let isThrough = false;
    void rig.server.close().then(() => (isThrough = true));
    rig.crash();
    rig.server.start();
    await rig.pass(10);
    expect([isThrough, rig.server.isUp]).toEqual([true, true]);
  });
});
