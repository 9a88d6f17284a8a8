import { initialTransition } from 'xstate';
import { describe, expect, test } from 'vitest';

import { connectionMachine } from '../../machines/connection.ts';
import { stateOf, type ConnectionEvent, type ConnectionStateName } from '../../machines/facts.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import { failure } from '../../src/core/recovery.ts';
import {
  closed,
  closedWith,
  connect,
  disconnect,
  elapsed,
  LEAVES,
  opened,
  refused,
  stepped,
  unreachable,
  WAYS,
  type Leaf,
} from '../models/connection-cases.ts';
import { leafOf } from '../support/machine-graph.ts';

type Row = readonly [given: Leaf, on: ConnectionEvent, next: Leaf, effects: readonly string[]];

const begin = ['tell parent connection.active', 'start socket', 'arm credentialsTimeout', 'start authorizer'];
const rest = ['tell parent connection.rested'];
const close = [...rest, 'tell outbox resume'];
const hold = ['emit retrying', 'arm retryDelay'];
const retry = ['emit failed', ...hold];
const giveUp = ['emit failed', 'emit gave.up', ...rest];

/** What leaving a state for one outside `live` ends. */
const end = {
  authorizing: ['disarm credentialsTimeout', 'stop authorizer', 'stop socket'],
  locating: ['disarm urlTimeout', 'stop locator', 'stop socket'],
  dialing: ['disarm connectTimeout', 'stop socket'],
  greeting: ['disarm greetingTimeout', 'stop greeter', 'stop socket'],
  established: ['disarm stablePeriod', 'stop health', 'tell outbox detached', 'stop traffic', 'stop socket'],
  draining: ['disarm drainTimeout', 'tell outbox detached', 'stop traffic', 'stop socket'],
  closing: ['disarm closeTimeout', 'stop socket'],
  backoff: ['disarm retryDelay'],
};

const terminal = closedWith(1008);
const badUrl = failure('INVALID_URL', 'stop');
const forbidden = failure('CREDENTIALS_FAILED', 'stop');

const resting: Row[] = [
  ['idle', connect, 'authorizing', begin],
  ['idle', disconnect, 'closed', close],
  ['closed', connect, 'authorizing', begin],
  ['failed', connect, 'authorizing', begin],
  ['failed', disconnect, 'closed', close],
];

const connecting: Row[] = [
  [
    'authorizing',
    { type: 'credentials.resolved' },
    'locating',
    ['disarm credentialsTimeout', 'stop authorizer', 'arm urlTimeout', 'start locator'],
  ],
  ['authorizing', { type: 'credentials.failed', failure: refused }, 'waiting', [...end.authorizing, ...retry]],
  ['authorizing', { type: 'credentials.failed', failure: forbidden }, 'failed', [...end.authorizing, ...giveUp]],
  [
    'authorizing',
    elapsed('credentialsTimeout', 'live.connecting.resolving.authorizing'),
    'waiting',
    [...end.authorizing, ...retry],
  ],
  ['authorizing', disconnect, 'closed', [...end.authorizing, ...close]],
  [
    'locating',
    { type: 'url.resolved' },
    'dialing',
    ['disarm urlTimeout', 'stop locator', 'tell socket dial', 'arm connectTimeout'],
  ],
  ['locating', { type: 'url.failed', failure: unreachable }, 'waiting', [...end.locating, ...retry]],
  ['locating', { type: 'url.failed', failure: badUrl }, 'failed', [...end.locating, ...giveUp]],
  ['locating', elapsed('urlTimeout', 'live.connecting.resolving.locating'), 'waiting', [...end.locating, ...retry]],
  ['locating', disconnect, 'closed', [...end.locating, ...close]],
  ['dialing', opened(1), 'greeting', ['disarm connectTimeout', 'arm greetingTimeout', 'start greeter']],
  ['dialing', closed(1), 'waiting', [...end.dialing, ...retry]],
  ['dialing', closed(1, terminal), 'failed', [...end.dialing, ...giveUp]],
  ['dialing', elapsed('connectTimeout', 'live.connecting.dialing'), 'waiting', [...end.dialing, ...retry]],
  ['dialing', disconnect, 'closed', [...end.dialing, ...close]],
  [
    'greeting',
    { type: 'greeting.completed' },
    'open',
    [
      'disarm greetingTimeout',
      'stop greeter',
      'tell outbox attached',
      'start traffic',
      'emit opened',
      'arm stablePeriod',
      'start health',
    ],
  ],
  ['greeting', { type: 'greeting.failed', failure: unreachable }, 'waiting', [...end.greeting, ...retry]],
  ['greeting', { type: 'greeting.failed', failure: badUrl }, 'failed', [...end.greeting, ...giveUp]],
  ['greeting', closed(1), 'waiting', [...end.greeting, ...retry]],
  ['greeting', closed(1, terminal), 'failed', [...end.greeting, ...giveUp]],
  ['greeting', elapsed('greetingTimeout', 'live.connecting.greeting'), 'waiting', [...end.greeting, ...retry]],
  ['greeting', disconnect, 'closed', [...end.greeting, ...close]],
];

