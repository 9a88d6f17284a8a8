import { createActor, type Actor } from 'xstate';
import { describe, expect, test } from 'vitest';

import { connectionMachine } from '../../machines/connection.ts';
import type { ConnectionEvent, ConnectionInput } from '../../machines/facts.ts';
import { DEFAULT_POLICY, WIRE_CHOICES, type ConnectionPolicy, type WireChoice } from '../../machines/policy.ts';
import { failure, type Failure } from '../../src/core/recovery.ts';
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
  type MachineGraph,
} from '../support/machine-graph.ts';
import {
  away,
  closed,
  closedOnWire,
  closedWith,
  manual,
  disconnect,
  inputOf,
  loss,
  offered,
  opened,
  plain,
  refused,
  refusedWith,
  restore,
  shared,
  succeeded,
  unreachable,
  welcomed,
  type ConnectionSnapshot,
} from './connection-cases.ts';
import { INVARIANTS } from './connection-invariants.ts';
import { WIRE_INVARIANTS } from './connection-wire-invariants.ts';

const policy: ConnectionPolicy = {
  ...DEFAULT_POLICY,
  // the first timer of a link to fire, and so far apart from the others that on a real actor none comes before it
  stableMs: 1,
  // the last ones
  heartbeat: { intervalMs: 1e9, promptMs: 1e9, lateMs: 1e9, timeoutMs: 2e9 },
};

type Graph = MachineGraph<ConnectionSnapshot, ConnectionEvent>;

/** Ends of a socket, so that each of the strategies follows in one of the graphs; and those that may be a replacement. */
const closures: Record<WireChoice, Failure[]> = {
  plain: [1006, 1013, 1008, 4401].map((code) => closedWith(code)),
  prefer: [...[1006, 1013, 1008].map((code) => closedWith(code)), ...[4004, 4002].map((code) => closedOnWire(code))],
  required: [...[1006, 1008].map((code) => closedWith(code)), ...[4004, 4301].map((code) => closedOnWire(code))],
};

// what a socket can say when it opens, with each of the wires that a service may want
const openings: Record<WireChoice, (generation: number) => ConnectionEvent[]> = {
  plain: (generation) => [opened(generation, true), opened(generation, false)],
  prefer: (generation) => [opened(generation), offered(generation), shared(generation), shared(generation, loss)],
  required: (generation) => [offered(generation)],
};

// what is counted multiplies the states: it is counted far where there is nothing else
const budgets: Record<WireChoice, Partial<ConnectionPolicy>> = {
  plain: { maxRetries: 2, maxCredentialsRetries: 1, maxRejections: 1 },
  prefer: { maxRetries: 1, maxCredentialsRetries: 0, maxRejections: null },
  required: { maxRetries: 1, maxCredentialsRetries: 0 },
};

function graphOf(wire: WireChoice): [ConnectionInput, Graph] {
  const input = inputOf({ policy: { ...policy, ...budgets[wire], wire } });
  const graph = explore<ConnectionSnapshot, ConnectionEvent, ConnectionInput>(connectionMachine, {
    input,
    limit: 240_000,
    // Left out is what grows or never repeats (generation, seed, the drawn waits) and what is always written before it is
    // read again (the failure, and what is known of a link once that link is gone). Events are made from the true generation.
    decidesBy: (snapshot) => {
      const { retries, credentialsFailures, tenure, canPing, network, page, opens, offer } = snapshot.context;
      const { rejections, tried, refused, floorMs } = snapshot.context;
      const isEstablished = snapshot.matches({ live: { linked: 'established' } });
      const spoken = isEstablished || leafOf(snapshot) === 'greeting' ? snapshot.context.wire : null;
      const { mayBeReplaced } = snapshot.context;
      const counted = [retries, credentialsFailures, tenure, network, page, opens > 0, rejections, ...tried];
      return [
        ...counted,
        refused.length,
        isEstablished && canPing,
        offer,
        spoken,
        mayBeReplaced,
        snapshot.hasTag('backoff') && floorMs > 0,
      ];
    },
    cases: {
      disconnect: () => [disconnect],
      // what it had counted makes no other states than those that a connection counts itself
      restore: () => {
        const known = { ...restore.known, opens: 0 };
        return [
          { ...restore, known },
          { ...restore, known, wasOpen: true },
        ];
      },
      'policy.changed': () => [{ type: 'policy.changed', policy: { ...input.policy } }],
      'credentials.failed': () => [
        { type: 'credentials.failed', failure: refused },
        { type: 'credentials.failed', failure: manual(refused) },
      ],
      'url.failed': () => [
        { type: 'url.failed', failure: unreachable },
        { type: 'url.failed', failure: failure('INVALID_URL') },
      ],
      'negotiation.failed': () => [
        { type: 'negotiation.failed', failure: unreachable },
        { type: 'negotiation.failed', failure: failure('PROTOCOL_VIOLATION') },
      ],
      'greeting.failed': () => [
        { type: 'greeting.failed', failure: unreachable },
        { type: 'greeting.failed', failure: manual(unreachable) },
      ],
      'socket.opened': ({ context: { generation } }) => [...openings[wire](generation), opened(generation - 1)],
      'socket.closed': ({ context: { generation }, value }) => [
        // what is known of a server may have made another offer than the chart meant
        ...(wire === 'prefer' && leafOf({ value }) === 'dialing'
          ? (['made', 'withheld'] as const).map((offer) => closed(generation, refusedWith(400), offer))
          : []),
        ...closures[wire].map((closure) => closed(generation, closure)),
        closed(generation - 1, closedWith(1008)),
      ],
      'wire.plain': () => (wire === 'required' ? [plain()] : [plain(), plain(loss)]),
      'session.welcomed': () => [welcomed(), welcomed(loss)],
      'server.away': () => [away()],
      'successor.welcomed': ({ context: { generation } }) => [
        succeeded(generation + 1),
        succeeded(generation + 1, loss),
      ],
    },
    canHappen: ({ context, value }, { type }) => {
      // an application has but a moment for it
      if (type === 'connect' && context.page === 'frozen')
        return wire === 'plain' && context.opens === 0 && context.retries === 0;
      // what rests does no more than note it, on every wire
      if (type === 'page.frozen' && ['idle', 'closed', 'failed'].includes(leafOf({ value }))) return wire === 'plain';
      // only a server that speaks holdfast.v1 can ask for anything
      if (['server.away', 'credentials.demanded'].includes(type)) return context.wire === 'holdfast.v1';
      // the stable period runs once for each link, and is over before the server stops waiting
      if (type.startsWith('xstate.after.stablePeriod.')) return context.tenure === 'new';
      return !isErrand({ value }) || !type.startsWith('xstate.after.') || context.tenure === 'stable';
    },
  });
  return [input, graph];
}

