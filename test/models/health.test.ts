import { createActor, type Actor, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { healthMachine, type HealthEvent, type HealthInput } from '../../machines/health.ts';
import { GRADING, type Grade } from '../../machines/grade.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
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
  type MachineGraph,
} from '../support/machine-graph.ts';

type HealthSnapshot = SnapshotFrom<typeof healthMachine>;
type HealthStep = Edge<HealthSnapshot, HealthEvent>;

const watched: HealthInput = { connectionId: 'c1', policy: DEFAULT_POLICY.heartbeat, isGraded: false };
const unwatched: HealthInput = { ...watched, policy: null };
const graded: HealthInput = { ...watched, isGraded: true };
const measured: HealthInput = { ...unwatched, isGraded: true };
const watch = {
  type: 'watch',
  policy: { intervalMs: 1_000, promptMs: 500, lateMs: 2_500, timeoutMs: 10_000 },
} satisfies HealthEvent;

const pace = {
  type: 'pace',
  policy: { intervalMs: 60_000, promptMs: 1_000, lateMs: 2_500, timeoutMs: 10_000 },
} satisfies HealthEvent;

// a good one, a poor one that is not critical, and one that is
const SCORES = [100, 50, 10];

interface Scope {
  scores?: readonly number[];
  /** How many measurements are made at the most. */
  most?: number;
  /** What another link may be watched by. */
  policies?: readonly HealthInput['policy'][];
}

function graphOf(
  input: HealthInput,
  { scores = [], most = 0, policies = [watch.policy, null] }: Scope = {},
): MachineGraph<HealthSnapshot, HealthEvent> {
  const isPaced = policies.length > 1;
  return explore<HealthSnapshot, HealthEvent, HealthInput>(healthMachine, {
    input,
    limit: 12_000,
    decidesBy: ({ context }) => context,
    cases: {
      watch: () => policies.map((policy) => ({ type: 'watch', policy })),
      pace: () => (isPaced ? [pace, { ...pace, policy: null }] : []),
      'link.unanswered': () => [{ type: 'link.unanswered', lateMs: 250, timeoutMs: 500 }],
      'link.laden': ({ context }) => (context.urgency || !isPaced ? [] : [{ type: 'link.laden', extraMs: 1_000 }]),
      grading: () => [true, false].map((isGraded) => ({ type: 'grading', isGraded })),
      sampled: () => scores.map((score) => ({ type: 'sampled', score })),
    },
    canHappen: ({ context }, event) => event.type !== 'sampled' || context.recent.length < most,
  });
}

const [graph, silent] = [graphOf(watched), graphOf(unwatched)];
// the heartbeat beside the first samples, and the grade by itself with all of them
const beside = graphOf(graded, { scores: [100, 10], most: 3, policies: [graded.policy] });
const alone = graphOf(measured, { scores: SCORES, most: Infinity, policies: [null] });
const graphs = [graph, silent, beside, alone];

const isTaken = ({ from, event }: HealthStep): boolean => event.type === 'watch' && leafOf(from) !== 'dead';
const isDoubted = ({ value }: HealthSnapshot): boolean => typeof value.heartbeat === 'object';
const gradeOf = ({ value }: HealthSnapshot): Grade | undefined =>
  typeof value.grade === 'object' ? value.grade.graded : undefined;
const RANKS: readonly Grade[] = ['unknown', 'healthy', 'degraded', 'critical'];
const countOf = ({ context }: HealthSnapshot, is: (score: number) => boolean): number =>
  context.recent.filter(is).length;
