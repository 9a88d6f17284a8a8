import { createActor, fromCallback, initialTransition, setup, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { connectionMachine } from '../../machines/connection.ts';
import { stateOf, type ConnectionEvent } from '../../machines/facts.ts';
import { childIdOf, groupMachine, idIn, type GroupEvent, type GroupInput } from '../../machines/group.ts';
import { attempt, closed, connect, inputOf } from '../models/connection-cases.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';
import { leafOf, stepThrough, type Step } from '../support/machine-graph.ts';

type GroupSnapshot = SnapshotFrom<typeof groupMachine>;

const drain: GroupEvent = { type: 'drain' };
const signals = [
  'network.online',
  'network.offline',
  'page.visible',
  'page.hidden',
  'page.frozen',
  'system.woke',
] as const;
const input: GroupInput = {
  id: 'group:1',
  intensity: { most: 2, withinMs: 1_000 },
  network: 'online',
  page: 'visible',
};

function request(id: string): GroupEvent {
  const { serviceType, policy, seed } = inputOf();
  return { type: 'connection.requested', input: { id, serviceType, policy, seed } };
}

const active = (id: string): GroupEvent => ({ type: 'connection.active', id });
const rested = (id: string): GroupEvent => ({ type: 'connection.rested', id });
const released = (id: string): GroupEvent => ({ type: 'connection.released', id });
const forgotten = (id: string): GroupEvent => ({ type: 'restart.forgotten', id });
const died = (id: string): GroupEvent => ({ type: `xstate.error.actor.connection:${id}`, error: undefined });

const ways = {
  running: [request('a')],
  draining: [request('a'), active('a'), drain],
  drained: [drain],
} satisfies Record<string, GroupEvent[]>;
type Leaf = keyof typeof ways;

function stepped(...events: readonly GroupEvent[]): Step<GroupSnapshot> {
  const [start] = initialTransition(groupMachine, input);
  return stepThrough(groupMachine, start, events);
}

const membersOf = ({ snapshot }: Step<GroupSnapshot>): string[] =>
  snapshot.context.members.map(({ input: { id }, use, restarts }) => `${id} ${use} ${restarts}`);

const buried = ['disposeConnection', 'stop connection:a'];
const vacated = 'tell parent place.vacated';
const rows: { given: Leaf; on: GroupEvent; next: Leaf; effects: string[] }[] = [
  { given: 'running', on: request('b'), next: 'running', effects: ['start connection:b'] },
  { given: 'running', on: released('a'), next: 'running', effects: ['stop connection:a', vacated] },
  { given: 'running', on: request('a'), next: 'running', effects: [vacated] },
  ...signals.map((type) => ({
    given: 'running' as const,
    on: { type },
    next: 'running' as const,
    effects: [`tell connection:a ${type}`],
  })),
  { given: 'running', on: drain, next: 'drained', effects: ['tell connection:a disconnect', 'stop connection:a'] },
  { given: 'draining', on: rested('a'), next: 'drained', effects: ['stop connection:a'] },
  { given: 'draining', on: released('a'), next: 'drained', effects: ['stop connection:a', vacated] },
  { given: 'draining', on: died('a'), next: 'drained', effects: [...buried, 'announceDeath'] },
];

const ignored: { given: Leaf; on: GroupEvent }[] = [
  ...signals.map((type) => ({ given: 'draining' as const, on: { type } })),
  { given: 'running', on: released('b') },
  { given: 'running', on: rested('b') },
  { given: 'running', on: forgotten('b') },
  { given: 'draining', on: request('b') },
  { given: 'draining', on: drain },
  { given: 'drained', on: request('a') },
];

describe('the group chart', () => {
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

  test('replaces the actor of a connection that dies, and counts that', () => {
    const step = stepped(request('a'), active('a'), died('a'));
    expect(step.effects.slice(0, 3)).toEqual([...buried, 'start connection:a']);
    expect([step.effects.at(-1), membersOf(step)]).toEqual(['announceRestart', ['a resting 1']]);
  });

  test('escalates when one has been replaced as often as it may, and keeps the others', () => {
    const step = stepped(request('a'), request('b'), died('a'), died('a'), died('b'), died('a'));
    expect(step.effects).toEqual([...buried, 'announceDeath', 'escalate', vacated]);
    expect(membersOf(step)).toEqual(['b resting 1']);
  });

  test('forgets each replacement after its time, and never more than there were', () => {
    const step = stepped(request('a'), died('a'), died('a'), forgotten('a'), died('a'));
    expect([step.effects.at(-1), membersOf(step)]).toEqual(['announceRestart', ['a resting 2']]);
    expect(membersOf(stepped(request('a'), forgotten('a')))).toEqual(['a resting 0']);
  });

  test('counts a connection as active from its first attempt until it rests', () => {
    expect(membersOf(stepped(request('a'), request('b'), active('a'), active('b'), rested('a')))).toEqual([
      'a resting 0',
      'b active 0',
    ]);
  });

  test('makes a connection again under an id that was released', () => {
    const step = stepped(request('a'), released('a'), request('a'));
    expect([step.effects, membersOf(step)]).toEqual([['start connection:a'], ['a resting 0']]);
  });

  test('reads the id of a dead connection from its event, dots included', () => {
    expect(idIn({ type: 'xstate.error.actor.connection:main.eu-1.7' })).toBe('main.eu-1.7');
    expect(membersOf(stepped(request('main.eu-1'), request('main'), released('main.eu-1')))).toEqual([
      'main resting 0',
    ]);
  });
});

interface Work {
  clock: SimulatedClock;
  log: string[];
  tell: (...events: GroupEvent[]) => void;
  toConnection: (id: string, ...events: ConnectionEvent[]) => void;
  group: () => GroupSnapshot;
  stateOfConnection: (id: string) => string;
}

/** A group with real connections under a parent that writes down what it is told. */
function work(connection = connectionMachine): Work {
  const clock = new SimulatedClock();
  const log: string[] = [];
  const group = groupMachine.provide({
    actors: {
      connection: connection.provide({
        actors: {
          socket: fromCallback(({ input: { connectionId } }: { input: { connectionId: string } }) => {
            log.push(`socket of ${connectionId} made`);
            return () => void log.push(`socket of ${connectionId} disposed of`);
          }),
        },
      }),
    },
    actions: {
      disposeConnection: ({ event }) => void log.push(`${idIn(event)} died`),
      announceRestart: ({ event }) => void log.push(`${idIn(event)} replaced`),
      escalate: ({ event }) => void log.push(`${idIn(event)} given up`),
    },
  });
  const parent = setup({
    actors: { group },
    actions: { note: ({ event }) => void log.push(event.type) },
  }).createMachine({
    invoke: { id: 'group', src: 'group', input },
    on: { 'place.vacated': { actions: 'note' }, 'xstate.done.actor.group': { actions: 'note' } },
  });
  const root = createActor(parent, { clock }).start();
  const actor = root.getSnapshot().children['group'];
  if (!actor) throw new Error('There is no group.');
  const child = (id: string): GroupSnapshot['children'][string] => actor.getSnapshot().children[childIdOf(id)];
  return {
    clock,
    log,
    tell: (...events) => events.forEach((event) => actor.send(event)),
    toConnection: (id, ...events) => events.forEach((event) => child(id)?.send(event)),
    group: () => actor.getSnapshot(),
    stateOfConnection: (id) => {
      const snapshot = child(id)?.getSnapshot();
      return snapshot ? stateOf(snapshot) : 'absent';
    },
  };
}

/** A connection whose actor dies of its first failure, if its id is `a`. */
const faulty = connectionMachine.provide({
  guards: {
    isTerminal: ({ context }) => {
      if (context.id === 'a') throw new Error('a guard that throws');
      return false;
    },
  },
});

describe('a group at work', () => {
  test('tells every connection what the platform reports, and each new one what it reported before', () => {
    const { tell, group } = work();
    tell(request('a'), { type: 'network.offline' }, { type: 'page.hidden' }, request('b'));
    const contexts = ['a', 'b'].map((id) => group().children[childIdOf(id)]?.getSnapshot().context);
    expect(contexts).toMatchObject(Array(2).fill({ network: 'offline', page: 'hidden' }));
  });

  test('lets the other connections live when one dies, and gives it another actor', () => {
    const { tell, toConnection, stateOfConnection, log } = work(faulty);
    tell(request('a'), request('b'));
    for (const id of ['a', 'b']) toConnection(id, connect, ...attempt(1));
    toConnection('a', closed(1));
    // of its socket XState does not dispose: that is done by name
    expect(log).toEqual(['socket of a made', 'socket of b made', 'a died', 'a replaced']);
    expect(['a', 'b'].map(stateOfConnection)).toEqual(['idle', 'open']);
  });

  test('gives a connection up that dies too often within the time that counts, and frees its place', () => {
    const { tell, toConnection, stateOfConnection, clock, log } = work(faulty);
    const die = (): void => {
      toConnection('a', connect, ...attempt(1), closed(1));
    };
    tell(request('a'));
    for (const waitMs of [0, 400, 600]) {
      clock.advance(waitMs);
      die();
    }
    // the first was forgotten in time
    expect(stateOfConnection('a')).toBe('idle');
    die();
    expect([log.slice(-3), stateOfConnection('a')]).toEqual([['a died', 'a given up', 'place.vacated'], 'absent']);
  });

  test('frees the place that was kept for a connection that it has already', () => {
    const { tell, log } = work();
    tell(request('a'), request('a'));
    expect(log).toEqual(['place.vacated']);
  });

  test('is done once every connection rests, and has let go of all of them', () => {
    const { tell, toConnection, clock, log, group } = work();
    tell(request('a'), request('unused'));
    toConnection('a', connect, ...attempt(1));
    tell(drain, { type: 'network.offline' });
    expect([group().status, group().context.network]).toEqual(['active', 'online']);
    toConnection('a', closed(1));
    expect([group().status, clock.pending()]).toEqual(['done', 0]);
    expect(log.slice(-2)).toEqual(['socket of a disposed of', 'xstate.done.actor.group']);
  });

  test('replaces nobody while it drains, and waits for nobody who dies', () => {
    const { tell, toConnection, log, group } = work(faulty);
    tell(request('a'));
    toConnection('a', connect, ...attempt(1));
    tell(drain, died('a'));
    expect([group().status, log.includes('a replaced')]).toEqual(['done', false]);
  });
});