const explored = WIRE_CHOICES.map((wire) => [wire, ...graphOf(wire)] as const);
const graphs = explored.map(([, , graph]) => graph);

/** While the server waits for something that it has asked for. */
function isErrand(snapshot: { value: unknown }): boolean {
  return ['renewing', 'leaving', 'moving'].includes(leafOf(snapshot));
}

/** How many timers a state calls for, its health actor's included. */
function timersOf(snapshot: ConnectionSnapshot): number {
  const { tenure, canPing } = snapshot.context;
  if (['idle', 'queued', 'closed', 'failed', 'suspended'].includes(leafOf(snapshot))) return 0;
  if (!snapshot.matches({ live: { linked: 'established' } })) return 1;
  return (tenure === 'new' ? 1 : 0) + (canPing ? 1 : 0) + (isErrand(snapshot) ? 1 : 0);
}

describe('the connection, explored', () => {
  test('reaches every state of its chart', () => {
    expect(unreached(connectionMachine, graphs)).toEqual([]);
  });

  test('takes every transition of its chart', () => {
    expect(untaken(connectionMachine, graphs)).toEqual([]);
  });

  test('covers what the table says', () => {
    const row = rowOf('connection', coverageOf(connectionMachine, graphs), [...INVARIANTS, ...WIRE_INVARIANTS].length);
    expect(tabled('connection', row)).toBe(row);
  });

  test.each(explored)('has a way to open from every state where its wire is %s (pain 1)', (_wire, _input, graph) => {
    expect(stranded(graph, (snapshot) => leafOf(snapshot) === 'open')).toEqual([]);
  });

  test.each(explored)('has a way to closed from every state where its wire is %s', (_wire, _input, graph) => {
    expect(stranded(graph, (snapshot) => leafOf(snapshot) === 'closed')).toEqual([]);
  });

  test.each([...INVARIANTS, ...WIRE_INVARIANTS].map(({ says, holds }) => [says, holds] as const))(
    '%s',
    (_says, holds) => {
      const broken = graphs.flatMap(({ edges }) => edges.filter((edge) => !holds(edge)));
      expect(broken.slice(0, 5).map(edgeInWords)).toEqual([]);
    },
  );

  test.each(explored)(
    'does as a real actor what it does when stepped, with the timers that its state calls for, where its wire is %s (original fault 30)',
    (_wire, input, graph) => {
      const create = (clock: SimulatedClock): Actor<typeof connectionMachine> =>
        createActor(connectionMachine, { clock, input });
      const isTimeout = ({ event }: Graph['edges'][number]): boolean =>
        event.type.startsWith('xstate.after.wireTimeout.');
      const walked = graph.edges.filter((edge) => !isTimeout(edge));
      expect(divergences({ ...graph, edges: walked }, { create, timersOf }).slice(0, 5)).toEqual([]);
      // that the negotiator was told to wait no longer is no state of the chart, and has no timer any more
      const timeouts = graph.edges.filter(isTimeout);
      expect(divergences({ ...graph, edges: timeouts }, { create, timersOf: () => 0 }).slice(0, 5)).toEqual([]);
    },
    // some twenty thousand actors, on a machine that may be busy
    240_000,
  );
});