const isUrged = ({ type }: HealthEvent): boolean => type === 'link.unanswered' || type === 'link.laden';

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
      !(leafOf(from) === 'quiet' && to !== from) ||
      /^(watch|pace|probe|sampled|link\.unanswered|link\.missed|link\.hurried|grading|xstate\.after\.interval\.)/.test(
        event.type,
      ),
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
      leafOf(from) === 'dead' ||
      (leafOf(from) === 'overdue' && event.type.startsWith('xstate.after.grace.')),
  },
  {
    says: 'never takes back that a link is dead',
    holds: ({ from, to }) => leafOf(from) !== 'dead' || leafOf(to) === 'dead',
  },
  {
    says: 'never learns to probe a link that has no ping, nor forgets to, before another takes its place',
    holds: (edge) =>
      isTaken(edge) ||
      ((leafOf(edge.from) === 'unwatched') === (leafOf(edge.to) === 'unwatched') &&
        (edge.to.context.policy === edge.from.context.policy || edge.event.type === 'pace')),
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
  {
    says: 'measures exactly the links that are to be measured',
    holds: ({ to }) =>
      to.context.isGraded === 'gauge' in to.children && (gradeOf(to) !== undefined) === to.context.isGraded,
  },
  {
    says: 'changes a grade only by a measurement, for a new link, or where measuring begins or ends (pain 59)',
    holds: ({ from, event, to }) =>
      gradeOf(from) === gradeOf(to) || ['sampled', 'watch', 'grading'].includes(event.type),
  },
  {
    says: 'makes a grade worse only by most of the last measurements, and never by one',
    holds: ({ from, to }) => {
      const isWorse = RANKS.indexOf(gradeOf(to) ?? 'unknown') > RANKS.indexOf(gradeOf(from) ?? 'unknown');
      return (
        !isWorse ||
        gradeOf(to) === 'healthy' ||
        countOf(to, (score) => score < GRADING.degraded.enter) >= GRADING.toFall
      );
    },
  },
  {
    says: 'takes a bad grade back only by all of the last measurements, and not at the score at which it was given',
    holds: ({ from, event, to }) =>
      event.type !== 'sampled' ||
      RANKS.indexOf(gradeOf(to) ?? 'unknown') >= RANKS.indexOf(gradeOf(from) ?? 'unknown') ||
      countOf(to, (score) => score >= GRADING.critical.leave) >= GRADING.toRise,
  },
  {
    says: 'remembers no more measurements than it decides by',
    holds: ({ to }) => to.context.recent.length <= GRADING.samples,
  },
  {
    says: 'knows nothing of a link that takes the place of another',
    holds: ({ event, to }) => event.type !== 'watch' || leafOf(to) === 'dead' || to.context.recent.length === 0,
  },
  {
    says: 'hastens one probe for each measurement that speaks against the grade',
    holds: ({ from, to }) => !(isDoubted(to) && !isDoubted(from)) || to.context.pace === 'regular',
  },
  {
    says: 'keeps the shorter deadlines of a doubt to that doubt',
    holds: ({ to }) => isDoubted(to) || to.context.urgency === null || leafOf(to) === 'dead',
  },
  {
    says: 'never has two deadlines for one doubt, nor puts one off but for a shorter',
    holds: ({ from, event, to }) =>
      !(isDoubted(from) && isDoubted(to)) || from.context.urgency === to.context.urgency || isUrged(event),
  },
];

describe('the health of a link, explored', () => {
  test('reaches every state of its chart', () => {
    expect(unreached(healthMachine, graphs)).toEqual([]);
  });

  test('takes every transition of its chart', () => {
    expect(untaken(healthMachine, graphs)).toEqual([]);
  });

  test('covers what the table says', () => {
    const row = rowOf('health', coverageOf(healthMachine, graphs), invariants.length);
    expect(tabled('health', row)).toBe(row);
  });

  test('has a way to dead from every state of a link that is watched (original fault 24)', () => {
    expect(stranded(graph, (snapshot) => leafOf(snapshot) === 'dead')).toEqual([]);
  });

  test.each(invariants.map(({ says, holds }) => [says, holds] as const))('%s', (_says, holds) => {
    expect(
      graphs
        .flatMap(({ edges }) => edges)
        .filter((edge) => !holds(edge))
        .map(edgeInWords),
    ).toEqual([]);
  });

  test.each([
    ['watched', watched, graph],
    ['unwatched', unwatched, silent],
    ['watched and graded', graded, beside],
    ['graded', measured, alone],
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
