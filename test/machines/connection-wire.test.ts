import { fromCallback, type EventObject } from 'xstate';
import { describe, expect, test } from 'vitest';

import { connectionMachine } from '../../machines/connection.ts';
import type { ActorInput, ConnectionEvent, NegotiatorCommand } from '../../machines/facts.ts';
import { DEFAULT_POLICY, type WireChoice } from '../../machines/policy.ts';
import { failure, type Failure } from '../../src/core/recovery.ts';
import {
  attempt,
  away,
  closed,
  closedWith,
  connect,
  demanded,
  disconnect,
  elapsed,
  greeted,
  loss,
  offered,
  opened,
  plain,
  proven,
  running,
  sessionAttempt,
  succeeded,
  WAYS,
  welcomed,
  WIRE_LEAVES,
  type Leaf,
  type Running,
} from '../models/connection-cases.ts';
import { close, end, giveUp, holdToTable, retry, type Row } from './connection-table.ts';

const broken: Failure = { ...failure('PROTOCOL_VIOLATION'), strategy: 'reconnect' };
const impossible = failure('PROTOCOL_VIOLATION');
const terminal = closedWith(1008);
const replaced = closedWith(4004);

const greet = ['arm greetingTimeout', 'start greeter'];
const awaited = ['disarm wireTimeout', 'stop negotiator'];
const introduced = ['disarm welcomeTimeout', 'stop negotiator'];

const negotiating: Row[] = [
  ...(['awaiting', 'introducing'] as const).flatMap((given): Row[] => [
    [given, { type: 'negotiation.failed', failure: broken }, 'waiting', [...end[given], ...retry]],
    [given, { type: 'negotiation.failed', failure: impossible }, 'failed', [...end[given], ...giveUp]],
    [given, closed(1), 'waiting', [...end[given], ...retry]],
    [given, closed(1, terminal), 'failed', [...end[given], ...giveUp]],
    [given, disconnect, 'closed', [...end[given], ...close]],
  ]),
  ['awaiting', proven, 'introducing', ['disarm wireTimeout', 'arm welcomeTimeout']],
  ['awaiting', plain(), 'greeting', [...awaited, ...greet]],
  ['awaiting', plain(loss), 'greeting', [...awaited, 'emit discontinuity', ...greet]],
  ['awaiting', elapsed('wireTimeout', 'live.connecting.negotiating.awaiting'), 'awaiting', ['tell negotiator yield']],
  ['introducing', welcomed(), 'greeting', [...introduced, ...greet]],
  ['introducing', welcomed(loss), 'greeting', [...introduced, 'emit discontinuity', ...greet]],
  [
    'introducing',
    elapsed('welcomeTimeout', 'live.connecting.negotiating.introducing'),
    'waiting',
    [...end.introducing, ...retry],
  ],
];

const frozen: Row[] = (['awaiting', 'introducing'] as const).map((given): Row => [
  given,
  { type: 'page.frozen' },
  'suspended',
  [...end[given], 'emit failed', 'emit retrying'],
]);

/** What the end of an errand undoes. */
const undone = {
  renewing: ['disarm credentialsTimeout', 'stop renewer'],
  leaving: ['disarm departure'],
  moving: ['disarm attemptTimeout', 'stop successor'],
};
const move = ['arm attemptTimeout', 'start successor'];

const SIGNALS = ['network.online', 'network.offline', 'system.woke'] as const;

const asked: Row[] = (['renewing', 'leaving', 'moving'] as const).flatMap((given): Row[] => [
  [given, closed(1), 'waiting', [...undone[given], ...end.established, 'emit closed', ...retry]],
  [given, closed(1, terminal), 'failed', [...undone[given], ...end.established, 'emit closed', ...giveUp]],
  [given, { type: 'health.dead' }, 'waiting', [...undone[given], ...end.established, 'emit closed', ...retry]],
  [
    given,
    disconnect,
    'draining',
    [...undone[given], 'disarm stablePeriod', 'stop health', 'tell outbox drain', 'arm drainTimeout'],
  ],
  [given, { type: 'page.visible' }, given, ['tell health pace', 'tell health probe']],
  [given, { type: 'page.hidden' }, given, ['tell health pace']],
  [
    given,
    { type: 'page.frozen' },
    'suspended',
    [...undone[given], ...end.established, 'emit closed', 'emit failed', 'emit retrying'],
  ],
  [given, { type: 'health.graded', grade: 'healthy' }, given, ['emit graded']],
  [given, { type: 'policy.changed', policy: DEFAULT_POLICY }, given, ['tell health grading']],
  ...SIGNALS.map((type): Row => [given, { type }, given, ['tell health probe']]),
]);

