import { fromCallback } from 'xstate';
import { describe, expect, test } from 'vitest';

import { connectionMachine } from '../../machines/connection.ts';
import { stateOf, type ConnectionEvent, type SocketCommand } from '../../machines/facts.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import {
  attempt,
  closed,
  closedWith,
  connect,
  disconnect,
  granted,
  greeted,
  LEAVES,
  opened,
  proven,
  running,
  stepped,
  WAYS,
  welcomed,
  type Leaf,
  type Running,
} from '../models/connection-cases.ts';
import { leafOf } from '../support/machine-graph.ts';

const negotiating: Leaf[] = ['awaiting', 'introducing'];
const established: Leaf[] = ['open', 'degraded', 'renewing', 'leaving', 'moving'];
const linked: Leaf[] = ['dialing', ...negotiating, 'greeting', ...established, 'draining', 'closing'];
const resolving: Leaf[] = ['queued', 'authorizing', 'locating'];
const connecting: Leaf[] = [...resolving, 'dialing', ...negotiating, 'greeting'];
const unopened: Leaf[] = ['idle', ...connecting, 'waiting', 'offline', 'hidden', 'suspended'];

/** The way to a state a second time, after the first link was lost: now the socket of generation 2 is the current one. */
function again(leaf: Leaf): ConnectionEvent[] {
  const second = WAYS[leaf].map((event): ConnectionEvent =>
    'generation' in event ? { ...event, generation: 2 } : event,
  );
  return [...WAYS.waiting, ...second];
}

/** A connection whose socket actor writes down what becomes of it. */
function withSocket(): { connection: Running; socket: string[] } {
  const socket: string[] = [];
  const machine = connectionMachine.provide({
    actors: {
      socket: fromCallback<SocketCommand, { connectionId: string }>(({ receive, input }) => {
        socket.push(`made for ${input.connectionId}`);
        receive((command) => {
          socket.push(
            command.type === 'dial' ? `dial ${command.generation}` : `close ${command.code} ${command.reason}`,
          );
        });
        return () => void socket.push('disposed of');
      }),
    },
  });
  return { connection: running({}, machine), socket };
}

describe('the generation of a socket', () => {
  test.each([...resolving, ...linked])(
    'keeps a late close of an older socket from a link that is %s (pain 21)',
    (leaf) => {
      const before = stepped(again(leaf));
      const after = stepped([...again(leaf), closed(resolving.includes(leaf) ? 0 : 1)]);
      expect([leafOf(before.snapshot), leafOf(after.snapshot), after.effects]).toEqual([leaf, leaf, []]);
      expect(after.snapshot.context).toEqual(before.snapshot.context);
    },
  );

  test.each([...resolving, ...linked])(
    'keeps a late open of an older socket from a link that is %s (pain 22)',
    (leaf) => {
      const before = stepped(again(leaf));
      const after = stepped([...again(leaf), opened(1)]);
      expect([leafOf(after.snapshot), after.effects]).toEqual([leaf, []]);
      expect(after.snapshot.context).toEqual(before.snapshot.context);
    },
  );

  test.each(resolving)('keeps a late close of the socket just lost from an attempt that is %s (pain 21)', (leaf) => {
    const { snapshot, effects } = stepped([...again(leaf), closed(1)]);
    expect([leafOf(snapshot), effects]).toEqual([leaf, []]);
  });

  test.each<Leaf>(['waiting', 'offline', 'hidden', 'suspended', 'closed', 'failed'])(
    'takes an error and a close of one socket as one loss: the second changes nothing when %s (pain 23)',
    (leaf) => {
      const lost = stepped(WAYS[leaf]);
      const twice = stepped([...WAYS[leaf], closed(1)]);
      expect([leafOf(twice.snapshot), twice.effects]).toEqual([leaf, []]);
      expect(twice.snapshot.context).toEqual(lost.snapshot.context);
    },
  );

  test('rises by one with every dial, and the socket is told', () => {
    const { connection, socket } = withSocket();
    connection.tell(...WAYS.waiting, ...again('open').slice(WAYS.waiting.length));
    expect(socket.filter((line) => line.startsWith('dial'))).toEqual(['dial 1', 'dial 2']);
    expect(connection.snapshot().context.generation).toBe(2);
  });
});