const established: Row[] = (['open', 'degraded'] as const).flatMap((given): Row[] => [
  [given, closed(1), 'waiting', [...end.established, 'emit closed', ...retry]],
  [given, closed(1, terminal), 'failed', [...end.established, 'emit closed', ...giveUp]],
  [given, { type: 'health.dead' }, 'waiting', [...end.established, 'emit closed', ...retry]],
  [given, disconnect, 'draining', ['disarm stablePeriod', 'stop health', 'tell outbox drain', 'arm drainTimeout']],
  [given, { type: 'network.online' }, given, ['tell health probe']],
  [given, { type: 'network.offline' }, given, ['tell health probe']],
  [given, { type: 'page.visible' }, given, ['tell health probe']],
  [given, { type: 'system.woke' }, given, ['tell health probe']],
]);

const degrading: Row[] = [
  ['open', { type: 'health.late' }, 'degraded', []],
  ['degraded', { type: 'health.recovered' }, 'open', []],
];

// what leaving the drain for the closing handshake does
const shake = ['disarm drainTimeout', 'tell outbox detached', 'stop traffic', 'tell socket close', 'arm closeTimeout'];

const draining: Row[] = [
  ['draining', { type: 'outbox.emptied' }, 'closing', shake],
  ['draining', elapsed('drainTimeout', 'live.linked.draining'), 'closing', shake],
  ['draining', closed(1), 'closed', [...end.draining, 'emit closed', ...close]],
  ['draining', connect, 'authorizing', [...end.draining, 'emit closed', ...begin]],
];

const closing: Row[] = [
  ['closing', closed(1), 'closed', [...end.closing, 'emit closed', ...close]],
  ['closing', elapsed('closeTimeout', 'live.closing'), 'closed', [...end.closing, 'emit closed', ...close]],
  ['closing', connect, 'authorizing', [...end.closing, 'emit closed', ...begin]],
];

const backoff: Row[] = [
  ...(['waiting', 'offline', 'hidden'] as const).flatMap((given): Row[] => [
    [given, connect, 'authorizing', [...end.backoff, ...begin]],
    [given, disconnect, 'closed', [...end.backoff, ...close]],
    [given, elapsed('retryDelay', `backoff.${given}`), 'authorizing', [...end.backoff, ...begin]],
  ]),
  ['waiting', { type: 'network.offline' }, 'offline', [...end.backoff, ...hold]],
  ['waiting', { type: 'page.hidden' }, 'hidden', [...end.backoff, ...hold]],
  ['waiting', { type: 'system.woke' }, 'waiting', [...end.backoff, ...hold]],
  ['offline', { type: 'network.online' }, 'waiting', [...end.backoff, ...hold]],
  ['hidden', { type: 'page.visible' }, 'waiting', [...end.backoff, ...hold]],
  ['hidden', { type: 'network.offline' }, 'offline', [...end.backoff, ...hold]],
];

/** The flow of messages is the outbox's: whatever the connection does, its wishes and its reports are passed on. */
const flow: Row[] = LEAVES.flatMap((given): Row[] => [
  [given, { type: 'pause' }, given, ['tell outbox pause']],
  [given, { type: 'resume' }, given, ['tell outbox resume']],
  [given, { type: 'outbox.congested' }, given, ['emit congested']],
  [given, { type: 'outbox.relieved' }, given, ['emit relieved']],
  [given, { type: 'outbox.overflowed' }, given, ['emit overflowed']],
]);

