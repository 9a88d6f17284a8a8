import { createActor, type Actor, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { healthMachine, type HealthEvent, type HealthInput } from '../../machines/health.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
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
  type MachineGraph,
} from '../support/machine-graph.ts';

type HealthSnapshot = SnapshotFrom<typeof healthMachine>;
type HealthStep = Edge<HealthSnapshot, HealthEvent>;

const watched: HealthInput = { connectionId: 'c1', policy: DEFAULT_POLICY.heartbeat };
const unwatched: HealthInput = { connectionId: 'c1', policy: null };
const watch = {
  type: 'watch',
  policy: { intervalMs: 1_000, lateMs: 2_500, timeoutMs: 10_000 },
} satisfies HealthEvent;

const pace = {
  type: 'pace',
  policy: { intervalMs: 60_000, lateMs: 2_500, timeoutMs: 10_000 },
} satisfies HealthEvent;

function graphOf(input: HealthInput): MachineGraph<HealthSnapshot, HealthEvent> {
  return explore<HealthSnapshot, HealthEvent, HealthInput>(healthMachine, {
    input,
    limit: 300,
    decidesBy: ({ context }) => context,
    cases: { watch: () => [watch, { ...watch, policy: null }], pace: () => [pace, { ...pace, policy: null }] },
  });
}

const [graph, silent] = [graphOf(watched), graphOf(unwatched)];

const isTaken = ({ from, event }: HealthStep): boolean => event.type === 'watch' && leafOf(from) !== 'dead';
const isDoubted = (snapshot: HealthSnapshot): boolean => snapshot.matches('doubted');

const invariants: { says: string; holds: (edge: HealthStep) => boolean }[] = [
  {
    says: 'has a probe out exactly while the link is doubted',
    holds: ({ to }) => isDoubted(to) === 'probe' in to.children,
  },
  {
    says: 'has one probe for each doubt',
    holds: ({ from, to }) => !(isDoubted(from) && isDoubted(to)) || from.children['probe'] === to.children['probe'],
  },
  {
    says: 'lets the deadline of a doubt run: until a frame comes, only time moves it on',
    holds: ({ from, event, to }) =>
      !(isDoubted(from) && isDoubted(to)) || leafOf(to) === leafOf(from) || event.type.startsWith('xstate.after.'),
  },
  {
    says: 'ends a doubt with the first frame, whatever had been said before',
    holds: ({ from, event, to }) => !(isDoubted(from) && event.type === 'link.heard') || leafOf(to) === 'quiet',
  },
  {
    says: 'doubts a quiet link only on request or after the interval',
    holds: ({ from, event, to }) =>
      !(leafOf(from) === 'quiet' && to !== from) || /^(watch|pace|probe|xstate\.after\.interval\.)/.test(event.type),
  },
  {
    says: 'calls a link late only after the time for that, in a doubt',
    holds: ({ from, event, to }) =>
      leafOf(to) !== 'late' ||
      leafOf(from) === 'late' ||
      (leafOf(from) === 'probing' && event.type.startsWith('xstate.after.late.')),
  },
  {
    says: 'calls a link dead only after the time for that and a turn of grace, when it was late (pain 7)',
    holds: ({ from, event, to }) =>
      leafOf(to) !== 'dead' ||
      to === from ||
      (leafOf(from) === 'overdue' && event.type.startsWith('xstate.after.grace.')),
  },
  {
    says: 'never takes back that a link is dead',
    holds: ({ from, to }) => leafOf(from) !== 'dead' || to === from,
  },
  {
    says: 'never learns to probe a link that has no ping, nor forgets to, before another takes its place',
    holds: (edge) =>
      isTaken(edge) ||
      ((leafOf(edge.from) === 'unwatched') === (leafOf(edge.to) === 'unwatched') &&
        (edge.to.context === edge.from.context || edge.event.type === 'pace')),
  },
  {
    says: 'is paced without a deadline being put off, and without being probed for it (pain 8)',
    holds: ({ from, event, to }) =>
      event.type !== 'pace' ||
      (leafOf(from) === leafOf(to) &&
        (leafOf(from) === 'dead' ||
          from.context.policy === null ||
          to.context.policy === (event.policy ?? from.context.policy))),
  },
  {
    says: 'watches a link that takes the place of another from its own beginning, by its own policy',
    holds: (edge) =>
      !isTaken(edge) ||
      (edge.event.type === 'watch' &&
        edge.to.context.policy === edge.event.policy &&
        leafOf(edge.to) === (edge.event.policy ? 'quiet' : 'unwatched')),
  },
];

describe('the health of a link, explored', () => {
  test('reaches every state of its chart', () => {
    expect(unreached(healthMachine, [graph, silent])).toEqual([]);
  });

  test('takes every transition of its chart', () => {
    expect(untaken(healthMachine, [graph, silent])).toEqual([]);
  });

  test('has a way to dead from every state of a link that is watched (original fault 24)', () => {
    expect(stranded(graph, (snapshot) => leafOf(snapshot) === 'dead')).toEqual([]);
  });

  test.each(invariants.map(({ says, holds }) => [says, holds] as const))('%s', (_says, holds) => {
    expect([...graph.edges, ...silent.edges].filter((edge) => !holds(edge)).map(edgeInWords)).toEqual([]);
  });

  test.each([
    ['watched', watched, graph],
    ['unwatched', unwatched, silent],
  ] as const)(
    'does as a real actor what it does when stepped, %s, with the timers of its state',
    (_kind, input, explored) => {
      const timers: Record<string, number> = { quiet: 1, probing: 1, late: 1, overdue: 1, dead: 0, unwatched: 0 };
      const create = (clock: SimulatedClock): Actor<typeof healthMachine> =>
        createActor(healthMachine, { clock, input });
      const timersOf = (snapshot: HealthSnapshot): number => timers[leafOf(snapshot)] ?? -1;
      expect(divergences(explored, { create, timersOf })).toEqual([]);
    },
  );
});
