import { createActor, type Actor, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { DEFAULT_INTENSITY, groupMachine } from '../../machines/group.ts';
import { supervisorMachine, type SupervisorEvent, type SupervisorInput } from '../../machines/supervisor.ts';
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
} from '../support/machine-graph.ts';
import { inputOf } from './connection-cases.ts';

type SupervisorSnapshot = SnapshotFrom<typeof supervisorMachine>;
type SupervisorStep = Edge<SupervisorSnapshot, SupervisorEvent>;

// the exploration says itself when a group is done, so the real ones never are
const machine = supervisorMachine.provide({
  actors: {
    group: groupMachine.provide({
      guards: { isQuiet: () => false },
    }),
  },
});
const input: SupervisorInput = { intensity: DEFAULT_INTENSITY };

// each connection has a name of its own; how many there were tells the next from the last
function request({ context }: SupervisorSnapshot): SupervisorEvent[] {
  const { serviceType, policy, seed } = inputOf();
  const taken = context.groups.reduce((sum, group) => sum + group.taken, 0);
  // groups so full as the real ones would make too many states: two connections are enough for one, and three groups for all
  if (taken >= 2 || context.made >= 3) return [];
  const id = `c${context.made}-${taken}`;
  return [{ type: 'connection.requested', input: { id, serviceType, policy, seed } }];
}

const graph = explore<SupervisorSnapshot, SupervisorEvent, SupervisorInput>(machine, {
  input,
  limit: 20_000,
  decidesBy: ({ context: { groups, made, network, page } }) => [groups, made, network, page],
  cases: {
    'connection.requested': request,
    'place.vacated': () => ['group:1', 'group:2'].map((group) => ({ type: 'place.vacated', group })),
    'xstate.done.actor.*': () => (['group:1', 'group:2'] as const).map((id) => ({ type: `xstate.done.actor.${id}` })),
    drain: () => [{ type: 'drain', deadlineMs: 5_000 }],
  },
});

const idsOf = ({ context }: SupervisorSnapshot): string[] => context.groups.map(({ id }) => id);
const isActive = ({ status }: SupervisorSnapshot): boolean => status === 'active';
const isListening = ({ children }: SupervisorSnapshot): boolean => children['signals'] !== undefined;

const invariants: { says: string; holds: (edge: SupervisorStep) => boolean }[] = [
  {
    says: 'has an actor for exactly the groups it knows',
    holds: ({ to }) =>
      !isActive(to) || String(Object.keys(to.children).filter((id) => id !== 'signals')) === String(idsOf(to)),
  },
  {
    says: 'knows each group once, and none that is empty',
    holds: ({ to }) =>
      new Set(idsOf(to)).size === idsOf(to).length && to.context.groups.every(({ taken }) => taken > 0),
  },
  {
    says: 'makes a group only on a request, and only while it runs',
    holds: ({ from, event, to }) =>
      to.context.made === from.context.made || (event.type === 'connection.requested' && from.matches('running')),
  },
  {
    says: 'loses a group only when it is empty or done',
    holds: ({ from, event, to }) =>
      idsOf(to).length >= idsOf(from).length || /^(place\.vacated|xstate\.done\.actor\.)/.test(event.type),
  },
  {
    says: 'listens to the platform exactly while it is occupied, and once',
    holds: ({ from, to }) =>
      !isActive(to) ||
      (isListening(to) === (leafOf(to) === 'occupied') &&
        (leafOf(from) !== 'occupied' ||
          leafOf(to) !== 'occupied' ||
          from.children['signals'] === to.children['signals'])),
  },
  {
    says: 'has no group while it is vacant',
    holds: ({ to }) => leafOf(to) !== 'vacant' || idsOf(to).length === 0,
  },
  {
    says: 'drains only when told to',
    holds: ({ from, event, to }) => leafOf(to) !== 'draining' || leafOf(from) === 'draining' || event.type === 'drain',
  },
  {
    says: 'drains for as long as a group is not done, and no longer than its deadline',
    holds: ({ from, event, to }) =>
      (leafOf(to) !== 'draining' || idsOf(to).length > 0) &&
      (leafOf(from) !== 'draining' ||
        leafOf(to) !== 'stopped' ||
        idsOf(to).length === 0 ||
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

  test('covers what the table says', () => {
    const row = rowOf('supervisor', coverageOf(machine, [graph]), invariants.length);
    expect(tabled('supervisor', row)).toBe(row);
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
    const create = (clock: SimulatedClock): Actor<typeof machine> => createActor(machine, { clock, input });
    const timersOf = (snapshot: SupervisorSnapshot): number => (leafOf(snapshot) === 'draining' ? 1 : 0);
    expect(divergences(graph, { create, timersOf }).slice(0, 5)).toEqual([]);
  });
});
