import { createActor, fromCallback, initialTransition, type SnapshotFrom } from 'xstate';
import { describe, expect, test } from 'vitest';

import { connectionMachine } from '../../machines/connection.ts';
import { stateOf, type ConnectionEvent } from '../../machines/facts.ts';
import { childIdOf, deadIdOf, supervisorMachine, type SupervisorEvent } from '../../machines/supervisor.ts';
import { attempt, closed, connect, inputOf } from '../models/connection-cases.ts';
import { SimulatedClock } from '../support/clock.ts';
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

function request(id: string): SupervisorEvent {
  const { serviceType, policy, seed } = inputOf();
  return { type: 'connection.requested', input: { id, serviceType, policy, seed } };
}

const active = (id: string): SupervisorEvent => ({ type: 'connection.active', id });
const rested = (id: string): SupervisorEvent => ({ type: 'connection.rested', id });
const released = (id: string): SupervisorEvent => ({ type: 'connection.released', id });
const died = (id: string): SupervisorEvent => actorDied(childIdOf(id));
const actorDied = (id: string): SupervisorEvent => ({ type: `xstate.error.actor.${id}` }) as unknown as SupervisorEvent;
const elapsed = { type: 'xstate.after.drainDeadline.supervisor.draining' } as unknown as SupervisorEvent;

const ways = {
  vacant: [],
  occupied: [request('a')],
  draining: [request('a'), active('a'), drain],
  stopped: [drain],
} satisfies Record<string, SupervisorEvent[]>;
type Leaf = keyof typeof ways;

function stepped(...events: readonly SupervisorEvent[]): Step<SupervisorSnapshot> {
  const [start] = initialTransition(supervisorMachine);
  return stepThrough(supervisorMachine, start, events);
}

const rows: { given: Leaf; on: SupervisorEvent; next: Leaf; effects: string[] }[] = [
  { given: 'vacant', on: request('a'), next: 'occupied', effects: ['start connection:a', 'start signals'] },
  { given: 'vacant', on: drain, next: 'stopped', effects: ['arm drainDeadline', 'disarm drainDeadline'] },
  { given: 'occupied', on: request('b'), next: 'occupied', effects: ['start connection:b'] },
  { given: 'occupied', on: released('a'), next: 'occupied', effects: ['stop connection:a'] },
  { given: 'occupied', on: died('a'), next: 'occupied', effects: ['disposeConnection', 'stop connection:a'] },
  ...signals.map((type) => ({
    given: 'occupied' as const,
    on: { type },
    next: 'occupied' as const,
    effects: [`tell connection:a ${type}`],
  })),
  {
    given: 'occupied',
    on: drain,
    next: 'stopped',
    effects: [
      'stop signals',
      'tell connection:a disconnect',
      'arm drainDeadline',
      'disarm drainDeadline',
      'stop connection:a',
    ],
  },
  { given: 'draining', on: rested('a'), next: 'stopped', effects: ['disarm drainDeadline', 'stop connection:a'] },
  { given: 'draining', on: released('a'), next: 'stopped', effects: ['stop connection:a', 'disarm drainDeadline'] },
  {
    given: 'draining',
    on: died('a'),
    next: 'stopped',
    effects: ['disposeConnection', 'stop connection:a', 'disarm drainDeadline'],
  },
  { given: 'draining', on: elapsed, next: 'stopped', effects: ['disarm drainDeadline', 'stop connection:a'] },
];

const ignored: { given: Leaf; on: SupervisorEvent }[] = [
  ...signals.flatMap((type) => (['vacant', 'draining'] as const).map((given) => ({ given, on: { type } }))),
  { given: 'vacant', on: released('a') },
  { given: 'occupied', on: released('b') },
  { given: 'occupied', on: request('a') },
  { given: 'draining', on: request('b') },
  { given: 'draining', on: drain },
  { given: 'draining', on: active('a') },
  { given: 'stopped', on: request('a') },
];

