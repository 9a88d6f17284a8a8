import { createActor, fromCallback, initialTransition, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { connectionMachine } from '../../machines/connection.ts';
import type { ConnectionEvent } from '../../machines/facts.ts';
import { childIdOf, DEFAULT_INTENSITY, groupMachine } from '../../machines/group.ts';
import { GROUP_SIZE, supervisorMachine, type SupervisorEvent } from '../../machines/supervisor.ts';
import { attempt, closed, connect, inputOf } from '../models/connection-cases.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { leafOf, stepThrough, type Step } from '../support/machine-graph.ts';

type SupervisorSnapshot = SnapshotFrom<typeof supervisorMachine>;

const drain: SupervisorEvent = { type: 'drain', deadlineMs: 5_000 };
const signals = [
  'network.online',
  'network.offline',
  'page.visible',
  'page.hidden',
  'page.frozen',
  'system.woke',
] as const;
const input = { intensity: DEFAULT_INTENSITY };

function request(id: string): SupervisorEvent {
  const { serviceType, policy, seed } = inputOf();
  return { type: 'connection.requested', input: { id, serviceType, policy, seed } };
}

const requests = (count: number): SupervisorEvent[] =>
  Array.from({ length: count }, (_, index) => request(`c${index}`));
const vacated = (group: string): SupervisorEvent => ({ type: 'place.vacated', group });
const done = (group: `group:${string}`): SupervisorEvent => ({ type: `xstate.done.actor.${group}` });
const elapsed = { type: 'xstate.after.drainDeadline.supervisor.draining' } as unknown as SupervisorEvent;

const ways = {
  vacant: [],
  occupied: [request('a')],
  draining: [request('a'), drain],
  stopped: [drain],
} satisfies Record<string, SupervisorEvent[]>;
type Leaf = keyof typeof ways;

function stepped(...events: readonly SupervisorEvent[]): Step<SupervisorSnapshot> {
  const [start] = initialTransition(supervisorMachine, input);
  return stepThrough(supervisorMachine, start, events);
}

const placed = ['start group:1', 'tell group:1 connection.requested'];
const rows: { given: Leaf; on: SupervisorEvent; next: Leaf; effects: string[] }[] = [
  { given: 'vacant', on: request('a'), next: 'occupied', effects: [...placed, 'start signals'] },
  { given: 'vacant', on: drain, next: 'stopped', effects: ['arm drainDeadline', 'disarm drainDeadline'] },
  { given: 'occupied', on: request('b'), next: 'occupied', effects: placed.slice(1) },
  { given: 'occupied', on: vacated('group:1'), next: 'occupied', effects: ['stop group:1'] },
  ...signals.map((type) => ({
    given: 'occupied' as const,
    on: { type },
    next: 'occupied' as const,
    effects: [`tell group:1 ${type}`],
  })),
  {
    given: 'occupied',
    on: drain,
    next: 'draining',
    effects: ['stop signals', 'tell group:1 drain', 'arm drainDeadline'],
  },
  { given: 'draining', on: done('group:1'), next: 'stopped', effects: ['stop group:1', 'disarm drainDeadline'] },
  { given: 'draining', on: elapsed, next: 'stopped', effects: ['disarm drainDeadline', 'stop group:1'] },
];

const ignored: { given: Leaf; on: SupervisorEvent }[] = [
  ...signals.flatMap((type) => (['vacant', 'draining'] as const).map((given) => ({ given, on: { type } }))),
  { given: 'occupied', on: vacated('group:2') },
  { given: 'occupied', on: { type: 'xstate.error.actor.signals', error: undefined } },
  { given: 'draining', on: request('b') },
  { given: 'draining', on: drain },
  { given: 'draining', on: vacated('group:1') },
  { given: 'stopped', on: request('a') },
];

describe('the supervisor chart', () => {
  test.each(rows.map((row) => [`${row.given}, on ${row.on.type}, to ${row.next}`, row] as const))(
    'goes from %s',
    (_step, { given, on, next, effects }) => {
      const { snapshot, effects: found } = stepped(...ways[given], on);
      expect([leafOf(snapshot), found]).toEqual([next, effects]);
    },
  );

  test.each(ignored.map((row) => [`${row.given}, and does nothing, on ${row.on.type}`, row] as const))(
    'stays %s',
    (_step, { given, on }) => {
      const { snapshot, effects } = stepped(...ways[given], on);
      expect([leafOf(snapshot), effects]).toEqual([given, []]);
      expect(snapshot.context).toEqual(stepped(...ways[given]).snapshot.context);
    },
  );

  test('fills a group before it makes another', () => {
    const { groups } = stepped(...requests(GROUP_SIZE + 1)).snapshot.context;
    expect(groups).toEqual([
      { id: 'group:1', taken: GROUP_SIZE },
      { id: 'group:2', taken: 1 },
    ]);
  });

  test('gives a place that is free again to the next', () => {
    const { groups } = stepped(...requests(GROUP_SIZE + 1), vacated('group:1'), request('x')).snapshot.context;
    expect(groups.map(({ taken }) => taken)).toEqual([GROUP_SIZE, 1]);
  });

  test('ends a group that is empty, and never makes another of its name', () => {
    const { context } = stepped(request('a'), vacated('group:1'), request('a')).snapshot;
    expect(context.groups).toEqual([{ id: 'group:2', taken: 1 }]);
  });

  test('goes on being occupied after its last connection was released', () => {
    expect(leafOf(stepped(request('a'), vacated('group:1')).snapshot)).toBe('occupied');
  });
});

interface Service {
  clock: SimulatedClock;
  tell: (...events: SupervisorEvent[]) => void;
  toConnection: (id: string, ...events: ConnectionEvent[]) => void;
  snapshot: () => SupervisorSnapshot;
  log: string[];
}

/** A supervisor with real groups and connections; writes down what becomes of the signals and the sockets. */
function service(): Service {
  const clock = new SimulatedClock();
  const log: string[] = [];
  const connection = connectionMachine.provide({
    actors: {
      socket: fromCallback(({ input: { connectionId } }: { input: { connectionId: string } }) => {
        log.push(`socket of ${connectionId} made`);
        return () => void log.push(`socket of ${connectionId} disposed of`);
      }),
    },
  });
  const machine = supervisorMachine.provide({
    actors: {
      group: groupMachine.provide({ actors: { connection } }),
      signals: fromCallback(() => {
        log.push('signals on');
        return () => void log.push('signals off');
      }),
    },
  });
  const actor = createActor(machine, { clock, input }).start();
  const groups = (): SupervisorSnapshot['children'][string][] =>
    actor.getSnapshot().context.groups.map(({ id }) => actor.getSnapshot().children[id]);
  return {
    clock,
    log,
    tell: (...events) => events.forEach((event) => actor.send(event)),
    toConnection: (id, ...events) => {
      for (const group of groups()) {
        const snapshot = group?.getSnapshot();
        const child = snapshot && 'children' in snapshot ? snapshot.children[childIdOf(id)] : undefined;
        events.forEach((event) => child?.send(event));
      }
    },
    snapshot: () => actor.getSnapshot(),
  };
}

describe('a service at work', () => {
  test('listens to the platform from the first connection on, and not before', () => {
    const { log, tell } = service();
    expect(log).toEqual([]);
    tell(request('a'), request('b'));
    expect(log).toEqual(['signals on']);
  });
});

describe('draining', () => {
  function twoGroups(): Service {
    const made = service();
    made.tell(...requests(GROUP_SIZE + 1));
    for (const id of ['c0', `c${GROUP_SIZE}`]) made.toConnection(id, connect, ...attempt(1));
    return made;
  }

  test('waits until every open connection has closed, then stops for good', () => {
    const { tell, toConnection, snapshot, clock, log } = twoGroups();
    tell(drain);
    toConnection('c0', closed(1));
    expect([snapshot().status, snapshot().context.groups.length]).toEqual(['active', 1]);
    toConnection(`c${GROUP_SIZE}`, closed(1));
    expect([snapshot().status, snapshot().value, clock.pending()]).toEqual(['done', 'stopped', 0]);
    expect(log.filter((line) => line.endsWith('disposed of'))).toHaveLength(2);
  });

  test('stops at the deadline with what is still open, and leaves no timer and no socket (original fault 30)', () => {
    const { tell, snapshot, clock, log } = twoGroups();
    tell({ type: 'drain', deadlineMs: 500 });
    clock.advance(499);
    expect(snapshot().status).toBe('active');
    clock.advance(1);
    expect([snapshot().status, clock.pending()]).toEqual(['done', 0]);
    expect(log.filter((line) => line.endsWith('disposed of'))).toHaveLength(2);
  });

  test('drops a pending retry, so that it waits for nobody (pain 25)', () => {
    const { tell, toConnection, snapshot, clock } = service();
    tell(request('a'));
    toConnection('a', connect, ...attempt(1), closed(1));
    tell(drain);
    expect([snapshot().status, clock.pending()]).toEqual(['done', 0]);
  });

  test('is over at once when nothing is open', () => {
    const { tell, snapshot, clock, log } = service();
    tell(request('a'), drain);
    expect([snapshot().status, clock.pending(), log]).toEqual(['done', 0, ['signals on', 'signals off']]);
  });

  test('no longer listens to the platform', () => {
    const { tell, log, snapshot } = twoGroups();
    tell(drain, { type: 'network.offline' });
    expect([log.at(-1), snapshot().context.network]).toEqual(['signals off', 'online']);
  });
});
