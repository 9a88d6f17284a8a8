import { describe, expect, test } from 'vitest';

import { HoldfastError } from '../../src/index.ts';
import { Chance } from '../../src/testing/chance.ts';
import { HostileServer } from '../../src/testing/hostile-server.ts';
import { HOSTILE } from '../../src/testing/payload.ts';
import { SESSION_ATTACKS } from '../../src/testing/hostile-session.ts';
import { SimulatedClient } from '../support/simulated-client.ts';
import { NetworkRig } from '../support/simulated.ts';

const SEEDS = 300;
const ATTACKS = [
  'acknowledges what was never sent',
  'claims to be another version',
  'closes at once',
  'ends without a word',
  'floods with frames',
  'says nothing',
  'sends a huge frame',
  'sends noise',
  'sends text that is no JSON',
  'speaks before the greeting',
  'welcomes without a session',
];
const HASTY = { baseMs: 20, capMs: 400, promptMs: 20, maxRetries: 4 };

// all that an application may notice of a session with it
const FAIR = ['opened', 'resumed', 'lost: unknown', HOSTILE.fair];
const HELLO = '{"t":"hello"}';

/** A hostile server of this seed on a network. */
function hostile(seed: number) {
  const attacks: string[] = [];
  const host: HostileServer = new HostileServer({ chance: new Chance(seed), tell: (attack) => attacks.push(attack) });
  return { rig: new NetworkRig({ host: () => host }), host, attacks };
}

/** What a socket sees that opens, and sends something now and then. */
function seen(seed: number): { attacks: string[]; frames: string[] } {
  const { rig, attacks } = hostile(seed);
  const frames: string[] = [];
  const socket = rig.dial(['holdfast.v1']);
  socket.onmessage = ({ data }: { data: unknown }) =>
    frames.push(typeof data === 'string' ? data : [...new Uint8Array(data as ArrayBuffer)].join());
  for (let count = 0; count < 6; count++) {
    rig.clock.advance(20);
    socket.send(HELLO);
  }
  rig.clock.advance(20);
  return { attacks, frames: [...frames, ...rig.heard] };
}

describe('a hostile server', () => {
  test('is up, and says that it speaks the protocol', () => {
    const { rig, host } = hostile(1);
    expect([host.name, host.isUp, host.protocol]).toEqual(['hostile', true, 'holdfast.v1']);
    const socket = rig.dial(['holdfast.v1']);
    rig.clock.advance(10);
    expect(socket.protocol).toBe('holdfast.v1');
  });

  test(`attacks in every way within ${SEEDS} seeds`, () => {
    const attacks = new Set<string>();
    for (let seed = 0; seed < SEEDS; seed++) for (const attack of seen(seed).attacks) attacks.add(attack);
    expect([...attacks].sort()).toEqual([...ATTACKS, ...SESSION_ATTACKS, 'welcomes'].sort());
  });

  test('begins as an honest one would more often than not, and answers with at most three attacks', () => {
    const all = Array.from({ length: 200 }, (_, seed) => seen(seed));
    const honest = all.filter(({ frames }) => frames[0]?.startsWith('{"t":"srv","v":[1]'));
    expect(honest.length).toBeGreaterThan(90);
    expect(honest.length).toBeLessThan(150);
    const most = all.map(({ attacks }) => attacks.filter((attack) => attack !== 'welcomes').length);
    expect(Math.max(...most)).toBe(4);
    expect(Math.min(...most)).toBe(0);
  });

  test('welcomes whoever says hello, once, in some of its guises, and attacks only then', () => {
    const trusted = Array.from({ length: 200 }, (_, seed) => seen(seed).attacks).filter(
      (attacks) => attacks[0] === 'welcomes',
    );
    expect(trusted.length).toBeGreaterThan(50);
    for (const [, ...attacks] of trusted) expect(SESSION_ATTACKS).toEqual(expect.arrayContaining(attacks));
  });

  test('does the same again with the same seed', () => {
    for (const seed of [3, 4]) expect(seen(seed)).toEqual(seen(seed));
  });

  test('needs nobody to tell', () => {
    const host = new HostileServer({ chance: new Chance(5) });
    const rig = new NetworkRig({ host: () => host });
    for (let dials = 0; dials < 50; dials++) rig.dial();
    rig.clock.advance(100);
    expect(rig.heard.length).toBeGreaterThan(50);
  });
});

describe('a client that faces a hostile server', () => {
  test('never throws, hears nothing that has no place, and comes to its end with everything settled', async () => {
    let dials = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const { rig } = hostile(seed);
      const { network, clock, device } = rig;
      const client = new SimulatedClient(network, { retry: HASTY, heartbeat: { intervalMs: 5_000, timeoutMs: 2_000 } });
      const { service, connection } = client;
      const ends: string[] = [];
      const awaited: [name: string, promise: Promise<unknown>][] = [
        ['connect', connection.connect()],
        ['send', connection.send('payload').settled],
        ['request', connection.request('question', { timeoutMs: 60_000 })],
      ];
      await clock.advanceAsync(12_000);
      awaited.push(['late send', connection.send('late').settled], ['destroy', service.destroy()]);
      for (const [name, promise] of awaited)
        promise.then(
          () => ends.push(`${name} is well`),
          (error: unknown) =>
            ends.push(error instanceof HoldfastError ? `${name} is refused` : `${name}: ${String(error)}`),
        );
      await clock.advanceAsync(20_000);
      expect([seed, client.reported, client.heard.filter((each) => !FAIR.includes(each))]).toEqual([seed, [], []]);
      const wasWelcomed = ends.includes('connect is well');
      expect([seed, ...ends.sort()]).toEqual([
        seed,
        // a welcome is what it waits for
        wasWelcomed ? 'connect is well' : 'connect is refused',
        'destroy is well',
        'late send is refused',
        'request is refused',
        'send is refused',
      ]);
      expect([seed, clock.pending(), device.listenersLeft]).toEqual([seed, 0, 0]);
      dials += network.sockets.length;
    }
    expect(dials).toBeGreaterThan(SEEDS);
  }, 60_000);
});