describe('the supervisor chart', () => {
  test.each(rows.map((row) => [`${row.given}, on ${row.on.type}, to ${row.next}`, row] as const))(
    'goes from %s',
    (_step, row) => {
      const { given, on, next, effects } = row;
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

  test('counts a connection as active from its first attempt until it rests', () => {
    const { context } = stepped(request('a'), request('b'), active('a'), active('b'), active('a')).snapshot;
    expect(context).toMatchObject({ connections: ['a', 'b'], active: ['a', 'b'] });
    const { context: later } = stepped(request('a'), request('b'), active('a'), active('b'), rested('a')).snapshot;
    expect(later).toMatchObject({ connections: ['a', 'b'], active: ['b'] });
  });

  test.each([
    ['released', released('a')],
    ['dead', died('a')],
  ])('forgets a connection that is %s', (_how, event) => {
    const { context } = stepped(request('a'), request('b'), active('a'), active('b'), event).snapshot;
    expect(context).toMatchObject({ connections: ['b'], active: ['b'] });
  });

  test('counts nothing as active that it has no actor for', () => {
    const { context } = stepped(request('a'), released('a'), active('a')).snapshot;
    expect(context).toMatchObject({ connections: [], active: [] });
  });

  test('makes a connection again under an id that was released', () => {
    const { snapshot, effects } = stepped(request('a'), released('a'), request('a'));
    expect([effects, snapshot.context.connections]).toEqual([['start connection:a'], ['a']]);
  });

  test('goes on being occupied after its last connection was released', () => {
    expect(leafOf(stepped(request('a'), released('a')).snapshot)).toBe('occupied');
  });

  test('reads the id of a dead connection from its event, dots included', () => {
    expect(deadIdOf({ type: 'xstate.error.actor.connection:main.eu-1.7' })).toBe('main.eu-1.7');
    const { context } = stepped(request('main.eu-1'), request('main'), died('main.eu-1')).snapshot;
    expect(context.connections).toEqual(['main']);
  });

  test('keeps a connection apart from its other children, whatever its id', () => {
    const { snapshot } = stepped(request('signals'), request('a'));
    expect(Object.keys(snapshot.children).sort()).toEqual(['connection:a', 'connection:signals', 'signals']);
  });

  test('loses no connection when its listener dies', () => {
    const { snapshot } = stepped(request('a'), active('a'), actorDied('signals'));
    expect([snapshot.status, snapshot.context.connections, snapshot.context.active]).toEqual(['active', ['a'], ['a']]);
  });
});

interface Service {
  clock: SimulatedClock;
  tell: (...events: SupervisorEvent[]) => void;
  toConnection: (id: string, ...events: ConnectionEvent[]) => void;
  snapshot: () => SupervisorSnapshot;
  stateOfConnection: (id: string) => string;
  log: string[];
}

/** A supervisor with real connections; writes down what becomes of the signals, the sockets and the dead. */
function service(connection = connectionMachine): Service {
  const clock = new SimulatedClock();
  const log: string[] = [];
  const machine = supervisorMachine.provide({
    actors: {
      connection: connection.provide({
        actors: {
          socket: fromCallback(({ input }: { input: { connectionId: string } }) => {
            log.push(`socket of ${input.connectionId} made`);
            return () => void log.push(`socket of ${input.connectionId} disposed of`);
          }),
        },
      }),
      signals: fromCallback(() => {
        log.push('signals on');
        return () => void log.push('signals off');
      }),
    },
    actions: { disposeConnection: ({ event }) => void log.push(`${deadIdOf(event)} died`) },
  });
  const actor = createActor(machine, { clock });
  actor.subscribe({ error: (error) => log.push(String(error)) });
  actor.start();
  const child = (id: string): ReturnType<typeof actor.getSnapshot>['children'][string] =>
    actor.getSnapshot().children[childIdOf(id)];
  return {
    clock,
    log,
    tell: (...events) => events.forEach((event) => actor.send(event)),
    toConnection: (id, ...events) => events.forEach((event) => child(id)?.send(event)),
    snapshot: () => actor.getSnapshot(),
    stateOfConnection: (id) => {
      const snapshot = child(id)?.getSnapshot();
      return snapshot && 'tags' in snapshot ? stateOf(snapshot) : 'absent';
    },
  };
}

describe('a service at work', () => {
  test('listens to the platform from the first connection on, and not before', () => {
    const { log, tell } = service();
    expect(log).toEqual([]);
    tell(request('a'), request('b'));
    expect(log).toEqual(['signals on']);
  });

  test('tells every connection what the platform reports, and each new one what it reported before', () => {
    const { tell, snapshot } = service();
    tell(request('a'), { type: 'network.offline' }, { type: 'page.hidden' }, request('b'));
    const contexts = ['a', 'b'].map((id) => {
      const child = snapshot().children[childIdOf(id)]?.getSnapshot();
      return child && 'context' in child ? child.context : null;
    });
    expect(contexts).toMatchObject(Array(2).fill({ network: 'offline', page: 'hidden' }));
  });

  test('lets the other connections live when one dies, and buries it', () => {
    const faulty = connectionMachine.provide({
      guards: {
        isTerminal: ({ context }) => {
          if (context.id === 'a') throw new Error('a guard that throws');
          return false;
        },
      },
    });
    const { tell, toConnection, stateOfConnection, snapshot, log } = service(faulty);
    tell(request('a'), request('b'));
    toConnection('a', connect, ...attempt(1));
    toConnection('b', connect, ...attempt(1));
    toConnection('a', closed(1));
    expect(log).toContain('a died');
    expect(Object.keys(snapshot().children).sort()).toEqual(['connection:b', 'signals']);
    expect(snapshot().context).toMatchObject({ connections: ['b'], active: ['b'] });
    expect([snapshot().status, stateOfConnection('b')]).toEqual(['active', 'open']);
    tell(request('a'));
    expect(stateOfConnection('a')).toBe('idle');
  });

  test('leaves the socket of a dead connection to be disposed of by name, for XState does not', () => {
    const faulty = connectionMachine.provide({
      guards: {
        isTerminal: () => {
          throw new Error('a guard that throws');
        },
      },
    });
    const { tell, toConnection, log } = service(faulty);
    tell(request('a'));
    toConnection('a', connect, ...attempt(1), closed(1));
    expect(log).toEqual(['signals on', 'socket of a made', 'a died']);
  });

  test('stops the socket with the connection that is released', () => {
    const { tell, toConnection, log } = service();
    tell(request('a'));
    toConnection('a', connect);
    tell(released('a'));
    expect(log.slice(1)).toEqual(['socket of a made', 'socket of a disposed of']);
  });
});

describe('draining', () => {
  function twoOpen(): Service {
    const made = service();
    made.tell(request('a'), request('b'), request('unused'));
    for (const id of ['a', 'b']) made.toConnection(id, connect, ...attempt(1));
    return made;
  }

  test('waits until every open connection has closed, then stops for good', () => {
    const { tell, toConnection, stateOfConnection, snapshot, clock, log } = twoOpen();
    tell(drain);
    expect(['a', 'b', 'unused'].map(stateOfConnection)).toEqual(['closing', 'closing', 'closed']);
    toConnection('a', closed(1));
    expect(snapshot().status).toBe('active');
    toConnection('b', closed(1));
    expect([snapshot().status, snapshot().value, clock.pending()]).toEqual(['done', 'stopped', 0]);
    expect(log.filter((line) => line.endsWith('disposed of'))).toHaveLength(2);
  });

  test('stops at the deadline with what is still open, and leaves no timer and no socket (original fault 30)', () => {
    const { tell, snapshot, clock, log } = twoOpen();
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

  test('makes no connection any more', () => {
    const { tell, snapshot } = twoOpen();
    tell(drain, request('c'));
    expect(snapshot().context.connections).toEqual(['a', 'b', 'unused']);
    expect(snapshot().children).not.toHaveProperty('connection:c');
  });

  test('no longer listens to the platform', () => {
    const { tell, log, snapshot } = twoOpen();
    tell(drain, { type: 'network.offline' });
    expect([log.at(-1), snapshot().context.network]).toEqual(['signals off', 'online']);
  });

  test('does not wait for a connection that dies meanwhile', () => {
    const { tell, toConnection, snapshot } = twoOpen();
    tell(drain);
    toConnection('a', closed(1));
    tell(died('b'));
    expect(snapshot().status).toBe('done');
  });

  test('is final, and stops every actor that is left', () => {
    const { tell, snapshot } = twoOpen();
    tell(drain, released('a'), released('b'));
    const left = Object.entries(snapshot().children).map(([id, child]) => [id, child?.getSnapshot().status]);
    expect([snapshot().status, left]).toEqual(['done', [['connection:unused', 'stopped']]]);
  });
});
