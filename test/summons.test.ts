import { describe, expect, test } from 'vitest';

import type { Member } from '../src/member.ts';
import { Summons } from '../src/summons.ts';
import type { SupervisorActor } from '../src/supervisor.ts';
import { microtasks, rig, TERMINAL } from './support/service.ts';

interface Made {
  summons: Summons;
  /** The ids of the connections that were requested, in order. */
  requested: string[];
  /** What the supervisor holds, by id. */
  held: Map<string, unknown>;
  /** How often a member was told that its actor may be there now. */
  restarts: () => number;
  member: Member;
  is: { busy: boolean; over: boolean; known: boolean };
}

/** Summons before a supervisor that makes an actor at once, unless it is busy. */
function made(): Made {
  const is = { busy: false, over: false, known: true };
  const requested: string[] = [];
  const held = new Map<string, unknown>();
  let restarts = 0;
  const root = {
    getSnapshot: () => ({ context: { groups: [{ id: 'group' }] }, children: { group } }),
    send: ({ input: { id } }: { input: { id: string } }) => {
      requested.push(id);
      if (!is.busy) held.set(id, { getSnapshot: () => ({ status: 'active' }) });
    },
  };
  const group = { getSnapshot: () => ({ children: Object.fromEntries(held) }) };
  const member = {
    connection: { id: 'c', serviceType: 'chat', restarted: () => (restarts += 1) },
    seed: 7,
    settings: () => ({ policy: {} }),
  } as unknown as Member;
  const summons = new Summons({
    root: root as unknown as SupervisorActor,
    isOver: () => is.over,
    isKnown: () => is.known,
  });
  return { summons, requested, held, restarts: () => restarts, member, is };
}

describe('the actor of a connection', () => {
  test('is asked of the supervisor when it is wanted, and once', async () => {
    const r = rig();
    const sent: string[] = [];
    r.service.system.inspect((event: { type: string; sourceRef?: unknown; event?: { type: string } }) => {
      // what the supervisor hands on to a group has a source
      if (event.type === '@xstate.event' && !event.sourceRef && event.event) sent.push(event.event.type);
    });
    void r.service.connect(TERMINAL);
    void r.service.connect(TERMINAL);
    await r.settle();
    expect(sent.filter((type) => type === 'connection.requested')).toHaveLength(1);
    expect(r.sockets.all).toHaveLength(1);
  });

  test('is not asked for again while the supervisor is busy, and told of once it may be there', async () => {
    const { summons, requested, restarts, member, is } = made();
    is.busy = true;
    expect([summons.actorOf(member), summons.actorOf(member)]).toEqual([undefined, undefined]);
    expect([requested, restarts()]).toEqual([['c'], 0]);
    await microtasks();
    expect(restarts()).toBe(1);
    summons.actorOf(member);
    expect(requested).toEqual(['c', 'c']);
  });

  test.each(['over', 'unknown'])('is told to nobody when meanwhile all is %s', async (what) => {
    const { summons, restarts, member, is } = made();
    is.busy = true;
    summons.actorOf(member);
    if (what === 'over') is.over = true;
    else is.known = false;
    await microtasks();
    expect(restarts()).toBe(0);
  });
});