const renewing: Row[] = [
  ['renewing', { type: 'credentials.renewed' }, 'open', undone.renewing],
  ['renewing', { type: 'credentials.spent' }, 'open', undone.renewing],
  ['renewing', elapsed('credentialsTimeout', 'live.linked.established.renewing'), 'open', undone.renewing],
  ['renewing', away(), 'moving', [...undone.renewing, ...move]],
];

const leaving: Row[] = [
  ['leaving', elapsed('departure', 'live.linked.established.leaving'), 'moving', [...undone.leaving, ...move]],
  ['leaving', demanded, 'moving', [...undone.leaving, ...move]],
  ['leaving', away(), 'leaving', ['disarm departure', 'arm departure']],
];

const moving: Row[] = [
  ['moving', succeeded(2), 'open', [...undone.moving, 'tell health watch']],
  [
    'moving',
    succeeded(2, loss),
    'greeting',
    [
      ...undone.moving,
      'disarm stablePeriod',
      'stop health',
      'tell outbox detached',
      'stop traffic',
      'emit discontinuity',
      'start turn',
      ...greet,
    ],
  ],
  ['moving', { type: 'successor.failed' }, 'open', undone.moving],
  ['moving', elapsed('attemptTimeout', 'live.linked.established.moving'), 'open', undone.moving],
];

holdToTable('the connection chart on holdfast.v1', WIRE_LEAVES, [
  ...negotiating,
  ...frozen,
  ...asked,
  ...renewing,
  ...leaving,
  ...moving,
]);

const choosing = (wire: WireChoice): Running => running({ policy: { wire } });

/** A connection whose actors of the wire can be spoken for, also after their end. */
function withActors(): { connection: Running; told: string[]; say: (event: ConnectionEvent) => void } {
  const told: string[] = [];
  let say: (event: ConnectionEvent) => void = () => undefined;
  const machine = connectionMachine.provide({
    actors: {
      negotiator: fromCallback<NegotiatorCommand, ActorInput>(({ receive }) => {
        receive(({ type }) => void told.push(type));
      }),
      successor: fromCallback<EventObject, ActorInput>(({ sendBack }) => {
        say = sendBack;
        told.push('successor begins');
        return () => void told.push('successor ends');
      }),
    },
  });
  return {
    connection: running({ policy: { wire: 'prefer' } }, machine),
    told,
    say: (event) => {
      say(event);
    },
  };
}

