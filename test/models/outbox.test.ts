import { createActor, type Actor, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { outboxMachine, type OutboxEvent, type OutboxInput } from '../../machines/outbox.ts';
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

type OutboxSnapshot = SnapshotFrom<typeof outboxMachine>;
type OutboxStep = Edge<OutboxSnapshot, OutboxEvent>;

const input: OutboxInput = { connectionId: 'c1' };

const graph = explore<OutboxSnapshot, OutboxEvent, OutboxInput>(outboxMachine, {
  input,
  limit: 200,
  decidesBy: ({ context }) => context,
  cases: {},
});

const has = ({ children }: OutboxSnapshot, id: string): boolean => children[id] !== undefined;
const isAttached = (snapshot: OutboxSnapshot): boolean => snapshot.matches('attached');
const isDraining = (snapshot: OutboxSnapshot): boolean => snapshot.matches({ attached: 'draining' });
const isHeld = (snapshot: OutboxSnapshot): boolean => ['held', 'paused'].includes(leafOf(snapshot));

const invariants: { says: string; holds: (edge: OutboxStep) => boolean }[] = [
  {
    says: 'lets messages leave only while a socket is attached',
    holds: ({ to }) => !(has(to, 'flow') || has(to, 'outflow')) || isAttached(to),
  },
  {
    says: 'lets them leave in one way at a time, and in none while it watches a full buffer',
    holds: ({ to }) => ['flow', 'outflow', 'gauge'].filter((id) => has(to, id)).length <= 1,
  },
  {
    says: 'lets them leave while nothing stands against it',
    holds: ({ to }) =>
      has(to, 'flow') === (leafOf(to) === 'flowing') && has(to, 'outflow') === (leafOf(to) === 'pouring'),
  },
  {
    says: 'watches the buffer exactly while it is too full (original fault 13)',
    holds: ({ to }) => has(to, 'gauge') === ['congested', 'clogged'].includes(leafOf(to)),
  },
  {
    says: 'watches the queue from the beginning to the end',
    holds: ({ from, to }) => has(to, 'watch') && from.children['watch'] === to.children['watch'],
  },
  {
    says: 'attaches and detaches only when it is told to',
    holds: ({ from, event, to }) =>
      isAttached(from) === isAttached(to) || event.type === (isAttached(to) ? 'attached' : 'detached'),
  },
  {
    says: 'holds messages back only when the application says so',
    holds: ({ from, event, to }) => isHeld(from) || !isHeld(to) || event.type === 'pause',
  },
  {
    says: 'lets held messages go only when the application resumes, or is about to close',
    holds: ({ from, event, to }) => !isHeld(from) || isHeld(to) || ['resume', 'drain'].includes(event.type),
  },
  {
    says: 'ends a drain only with the socket',
    holds: ({ from, event, to }) => !isDraining(from) || isDraining(to) || event.type === 'detached',
  },
  {
    says: 'knows whose messages these are',
    holds: ({ to }) => to.context.connectionId === 'c1',
  },
];

describe('the outbox, explored', () => {
  test('reaches every state of its chart', () => {
    expect(unreached(outboxMachine, [graph])).toEqual([]);
  });

  test('takes every transition of its chart', () => {
    expect(untaken(outboxMachine, [graph])).toEqual([]);
  });

  test('covers what the table says', () => {
    const row = rowOf('outbox', coverageOf(outboxMachine, [graph]), invariants.length);
    expect(tabled('outbox', row)).toBe(row);
  });

  test.each(['flowing', 'drained'])('has a way to %s from every state', (goal) => {
    expect(stranded(graph, (snapshot) => leafOf(snapshot) === goal)).toEqual([]);
  });

  test.each(invariants.map(({ says, holds }) => [says, holds] as const))('%s', (_says, holds) => {
    expect(graph.edges.filter((edge) => !holds(edge)).map(edgeInWords)).toEqual([]);
  });

  test('does as a real actor what it does when stepped, without a timer', () => {
    const create = (clock: SimulatedClock): Actor<typeof outboxMachine> => createActor(outboxMachine, { clock, input });
    expect(divergences(graph, { create, timersOf: () => 0 })).toEqual([]);
  });
});
