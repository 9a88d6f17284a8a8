import { createActor, type Actor, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { sessionMachine, type SessionEvent, type SessionInput } from '../../machines/session.ts';
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

type SessionSnapshot = SnapshotFrom<typeof sessionMachine>;
type SessionStep = Edge<SessionSnapshot, SessionEvent>;

const input: SessionInput = { sid: 's1', gen: 1 };
// two resumptions are as good as any number
const MAX_GEN = 3;

const graph = explore<SessionSnapshot, SessionEvent, SessionInput>(sessionMachine, {
  input,
  limit: 2_000,
  decidesBy: ({ context }) => context,
  cases: {
    'socket.attached': ({ context: { gen } }) =>
      [gen, Math.min(gen + 1, MAX_GEN)].map((each) => ({ type: 'socket.attached', gen: each })),
    'socket.lost': ({ context: { gen } }) => [gen - 1, gen].map((each) => ({ type: 'socket.lost', gen: each })),
  },
});

const has = ({ children }: SessionSnapshot, id: string): boolean => children[id] !== undefined;
const isAttached = (snapshot: SessionSnapshot): boolean => snapshot.matches('attached');
const isClosing = (snapshot: SessionSnapshot): boolean => snapshot.matches({ attached: 'closing' });
const isOver = (snapshot: SessionSnapshot): boolean => snapshot.status === 'done';

const invariants: { says: string; holds: (edge: SessionStep) => boolean }[] = [
  {
    says: 'carries messages exactly while a socket is attached',
    holds: ({ to }) => has(to, 'traffic') === isAttached(to),
  },
  {
    says: 'carries the messages of one socket at a time, and begins anew with each',
    holds: ({ from, to }) =>
      !(isAttached(from) && isAttached(to)) ||
      (from.children['traffic'] === to.children['traffic']) === (from.context.gen === to.context.gen),
  },
  {
    says: 'never goes back to an older socket',
    holds: ({ from, to }) => to.context.gen >= from.context.gen,
  },
  {
    says: 'is not moved by what comes from an older socket',
    holds: ({ from, event, to }) => !(event.type === 'socket.lost' && event.gen < from.context.gen) || from === to,
  },
  {
    says: 'sends what was missed before anything else, on every socket',
    holds: ({ from, to }) => isAttached(from) || !isAttached(to) || leafOf(to) === 'replaying',
  },
  {
    says: 'waits for acknowledgements exactly while it is closing',
    holds: ({ to }) => has(to, 'settling') === isClosing(to),
  },
  {
    says: 'comes out of closing only by its end',
    holds: ({ from, to }) => !isClosing(from) || isClosing(to) || isOver(to),
  },
  {
    says: 'gives a reason exactly when it is over',
    holds: ({ to }) => (to.context.why !== null) === isOver(to),
  },
  {
    says: 'is ended by nothing that a lost socket does, but while it is closing',
    holds: ({ from, event, to }) => event.type !== 'socket.lost' || !isOver(to) || isClosing(from),
  },
  {
    says: 'knows which session it is',
    holds: ({ to }) => to.context.sid === 's1',
  },
];

describe('a session, explored', () => {
  test('reaches every state of its chart', () => {
    expect(unreached(sessionMachine, [graph])).toEqual([]);
  });

  test('takes every transition of its chart', () => {
    expect(untaken(sessionMachine, [graph])).toEqual([]);
  });

  test('covers what the table says', () => {
    const row = rowOf('session', coverageOf(sessionMachine, [graph]), invariants.length);
    expect(tabled('session', row)).toBe(row);
  });

  test('has a way to its end from every state', () => {
    expect(stranded(graph, isOver)).toEqual([]);
  });

  test.each(invariants.map(({ says, holds }) => [says, holds] as const))('%s', (_says, holds) => {
    expect(graph.edges.filter((edge) => !holds(edge)).map(edgeInWords)).toEqual([]);
  });

  test('does as a real actor what it does when stepped, with a timer only while it is closing', () => {
    const create = (clock: SimulatedClock): Actor<typeof sessionMachine> =>
      createActor(sessionMachine, { clock, input });
    expect(divergences(graph, { create, timersOf: (snapshot) => (isClosing(snapshot) ? 1 : 0) })).toEqual([]);
  });
});