describe('finding out which wire the server speaks', () => {
  test('waits for the server to speak first, and takes one that says nothing for plain', () => {
    const { connection, told } = withActors();
    connection.tell(...WAYS.awaiting);
    connection.clock.advance(DEFAULT_POLICY.wireTimeoutMs - 1);
    expect(told).toEqual([]);
    connection.clock.advance(1);
    expect([connection.leaf(), told]).toEqual(['awaiting', ['yield']]);
    connection.tell(plain(), greeted);
    expect([connection.leaf(), connection.snapshot().context.wire]).toEqual(['open', 'plain']);
  });

  test('goes on with a server that proves itself at the last moment', () => {
    const connection = choosing('prefer');
    connection.tell(...WAYS.awaiting);
    connection.clock.advance(DEFAULT_POLICY.wireTimeoutMs);
    connection.tell(proven, welcomed(), greeted);
    expect([connection.leaf(), connection.snapshot().context.wire]).toEqual(['open', 'holdfast.v1']);
  });

  test('gives the server its time for a welcome, then retries', () => {
    const connection = choosing('required');
    connection.tell(...WAYS.introducing);
    connection.clock.advance(DEFAULT_POLICY.welcomeTimeoutMs - 1);
    expect(connection.leaf()).toBe('introducing');
    connection.clock.advance(1);
    expect([connection.leaf(), connection.snapshot().context.failure?.code]).toEqual(['waiting', 'WELCOME_TIMEOUT']);
  });

  test('never speaks plain where holdfast.v1 is required, and tries again', () => {
    const connection = choosing('required');
    connection.tell(...WAYS.awaiting, plain());
    expect([connection.leaf(), connection.snapshot().context.failure]).toMatchObject([
      'waiting',
      { code: 'WIRE_UNAVAILABLE', strategy: 'reconnect' },
    ]);
    expect(connection.snapshot().context.wire).toBeNull();
  });

  test('says which wire it opened with, and whether the session goes on', () => {
    const connection = choosing('prefer');
    connection.tell(...WAYS.introducing, { ...welcomed(), isResumed: true } as ConnectionEvent, greeted);
    expect(connection.emitted).toMatchObject([{ type: 'opened', wire: 'holdfast.v1', isResumed: true }]);
  });

  test.each<[string, Leaf, ConnectionEvent]>([
    ['a welcome', 'introducing', welcomed(loss)],
    ['a server that speaks plain', 'awaiting', plain(loss)],
  ])('tells that a session is over by %s, before the link can be used', (_how, leaf, event) => {
    const connection = choosing('prefer');
    connection.tell(...WAYS[leaf], event);
    expect([connection.leaf(), connection.emitted]).toEqual(['greeting', [{ type: 'discontinuity', ...loss }]]);
    connection.tell(greeted);
    expect(connection.emitted.map(({ type }) => type)).toEqual(['discontinuity', 'opened']);
  });

  test('leaves the name out of every second handshake that is refused, where the wire is a preference', () => {
    const connection = choosing('prefer');
    const offers: string[] = [];
    for (let generation = 1; generation <= 4; generation++) {
      connection.tell(connect, ...attempt(generation).slice(0, 3));
      offers.push(connection.snapshot().context.offer);
      connection.tell(closed(generation));
    }
    expect(offers).toEqual(['made', 'withheld', 'made', 'withheld']);
  });

  test.each<WireChoice>(['required', 'plain'])('does not turn its offer where the wire is %s', (wire) => {
    const connection = choosing(wire);
    connection.tell(...WAYS.dialing, closed(1));
    expect(connection.snapshot().context.offer).toBe('made');
  });

  test('makes its offer again once a socket has opened without it', () => {
    const connection = choosing('prefer');
    connection.tell(...WAYS.dialing, closed(1), connect, ...attempt(2));
    expect([connection.leaf(), connection.snapshot().context.offer]).toEqual(['open', 'made']);
  });

  test('forgets what it knew of the wire when the next socket opens', () => {
    const connection = choosing('prefer');
    connection.tell(...WAYS.renewing, closed(1), connect, ...attempt(2).slice(0, 3));
    connection.tell(offered(2));
    expect(connection.snapshot().context).toMatchObject({ wire: null, serverPing: null, isResumed: false });
  });
});

describe('renewing credentials', () => {
  test('gives the provider and the server their time, and goes on without', () => {
    const connection = choosing('prefer');
    connection.tell(...WAYS.renewing);
    connection.clock.advance(DEFAULT_POLICY.credentialsTimeoutMs - 1);
    expect(connection.leaf()).toBe('renewing');
    connection.clock.advance(1);
    expect([connection.leaf(), connection.snapshot().context.credentialsFailures]).toEqual(['open', 0]);
  });

  test('goes on although the link is late, and ends with a link that is dead', () => {
    const connection = choosing('prefer');
    connection.tell(...WAYS.renewing, { type: 'health.late' });
    expect(connection.leaf()).toBe('renewing');
    connection.tell({ type: 'health.dead' });
    expect(connection.leaf()).toBe('waiting');
    expect(connection.snapshot().children).not.toHaveProperty('renewer');
  });
});

