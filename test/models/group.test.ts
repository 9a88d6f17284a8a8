import { createActor, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { connectionMachine } from '../../machines/connection.ts';
import { childIdOf, groupMachine, idIn, type GroupEvent, type GroupInput } from '../../machines/group.ts';
import type { SimulatedClock } from '../../src/testing/clock.ts';
import { rowOf, tabled } from '../support/coverage-table.ts';
import {
  coverageOf,
  divergences,
  edgeInWords,
  explore,
  leafOf,
  stranded,
  unreached,
  untaken,
  type Edge,
  type Runnable,
} from '../support/machine-graph.ts';
import { inputOf } from './connection-cases.ts';

type GroupSnapshot = SnapshotFrom<typeof groupMachine>;
type GroupStep = Edge<GroupSnapshot, GroupEvent>;

const ids = ['a', 'b'];
const input: GroupInput = { id: 'g', intensity: { most: 1, withinMs: 1e9 }, network: 'online', page: 'visible' };

// the exploration says itself when a connection is active or rests, so the real ones keep silent about it
const machine = groupMachine.provide({
  actors: {
    connection: connectionMachine.provide({
      actions: { report: () => undefined },
    }),
  },
});

function request(id: string): GroupEvent {
  const { serviceType, policy, seed } = inputOf();
  return { type: 'connection.requested', input: { id, serviceType, policy, seed } };
}

const graph = explore<GroupSnapshot, GroupEvent, GroupInput>(machine, {
  input,
  limit: 20_000,
  decidesBy: ({ context: { members, network, page } }) => [
    members.map(({ input: { id }, use, restarts }) => [id, use, restarts]),
    network,
    page,
  ],
  cases: {
    'connection.requested': () => ids.map(request),
    'connection.released': () => ids.map((id) => ({ type: 'connection.released', id })),
    'connection.active': () => ids.map((id) => ({ type: 'connection.active', id })),
    'connection.rested': () => ids.map((id) => ({ type: 'connection.rested', id })),
    'restart.forgotten': () => ids.map((id) => ({ type: 'restart.forgotten', id })),
    'xstate.error.actor.*': () =>
      ids.map((id) => ({ type: `xstate.error.actor.connection:${id}` as const, error: undefined })),
  },
});

const idsOf = ({ context }: GroupSnapshot): string[] => context.members.map(({ input: { id } }) => id);
const isActive = ({ status }: GroupSnapshot): boolean => status === 'active';
const isDeath = ({ type }: GroupEvent): boolean => type.startsWith('xstate.error.actor.');
const restartsOf = ({ context }: GroupSnapshot, id: string): number =>
  context.members.find((member) => member.input.id === id)?.restarts ?? 0;

const invariants: { says: string; holds: (edge: GroupStep) => boolean }[] = [
  {
    says: 'has an actor for exactly the connections it knows, and no other',
    holds: ({ to }) =>
      !isActive(to) || String(Object.keys(to.children).sort()) === String(idsOf(to).map(childIdOf).sort()),
  },
  {
    says: 'knows each connection once',
    holds: ({ to }) => new Set(idsOf(to)).size === idsOf(to).length,
  },
  {
    says: 'makes a connection only on a request, and only while it runs',
    holds: ({ from, event, to }) =>
      idsOf(to).length <= idsOf(from).length || (event.type === 'connection.requested' && leafOf(from) === 'running'),
  },
  {
    says: 'loses a connection only when it is released or dies',
    holds: ({ from, event, to }) =>
      idsOf(to).length >= idsOf(from).length || event.type === 'connection.released' || isDeath(event),
  },
  {
    says: 'replaces the actor of a connection that dies while it runs, as often as it may, and otherwise buries it',
    holds: ({ from, event, to }) => {
      if (!isDeath(event) || !isActive(from) || !idsOf(from).includes(idIn(event))) return true;
      const mayRestart = leafOf(from) === 'running' && restartsOf(from, idIn(event)) < input.intensity.most;
      return idsOf(to).includes(idIn(event)) === mayRestart;
    },
  },
  {
    says: 'never has replaced one more often than it may',
    holds: ({ to }) => to.context.members.every(({ restarts }) => restarts >= 0 && restarts <= input.intensity.most),
  },
  {
    says: 'counts a replacement exactly when it makes one, and forgets one only when it is time',
    holds: ({ from, event, to }) =>
      ids.every((id) => {
        const change = restartsOf(to, id) - restartsOf(from, id);
        if (change > 0) return isDeath(event) && change === 1;
        return change === 0 || !idsOf(to).includes(id) || event.type === 'restart.forgotten';
      }),
  },
  {
    says: 'keeps the actor of every other connection',
    holds: ({ from, event, to }) =>
      !isActive(to) ||
      ids
        .filter((id) => id !== idIn(event))
        .map(childIdOf)
        .every((child) => !from.children[child] || from.children[child] === to.children[child]),
  },
  {
    says: 'drains only when told to, and never runs again',
    holds: ({ from, event, to }) =>
      leafOf(to) === 'running' ? leafOf(from) === 'running' : leafOf(from) !== 'running' || event.type === 'drain',
  },
  {
    says: 'drains for as long as a connection is active, and is done then',
    holds: ({ to }) =>
      (to.status === 'done') === (leafOf(to) === 'drained') &&
      (leafOf(to) !== 'draining' || to.context.members.some(({ use }) => use === 'active')),
  },
  {
    says: 'outlives the death of any connection',
    holds: ({ to }) => to.status !== 'error',
  },
];

describe('a group, explored', () => {
  test('reaches every state of its chart', () => {
    expect(unreached(machine, [graph])).toEqual([]);
  });

  test('takes every transition of its chart', () => {
    expect(untaken(machine, [graph])).toEqual([]);
  });

  test('covers what the table says', () => {
    const row = rowOf('group', coverageOf(machine, [graph]), invariants.length);
    expect(tabled('group', row)).toBe(row);
  });

  test('has a way to drained from every state', () => {
    expect(stranded(graph, ({ status }) => status === 'done')).toEqual([]);
  });

  test.each(invariants.map(({ says, holds }) => [says, holds] as const))('%s', (_says, holds) => {
    expect(
      graph.edges
        .filter((edge) => !holds(edge))
        .slice(0, 5)
        .map(edgeInWords),
    ).toEqual([]);
  });

  test('does as a real actor what it does when stepped, and keeps no timer when it is stopped (original fault 30)', () => {
    let pending = 0;
    const create = (clock: SimulatedClock): Runnable<GroupSnapshot, GroupEvent> => {
      const actor = createActor(machine, { clock, input });
      return {
        start: () => actor.start(),
        send: (event) => {
          actor.send(event);
        },
        getSnapshot: () => actor.getSnapshot(),
        system: actor.system,
        stop: () => {
          pending = clock.pending();
          actor.stop();
        },
      };
    };
    // a replacement is forgotten by a timer, of which the state does not tell, for one that was released leaves it
    expect(divergences(graph, { create, timersOf: () => pending }).slice(0, 5)).toEqual([]);
  });
});
