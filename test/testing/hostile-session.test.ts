import { describe, expect, test } from 'vitest';

import type { ServerSocket, SocketEvents } from '../../src/server/index.ts';
import { Chance } from '../../src/testing/chance.ts';
import {
  GREETING,
  helloIn,
  HostileSession,
  SESSION_ATTACKS,
  type SessionAttack,
} from '../../src/testing/hostile-session.ts';
import type { Host } from '../../src/testing/line.ts';
import { HOSTILE } from '../../src/testing/payload.ts';
import { SimulatedClient } from '../support/simulated-client.ts';
import { NetworkRig } from '../support/simulated.ts';

const SEEDS = 12;
const PATIENCE_MS = 50;

/** What a client answers with: how it closes the socket, or that it goes on. */
const ANSWERS: Record<SessionAttack, (number | 'goes on')[]> = {
  'acknowledges what nobody sent': [4001],
  'answers what nobody asked': ['goes on'],
  'asks for credentials at impossible times': ['goes on'],
  // and does so where that is possible after all
  'asks to move at impossible times': [1000, 'goes on'],
  'compresses what was to be left as it is': [4001],
  'gives a position twice': ['goes on'],
  'holds everything back': ['goes on'],
  'leaves positions out': [4201],
  // keys that were never sent are nobody's
  'refuses what nobody sent': [4001, 'goes on'],
  'says goodbye, and stays': ['goes on'],
  'sends a frame larger than agreed': [4006],
  'welcomes a second time': [4001],
};

/** A host that welcomes whoever comes, and attacks its sessions, if it is told to. */
class Welcomer implements Host {
  readonly name = 'welcomer';
  readonly isUp = true;
  readonly protocol = 'holdfast.v1';
  readonly sockets: ServerSocket[] = [];
  readonly sessions: HostileSession[] = [];
  readonly received: unknown[] = [];
  readonly closed: number[] = [];
  readonly #chance: Chance;

  constructor(seed: number) {
    this.#chance = new Chance(seed);
  }

  accept(socket: ServerSocket): SocketEvents {
    this.sockets.push(socket);
    socket.send(GREETING);
    return {
      received: (data) => {
        this.received.push(data);
        const hello = helloIn(data);
        if (!hello) return;
        const session = new HostileSession(socket, hello, this.#chance);
        this.sessions.push(session);
        session.welcome();
        session.speak();
      },
      closed: (code) => this.closed.push(code),
      heard: () => undefined,
    };
  }
}

async function welcomed(seed: number) {
  const host = new Welcomer(seed);
  const rig = new NetworkRig({ host: () => host });
  const client = new SimulatedClient(rig.network, { heartbeat: { intervalMs: 5_000, timeoutMs: 2_000 } });
  client.connection.send('before');
  await rig.clock.advanceAsync(PATIENCE_MS);
  const [session] = host.sessions;
  if (!session) throw new Error('The client does not say hello.');
  return { host, rig, client, session };
}

describe('a session with a hostile server', () => {
  test('begins as any other', async () => {
    const { client, host, rig } = await welcomed(1);
    expect([client.heard, client.connection.status.state]).toEqual([['opened', HOSTILE.fair], 'open']);
    expect(host.received).toContain('1["before"]');
    await Promise.all([client.service.destroy(), rig.clock.advanceAsync(5_000)]);
  });

  test('is claimed to be one that it has, every other time, and goes on with its positions', async () => {
    const claims = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { client, host, rig } = await welcomed(seed);
      host.sockets[0]?.terminate();
      await rig.clock.advanceAsync(1_000);
      claims.add(client.heard.slice(2).join(', '));
      await Promise.all([client.service.destroy(), rig.clock.advanceAsync(5_000)]);
    }
    expect([...claims].sort()).toEqual([`lost: unknown, opened, ${HOSTILE.fair}`, `resumed, ${HOSTILE.fair}`]);
  });

  test('has an answer to each attack', () => {
    expect(SESSION_ATTACKS.toSorted()).toEqual(Object.keys(ANSWERS));
  });

  test.each(SESSION_ATTACKS)(
    '%s: the client answers as it must, and hands over nothing that has no place',
    async (name) => {
      const answers = new Set<number | 'goes on'>();
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { host, rig, client, session } = await welcomed(seed);
        const { clock, device } = rig;
        const told: string[] = [];
        session.attack((attack) => told.push(attack), name);
        await clock.advanceAsync(PATIENCE_MS);
        answers.add(host.closed[0] ?? 'goes on');
        expect(told).toEqual([name]);
        expect([seed, client.heard.includes(HOSTILE.foul), client.reported]).toEqual([seed, false, []]);
        const sent = client.connection.send('after').settled.catch(() => undefined);
        // a minute of it leads to no loop
        await clock.advanceAsync(60_000);
        expect([seed, rig.network.sockets.length < 20, host.received.length < 500]).toEqual([seed, true, true]);
        await Promise.all([client.service.destroy(), sent, clock.advanceAsync(20_000)]);
        expect([seed, clock.pending(), device.listenersLeft]).toEqual([seed, 0, 0]);
      }
      expect([...answers].sort()).toEqual(ANSWERS[name].toSorted());
    },
  );
});