describe('leaving a server that asks for it', () => {
  test('waits for a random part of what the server gives, each connection for another', () => {
    const waits = Array.from({ length: 50 }, (_, index) => {
      const connection = running({ seed: index * 7919, policy: { wire: 'prefer' } });
      connection.tell(...WAYS.leaving);
      return connection.snapshot().context.departureMs;
    });
    expect(Math.max(...waits)).toBeLessThanOrEqual(10_000);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(8_000);
  });

  test('opens a second socket after that wait, and not before', () => {
    const { connection, told } = withActors();
    connection.tell(...WAYS.leaving);
    const { departureMs } = connection.snapshot().context;
    connection.clock.advance(departureMs - 1);
    expect([connection.leaf(), told]).toEqual(['leaving', []]);
    connection.clock.advance(1);
    expect([connection.leaf(), told]).toEqual(['moving', ['successor begins']]);
  });

  test('leaves although the link is late', () => {
    const connection = choosing('prefer');
    connection.tell(...WAYS.leaving, { type: 'health.late' }, { type: 'health.recovered' });
    connection.clock.advance(10_000);
    expect(connection.leaf()).toBe('moving');
  });

  test('waits anew when the server asks again', () => {
    const connection = choosing('prefer');
    connection.tell(...WAYS.leaving, away(30_000, 0));
    connection.clock.advance(0);
    expect(connection.leaf()).toBe('moving');
  });

  test('takes the session to the second socket without a word to the world', () => {
    const connection = choosing('prefer');
    connection.tell(...WAYS.moving, succeeded(2));
    expect([connection.leaf(), connection.snapshot().context.generation]).toEqual(['open', 2]);
    expect(connection.emitted.map(({ type }) => type)).toEqual(['opened']);
    connection.tell(closed(1, replaced));
    expect(connection.leaf()).toBe('open');
    connection.tell(closed(2));
    expect(connection.leaf()).toBe('waiting');
  });

  test('hears from then on as often as the new server wants', () => {
    const connection = running({
      policy: { wire: 'prefer', heartbeat: { ...DEFAULT_POLICY.heartbeat, intervalMs: 1e9 } as never },
    });
    connection.tell(...WAYS.moving);
    const intervalOf = (): unknown => {
      const health = connection.snapshot().children['health']?.getSnapshot();
      return health && 'context' in health && 'policy' in health.context && health.context.policy?.intervalMs;
    };
    expect(intervalOf()).toBe(5e8);
    connection.tell(succeeded(2));
    expect(intervalOf()).toBe(2.5e8);
  });

  test('greets and opens again when the new server has lost the session', () => {
    const connection = choosing('prefer');
    connection.tell(...WAYS.moving, succeeded(2, loss));
    expect(connection.leaf()).toBe('greeting');
    connection.tell(greeted);
    expect(connection.emitted).toMatchObject([
      { type: 'opened', isReconnect: false, generation: 1 },
      { type: 'discontinuity', ...loss },
      { type: 'opened', isReconnect: true, generation: 2, isResumed: false },
    ]);
  });

  test('stays when the second socket takes longer than an attempt may', () => {
    const { connection, told } = withActors();
    connection.tell({ type: 'policy.changed', policy: { ...DEFAULT_POLICY, heartbeat: null } }, ...WAYS.moving);
    connection.clock.advance(10_000 + 10_000 + 10_000 + 3_000 + 10_000 - 1);
    expect([connection.leaf(), told]).toEqual(['moving', ['successor begins']]);
    connection.clock.advance(1);
    expect([connection.leaf(), told.at(-1)]).toEqual(['open', 'successor ends']);
  });

  test('hears nothing of a second socket that was given up', () => {
    const { connection, say } = withActors();
    connection.tell(...WAYS.moving, { type: 'successor.failed' }, away(), demanded, closed(1));
    say(succeeded(2));
    expect([connection.leaf(), connection.snapshot().context.generation]).toEqual(['waiting', 1]);
  });

  test.each<[string, readonly ConnectionEvent[]]>([
    ['on its way', []],
    ['given up', [{ type: 'successor.failed' }]],
  ])('comes back when the first socket is closed for a second one that is %s', (_how, events) => {
    const connection = choosing('prefer');
    connection.tell(...WAYS.moving, ...events, closed(1, replaced));
    expect([connection.leaf(), connection.snapshot().context.failure?.strategy]).toEqual(['waiting', 'reconnect']);
    connection.tell(connect, ...sessionAttempt(2), closed(2, replaced));
    expect(connection.leaf()).toBe('failed');
  });

  test('is the end when it was another socket that took the session', () => {
    const connection = choosing('prefer');
    connection.tell(...WAYS.leaving, closed(1, replaced));
    expect(connection.leaf()).toBe('failed');
  });

  test('drops the second socket when the application disconnects', () => {
    const { connection, told } = withActors();
    connection.tell(...WAYS.moving, disconnect);
    expect([connection.leaf(), told.at(-1)]).toEqual(['draining', 'successor ends']);
  });

  test.each(WIRE_LEAVES)('is not hastened by a wish to connect while it is %s', (leaf) => {
    const connection = choosing('prefer');
    connection.tell(...WAYS[leaf], connect, opened(1), opened(0));
    expect(connection.leaf()).toBe(leaf);
  });
});
