import { createActor, type Actor } from 'xstate';
import { describe, expect, test } from 'vitest';

import { connectionMachine } from '../../machines/connection.ts';
import type { ConnectionEvent, ConnectionInput } from '../../machines/facts.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import { failure } from '../../src/core/recovery.ts';
import type { SimulatedClock } from '../support/clock.ts';
import { divergences, edgeInWords, explore, leafOf, stranded, unreached, untaken } from '../support/machine-graph.ts';
import {
  closed,
  closedWith,
  disconnect,
  inputOf,
  opened,
  refused,
  unreachable,
  type ConnectionSnapshot,
} from './connection-cases.ts';
import { INVARIANTS } from './connection-invariants.ts';

const policy = {
  ...DEFAULT_POLICY,
  maxRetries: 2,
  maxCredentialsRetries: 1,
  // so far apart that on a real actor the timers of the health actor never come before those of the connection
  heartbeat: { intervalMs: 1e9, lateMs: 1e9, timeoutMs: 2e9 },
};
const input = inputOf({ policy });

const graph = explore<ConnectionSnapshot, ConnectionEvent, ConnectionInput>(connectionMachine, {
  input,
  limit: 100_000,
  // Left out is what grows or never repeats (generation, seed, the drawn wait) and what is always written before it is read
  // again (the failure, and whether a link has a ping once that link is gone). Events are made from the true generation.
  decidesBy: (snapshot) => {
    const { retries, credentialsFailures, tenure, canPing, network, page, opens } = snapshot.context;
    const hasPing = snapshot.matches({ live: { linked: 'established' } }) && canPing;
    return [retries, credentialsFailures, tenure, network, page, opens > 0, hasPing];
  },
  cases: {
    disconnect: () => [disconnect],
    'policy.changed': () => [{ type: 'policy.changed', policy: { ...policy } }],
    'credentials.failed': () => [
      { type: 'credentials.failed', failure: refused },
      { type: 'credentials.failed', failure: failure('CREDENTIALS_FAILED', 'stop') },
    ],
    'url.failed': () => [
      { type: 'url.failed', failure: unreachable },
      { type: 'url.failed', failure: failure('INVALID_URL', 'stop') },
    ],
    'greeting.failed': () => [
      { type: 'greeting.failed', failure: unreachable },
      { type: 'greeting.failed', failure: failure('SEND_FAILED', 'stop') },
    ],
    'socket.opened': ({ context: { generation } }) => [
      opened(generation, true),
      opened(generation, false),
      opened(generation - 1),
    ],
    'socket.closed': ({ context: { generation } }) => [
      closed(generation),
      closed(generation, closedWith(1013)),
      closed(generation, closedWith(1008)),
      closed(generation - 1, closedWith(1008)),
    ],
  },
  // the stable period runs once for each link
  canHappen: ({ context }, { type }) => !type.startsWith('xstate.after.stablePeriod.') || context.tenure === 'new',
});

/** How many timers a state calls for, its health actor's included. */
function timersOf(snapshot: ConnectionSnapshot): number {
  const { tenure, canPing } = snapshot.context;
  if (['idle', 'closed', 'failed'].includes(leafOf(snapshot))) return 0;
  if (!snapshot.matches({ live: { linked: 'established' } })) return 1;
  return (tenure === 'new' ? 1 : 0) + (canPing ? 1 : 0);
}

describe('the connection, explored', () => {
  test('reaches every state of its chart', () => {
    expect(unreached(connectionMachine, [graph])).toEqual([]);
  });

  test('takes every transition of its chart', () => {
    expect(untaken(connectionMachine, [graph])).toEqual([]);
  });

  test('has a way to open from every state (pain 1)', () => {
    expect(stranded(graph, (snapshot) => leafOf(snapshot) === 'open')).toEqual([]);
  });

  test('has a way to closed from every state', () => {
    expect(stranded(graph, (snapshot) => leafOf(snapshot) === 'closed')).toEqual([]);
  });

  test.each(INVARIANTS.map(({ says, holds }) => [says, holds] as const))('%s', (_says, holds) => {
    expect(
      graph.edges
        .filter((edge) => !holds(edge))
        .slice(0, 5)
        .map(edgeInWords),
    ).toEqual([]);
  });

  test('does as a real actor what it does when stepped, with the timers that its state calls for (original fault 30)', () => {
    const create = (clock: SimulatedClock): Actor<typeof connectionMachine> =>
      createActor(connectionMachine, { clock, input });
    expect(divergences(graph, { create, timersOf }).slice(0, 5)).toEqual([]);
  });
});