describe('the socket', () => {
  test('lives from the wish to connect until the link is left, and is disposed of then', () => {
    const { connection, socket } = withSocket();
    connection.tell(...WAYS.open, { type: 'health.late' }, closed(1));
    expect(socket).toEqual(['made for c1', 'dial 1', 'disposed of']);
  });

  test.each<[Leaf, ConnectionEvent]>([
    ['queued', disconnect],
    ['authorizing', disconnect],
    ['locating', disconnect],
    ['dialing', disconnect],
    ['awaiting', disconnect],
    ['introducing', disconnect],
    ['greeting', disconnect],
    ['dialing', closed(1)],
    ['awaiting', closed(1)],
    ['introducing', closed(1)],
    ['greeting', closed(1, closedWith(1002))],
  ])('is disposed of when a connection that is %s leaves its attempt (pain 22)', (leaf, on) => {
    const { connection, socket } = withSocket();
    connection.tell(...WAYS[leaf], on, opened(1));
    expect(socket.filter((line) => line === 'disposed of')).toHaveLength(1);
    expect(connection.snapshot().children).not.toHaveProperty('socket');
  });

  test('is disposed of when the attempt takes too long, and its late opening changes nothing (pain 22)', () => {
    const { connection, socket } = withSocket();
    connection.tell(...WAYS.dialing);
    connection.clock.advance(DEFAULT_POLICY.connectTimeoutMs);
    expect([connection.leaf(), socket.at(-1)]).toEqual(['waiting', 'disposed of']);
    connection.tell(opened(1));
    expect(connection.leaf()).toBe('waiting');
  });

  test('is disposed of when the connection is stopped', () => {
    const { connection, socket } = withSocket();
    connection.tell(...WAYS.open);
    connection.stop();
    expect(socket.at(-1)).toBe('disposed of');
  });
});

