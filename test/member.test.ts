import { describe, expect, test } from 'vitest';

import { DialQueue } from '../src/dial-queue.ts';
import type { SettledEvent } from '../src/events.ts';
import { carrierAmong, makeMember, type Member, type MemberHost } from '../src/member.ts';
import { Pool } from '../src/pool.ts';
import { settle } from '../src/settings.ts';
import { WireMemory } from '../src/wire-memory.ts';
import { SimulatedClock } from '../src/testing/clock.ts';
import { browserSockets } from './support/fake-socket.ts';
import { microtasks } from './support/service.ts';

const clock = new SimulatedClock();

function host({ hasListener = true } = {}): { host: MemberHost; emitted: unknown[]; asked: string[] } {
  const { services } = settle({
    services: {
      alone: { url: 'wss://host/' },
      shared: { url: 'wss://host/', wire: 'required', pool: 'p', connectTimeoutMs: 7_000 },
    },
  });
  const emitted: unknown[] = [];
  const asked: string[] = [];
  const pool = new Pool({
    clock,
    carrier: {
      connect: () => undefined,
      hurry: () => asked.push('hurry'),
      vacate: () => undefined,
      ping: () => false,
      release: () => undefined,
    },
  });
  return {
    emitted,
    asked,
    host: {
      clock,
      members: new Map<string, Member>(),
      dials: new DialQueue({ most: () => 64, services: () => 1 }),
      memory: new WireMemory(() => clock.now()),
      webSocket: () => browserSockets().WebSocket,
      queueing: () => true,
      report: () => undefined,
      settings: (type, as = (settings) => settings) => {
        const settings = services.get(type);
        if (!settings) throw new Error(`There is no ${type}.`);
        return () => as(settings);
      },
      pool: (name, type) => {
        asked.push(`${name} for ${type}`);
        return pool;
      },
      emitter: {
        emit: (type, event) => emitted.push([type, event]),
        has: () => hasListener,
      },
      tellUndelivered: (event) => emitted.push(['undelivered', event]),
      actor: () => undefined,
      admit: () => undefined,
      changed: () => undefined,
      isMonitored: () => true,
      healthWindowMs: () => 60_000,
    },
  };
}

const make = (given: ReturnType<typeof host>, serviceType: string, carries?: Pool): Member =>
  makeMember(
    { id: `${serviceType}:1`, wish: 'w', options: { serviceType }, draws: [0.1, 0.2], seed: 3, carries },
    given.host,
  );

describe('a member of a service', () => {
  test('is a connection with its ports, its wish and its chance, and opens nothing', () => {
    const given = host();
    const { connection, ports, wish, seed, settings } = make(given, 'alone');
    expect([connection.id, connection.status.state, wish, seed]).toEqual(['alone:1', 'idle', 'w', 3]);
    expect([ports.outbox.counts.accepted, settings().pool, given.asked, clock.pending()]).toEqual([
      0,
      undefined,
      [],
      0,
    ]);
  });

  test('takes part in the pool that its service names, unless it carries it', () => {
    const given = host();
    const sharing = make(given, 'shared');
    expect([given.asked, sharing.settings().pool]).toEqual([['p for shared'], 'p']);
    const carrying = make(given, 'shared', given.host.pool('p', 'shared'));
    expect([carrying.settings().pool, carrying.settings().policy.connectTimeoutMs]).toEqual([undefined, 7_000]);
    expect(sharing.settings().policy.connectTimeoutMs).toBeGreaterThan(1_000_000_000);
  });

  test('has the carrier of its pool hurry when it is asked to open, for that is what it waits for', async () => {
    const given = host();
    void make(given, 'alone').connection.connect();
    void make(given, 'shared').connection.connect();
    await microtasks();
    expect(given.asked).toEqual(['p for shared', 'hurry']);
  });

  test("tells what became of bytes with a copy of them: what they lie beside is nobody else's business", async () => {
    const given = host();
    const bytes = Uint8Array.of(1, 2, 3);
    const { ports } = make(given, 'alone');
    ports.outbox.push(bytes);
    ports.outbox.close('CONNECTION_ENDED');
    await microtasks();
    const settled = given.emitted.filter((event) => (event as [string])[0] === 'settled') as [string, SettledEvent][];
    expect(settled.map(([, { data }]) => data)).toEqual([bytes]);
    for (const [, { data }] of settled) expect((data as Uint8Array).buffer.byteLength).toBe(3);
  });

  test('makes events of what arrives for those who listen to the service, and tells what was not delivered', () => {
    const given = host();
    make(given, 'alone').ports.inbox.receive('text');
    const deaf = host({ hasListener: false });
    make(deaf, 'alone').ports.inbox.receive('text');
    make(deaf, 'alone').ports.outbox.push(undefined);
    expect(given.emitted).toEqual([['message', { connectionId: 'alone:1', serviceType: 'alone', data: 'text' }]]);
    expect(deaf.emitted).toMatchObject([['undelivered', { connectionId: 'alone:1', messageId: 'm1' }]]);
  });
});

describe('the member that carries a pool', () => {
  function carrier(state = 'idle'): {
    calls: string[];
    use: ReturnType<typeof carrierAmong>;
    members: Map<string, Member>;
  } {
    const calls: string[] = [];
    const members = new Map<string, Member>();
    const made = {
      connection: {
        get status() {
          return { state };
        },
        connect: () => Promise.resolve(calls.push('connect')),
        close: () => Promise.resolve(calls.push('close')),
      },
      ports: { outbox: { acknowledged: () => calls.push('vacate') } },
    } as unknown as Member;
    const use = carrierAmong(members, 'pool:p', () => {
      calls.push('make');
      members.set('pool:p', made);
      return made;
    });
    return { calls, use, members };
  }

  test('is made when it is to be opened, and for nothing else', () => {
    const { calls, use } = carrier();
    use.hurry();
    use.vacate();
    use.release();
    expect(calls).toEqual([]);
    use.connect();
    use.connect();
    expect(calls).toEqual(['make', 'connect', 'connect']);
  });

  test.each([
    ['idle', ['connect'], [], ['close']],
    ['connecting', [], ['connect'], ['close']],
    ['open', [], ['connect'], ['close']],
    ['degraded', [], ['connect'], ['close']],
    ['backoff', [], ['connect'], ['close']],
    ['closing', ['connect'], [], ['close']],
    ['closed', ['connect'], [], []],
    ['failed', ['connect'], [], []],
  ])('%s is opened: %j, hurried: %j, and let go: %j', (state, opened, hurried, released) => {
    const { calls, use } = carrier(state);
    use.connect();
    const told = (): string[] => calls.splice(0);
    told();
    use.connect();
    expect(told()).toEqual(opened);
    use.hurry();
    expect(told()).toEqual(hurried);
    use.vacate();
    expect(told()).toEqual(['vacate']);
    use.release();
    expect(told()).toEqual(released);
  });
});
