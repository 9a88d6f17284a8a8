import { createActor, type Actor, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { connectionMachine } from '../../machines/connection.ts';
import { childIdOf, supervisorMachine, type SupervisorEvent } from '../../machines/supervisor.ts';
import type { SimulatedClock } from '../support/clock.ts';
import {
  divergences,
  edgeInWords,
  explore,
  leafOf,
  stranded,
  unreached,
  untaken,
  type Edge,
} from '../support/machine-graph.ts';
import { inputOf } from './connection-cases.ts';

type SupervisorSnapshot = SnapshotFrom<typeof supervisorMachine>;
type SupervisorStep = Edge<SupervisorSnapshot, SupervisorEvent>;

const ids = ['a', 'b'];

// the exploration says itself when a connection is active or rests, so the real ones keep silent about it
const machine = supervisorMachine.provide({
  actors: {
    connection: connectionMachine.provide({
      actions: { report: () => undefined },
    }),
  },
});

function request(id: string): SupervisorEvent {
  const { serviceType, policy, seed } = inputOf();
  return { type: 'connection.requested', input: { id, serviceType, policy, seed } };
}

const graph = explore<SupervisorSnapshot, SupervisorEvent, undefined>(machine, {
  input: undefined,
  limit: 20_000,
  decidesBy: ({ context: { connections, active, network, page } }) => [connections, active, network, page],
  cases: {
    'connection.requested': () => ids.map(request),
    'connection.released': () => ids.map((id) => ({ type: 'connection.released', id })),
    'connection.active': () => ids.map((id) => ({ type: 'connection.active', id })),
    'connection.rested': () => ids.map((id) => ({ type: 'connection.rested', id })),
    'xstate.error.actor.*': () =>
      ids.map((id) => ({ type: `xstate.error.actor.${childIdOf(id)}` }) as unknown as SupervisorEvent),
    drain: () => [{ type: 'drain', deadlineMs: 5_000 }],
  },
});

const has = ({ children }: SupervisorSnapshot, id: string): boolean => children[id] !== undefined;
const isActive = ({ status }: SupervisorSnapshot): boolean => status === 'active';

const invariants: { says: string; holds: (edge: SupervisorStep) => boolean }[] = [
  {
    says: 'has an actor for exactly the connections it knows',
    holds: ({ to }) =>
      !isActive(to) || ids.every((id) => to.context.connections.includes(id) === has(to, childIdOf(id))),
  },
  {
    says: 'knows each connection once',
    holds: ({ to: { context } }) => new Set(context.connections).size === context.connections.length,
  },
  {
    says: 'counts each active connection once, and only those it knows',
    holds: ({ to: { context } }) =>
      new Set(context.active).size === context.active.length &&
      context.active.every((id) => context.connections.includes(id)),
  },
  {
    says: 'listens to the platform exactly while it is occupied',
    holds: ({ to }) => !isActive(to) || has(to, 'signals') === (leafOf(to) === 'occupied'),
  },
  {
    says: 'listens once: the listener stays the same while it is occupied',
    holds: ({ from, to }) =>
      leafOf(from) !== 'occupied' || leafOf(to) !== 'occupied' || from.children['signals'] === to.children['signals'],
  },
  {
    says: 'has no connection while it is vacant',
    holds: ({ to }) => leafOf(to) !== 'vacant' || to.context.connections.length === 0,
  },
  {
    says: 'makes a connection only on a request, and only while it runs',
    holds: ({ from, event, to }) =>
      to.context.connections.length <= from.context.connections.length ||
      (event.type === 'connection.requested' && from.matches('running')),
  },
  {
    says: 'loses a connection only when it is released or dies',
    holds: ({ from, event, to }) =>
      to.context.connections.length >= from.context.connections.length ||
      /^(connection\.released|xstate\.error\.actor\.)/.test(event.type),
  },
  {
    says: 'outlives the death of any connection',
    holds: ({ event, to }) => !event.type.startsWith('xstate.error.') || to.status !== 'error',
  },
  {
    says: 'keeps every other connection when one is released or dies',
    holds: ({ from, event, to }) =>
      !isActive(to) ||
      ids
        .filter((id) => !event.type.endsWith(childIdOf(id)) && !('id' in event && event.id === id))
        .map(childIdOf)
        .every((child) => !has(from, child) || from.children[child] === to.children[child]),
  },
  {
    says: 'drains only when told to',
    holds: ({ from, event, to }) => leafOf(to) !== 'draining' || leafOf(from) === 'draining' || event.type === 'drain',
  },
  {
    says: 'drains for as long as a connection is active, and no longer than its deadline',
    holds: ({ from, event, to }) =>
      (leafOf(to) !== 'draining' || to.context.active.length > 0) &&
      (leafOf(from) !== 'draining' ||
        leafOf(to) !== 'stopped' ||
        to.context.active.length === 0 ||
        event.type.startsWith('xstate.after.drainDeadline.')),
  },
  {
    says: 'never runs again after a drain began',
    holds: ({ from, to }) => leafOf(from) !== 'draining' || !to.matches('running'),
  },
  {
    says: 'is done exactly when it has stopped',
    holds: ({ to }) => (to.status === 'done') === (leafOf(to) === 'stopped'),
  },
  {
    says: 'knows of the environment what was reported last, while it listens',
    holds: ({ from, event, to }) =>
      leafOf(from) === 'occupied' && /^(network|page)\./.test(event.type)
        ? [to.context.network, to.context.page].includes(event.type.split('.')[1] as 'online')
        : to.context.network === from.context.network && to.context.page === from.context.page,
  },
];

describe('the supervisor, explored', () => {
  test('reaches every state of its chart', () => {
    expect(unreached(machine, [graph])).toEqual([]);
  });

  test('takes every transition of its chart', () => {
    expect(untaken(machine, [graph])).toEqual([]);
  });

  test('has a way to stopped from every state', () => {
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

  test('does as a real actor what it does when stepped, with a timer only while it drains (original fault 30)', () => {
    const create = (clock: SimulatedClock): Actor<typeof machine> => createActor(machine, { clock });
    const timersOf = (snapshot: SupervisorSnapshot): number => (leafOf(snapshot) === 'draining' ? 1 : 0);
    expect(divergences(graph, { create, timersOf }).slice(0, 5)).toEqual([]);
  });
});