const rows = [
  ...resting,
  ...connecting,
  ...established,
  ...degrading,
  ...draining,
  ...closing,
  ...backoff,
  ...flow,
].map(([given, on, next, effects]) => ({ given, on, next, effects }));

/** One event of each type that comes from outside, in the form most likely to be taken. */
const everyEvent: ConnectionEvent[] = [
  connect,
  disconnect,
  { type: 'credentials.resolved' },
  { type: 'credentials.failed', failure: refused },
  { type: 'url.resolved' },
  { type: 'url.failed', failure: unreachable },
  opened(1),
  { type: 'greeting.completed' },
  { type: 'greeting.failed', failure: unreachable },
  closed(1),
  { type: 'outbox.emptied' },
  { type: 'health.late' },
  { type: 'health.recovered' },
  { type: 'health.dead' },
  { type: 'network.online' },
  { type: 'network.offline' },
  { type: 'page.visible' },
  { type: 'page.hidden' },
  { type: 'system.woke' },
  { type: 'policy.changed', policy: DEFAULT_POLICY },
];

const ignored = LEAVES.flatMap((given) => {
  const taken = new Set(rows.filter((row) => row.given === given).map(({ on }) => on.type));
  return everyEvent.filter(({ type }) => !taken.has(type)).map((on) => ({ given, on }));
});

describe('the connection chart', () => {
  test.each(rows.map((row) => [`${row.given}, on ${row.on.type}, to ${row.next}`, row] as const))(
    'goes from %s',
    (_step, row) => {
      const { given, on, next, effects } = row;
      const { snapshot, effects: found } = stepped([...WAYS[given], on]);
      expect([leafOf(snapshot), found]).toEqual([next, effects]);
    },
  );

  test.each(ignored.map((row) => [`${row.given}, and does nothing, on ${row.on.type}`, row] as const))(
    'stays %s',
    (_step, { given, on }) => {
      const { snapshot, effects } = stepped([...WAYS[given], on]);
      expect([leafOf(snapshot), effects]).toEqual([given, []]);
    },
  );

  test.each<[Leaf, ConnectionStateName]>([
    ['idle', 'idle'],
    ['authorizing', 'connecting'],
    ['locating', 'connecting'],
    ['dialing', 'connecting'],
    ['greeting', 'connecting'],
    ['open', 'open'],
    ['degraded', 'degraded'],
    ['draining', 'closing'],
    ['closing', 'closing'],
    ['waiting', 'backoff'],
    ['offline', 'backoff'],
    ['hidden', 'backoff'],
    ['closed', 'closed'],
    ['failed', 'failed'],
  ])('shows %s to the world as %s (pain 58)', (leaf, name) => {
    const { snapshot } = stepped(WAYS[leaf]);
    expect([leafOf(snapshot), stateOf(snapshot)]).toEqual([leaf, name]);
  });

  test.each(LEAVES)('keeps what the platform reports while it is %s', (leaf) => {
    const reports = [{ type: 'network.offline' }, { type: 'page.hidden' }] as const;
    const back = [{ type: 'page.visible' }, { type: 'network.online' }] as const;
    const gone = stepped([...WAYS[leaf], ...reports]).snapshot.context;
    const returned = stepped([...WAYS[leaf], ...reports, ...back]).snapshot.context;
    expect(gone).toMatchObject({ network: 'offline', page: 'hidden' });
    expect(returned).toMatchObject({ network: 'online', page: 'visible' });
  });

  test.each(LEAVES)('takes a new policy while it is %s, and stays there', (leaf) => {
    const policy = { ...DEFAULT_POLICY, maxRetries: 7 };
    const { snapshot } = stepped([...WAYS[leaf], { type: 'policy.changed', policy }]);
    expect([leafOf(snapshot), snapshot.context.policy]).toEqual([leaf, policy]);
  });

  test('starts without input, as tools that only look at it start it', () => {
    const [{ value, context }] = initialTransition(connectionMachine, undefined as never);
    expect([value, context.policy, context.id]).toEqual(['idle', DEFAULT_POLICY, 'connection']);
  });
});