describe('connecting and disconnecting', () => {
  test.each(LEAVES)('leads from %s to an open link after connect (pain 1)', (leaf) => {
    const connection = running();
    connection.tell(...WAYS[leaf], connect);
    // a peer that asked for time has it
    if (leaf === 'told') connection.clock.advance(connection.snapshot().context.retryDelayMs);
    const { generation } = connection.snapshot().context;
    connection.tell(...attempt(generation + 1), ...attempt(generation), { type: 'health.recovered' });
    connection.tell(proven, welcomed(), greeted);
    expect(stateOf(connection.snapshot())).toBe('open');
  });

  test.each(unopened)('drops what it is doing on disconnect while it is %s, timers included (pain 25)', (leaf) => {
    const connection = running();
    connection.tell(...WAYS[leaf], disconnect);
    expect([connection.leaf(), connection.clock.pending()]).toEqual(['closed', 0]);
    expect(Object.keys(connection.snapshot().children)).toEqual(['outbox']);
    connection.clock.advance(3_600_000);
    expect(connection.leaf()).toBe('closed');
  });

  test('closes the socket with the code and reason of the application', () => {
    const { connection, socket } = withSocket();
    connection.tell(...WAYS.open, { type: 'disconnect', code: 4000, reason: 'shift over' });
    expect([connection.leaf(), socket.at(-1)]).toEqual(['draining', 'dial 1']);
    connection.tell({ type: 'outbox.emptied' });
    expect([connection.leaf(), socket.at(-1)]).toEqual(['closing', 'close 4000 shift over']);
  });

  test('lets what waits leave before it closes, until its deadline and no longer', () => {
    const { connection, socket } = withSocket();
    connection.tell(...WAYS.draining);
    connection.clock.advance(DEFAULT_POLICY.drainTimeoutMs - 1);
    expect([connection.leaf(), socket.at(-1)]).toEqual(['draining', 'dial 1']);
    connection.clock.advance(1);
    expect([connection.leaf(), socket.at(-1)]).toEqual(['closing', 'close 1000 bye']);
  });

  test('is closed once the socket is, and tells how it ended', () => {
    const connection = running();
    connection.tell(...WAYS.closing, closed(1, closedWith(1000)));
    expect([connection.leaf(), connection.emitted.at(-1)]).toEqual([
      'closed',
      { type: 'closed', failure: closedWith(1000) },
    ]);
  });

  test('waits for the closing handshake until its deadline, and no longer (pain 35)', () => {
    const { connection, socket } = withSocket();
    connection.tell(...WAYS.closing);
    connection.clock.advance(DEFAULT_POLICY.closeTimeoutMs - 1);
    expect([connection.leaf(), socket.at(-1)]).toEqual(['closing', 'close 1000 bye']);
    connection.clock.advance(1);
    expect([connection.leaf(), socket.at(-1)]).toEqual(['closed', 'disposed of']);
    expect(connection.emitted.at(-1)).toMatchObject({
      type: 'closed',
      failure: { code: 'CLOSED_LOCALLY', closure: { code: 1000, reason: 'bye', wasClean: false, initiator: 'local' } },
    });
  });

  test('does not retry after a close of its own, whatever the code of the answer', () => {
    const connection = running();
    connection.tell(...WAYS.closing, closed(1, closedWith(1006)));
    expect([connection.leaf(), connection.clock.pending()]).toEqual(['closed', 0]);
  });

  test.each<[Leaf, string[]]>([
    ['draining', ['made for c1', 'dial 1']],
    ['closing', ['made for c1', 'dial 1', 'close 1000 bye']],
  ])('makes a new socket when it is told to connect while it is %s (pain 1)', (leaf, first) => {
    const { connection, socket } = withSocket();
    connection.tell(...WAYS[leaf], connect, ...attempt(2).slice(0, 3));
    expect(socket).toEqual([...first, 'disposed of', 'made for c1', 'dial 2']);
    connection.tell(closed(1), opened(1));
    expect(connection.leaf()).toBe('dialing');
  });

  test.each<Leaf>(['draining', 'closing'])(
    'tells the end of a link that is %s before anything of the new one',
    (leaf) => {
      const connection = running();
      connection.tell(...WAYS[leaf], connect, ...attempt(2));
      expect(connection.emitted.map(({ type }) => type)).toEqual(['opened', 'closed', 'opened']);
      expect(connection.emitted[1]).toMatchObject({ failure: { code: 'CLOSED_LOCALLY' } });
      expect(connection.emitted[2]).toMatchObject({ isReconnect: false, generation: 2 });
    },
  );

  test.each(LEAVES)('leaves no timer and no actor when it is stopped while %s (original fault 30)', (leaf) => {
    const connection = running();
    connection.tell(...WAYS[leaf]);
    connection.stop();
    expect(connection.clock.pending()).toBe(0);
  });
});

describe('the turn to dial', () => {
  test('is waited for before each attempt, which asks the providers anew', () => {
    const connection = running();
    connection.tell(...WAYS.waiting);
    connection.clock.advance(connection.clock.untilNextMs() ?? 0);
    connection.tell(granted);
    expect(Object.keys(connection.snapshot().children)).toEqual(['outbox', 'socket', 'turn', 'authorizer']);
    connection.tell({ type: 'credentials.resolved' });
    expect(Object.keys(connection.snapshot().children)).toEqual(['outbox', 'socket', 'turn', 'locator']);
  });

  test('lets no deadline run before it has its turn to dial', () => {
    const connection = running();
    connection.tell(connect);
    expect([connection.leaf(), connection.clock.pending()]).toEqual(['queued', 0]);
    connection.clock.advance(3_600_000);
    connection.tell(...attempt(1));
    expect([connection.leaf(), connection.emitted.map(({ type }) => type)]).toEqual(['open', ['opened']]);
  });

  test('is held until the link is open, and never by a connection that waits or is used', () => {
    const turns: string[] = [];
    const machine = connectionMachine.provide({
      actors: {
        turn: fromCallback<{ type: string }, { connectionId: string }>(({ sendBack }) => {
          turns.push('taken');
          sendBack(granted);
          return () => void turns.push('given back');
        }),
      },
    });
    const connection = running({}, machine);
    connection.tell(connect, ...attempt(1).slice(1));
    expect([connection.leaf(), turns]).toEqual(['open', ['taken', 'given back']]);
    connection.tell(closed(1), connect, disconnect);
    expect(turns).toEqual(['taken', 'given back', 'taken', 'given back']);
  });
});
