import { initialTransition } from 'xstate';
import { describe, expect, test } from 'vitest';

import { connectionMachine } from '../../machines/connection.ts';
import { stateOf, type ConnectionStateName } from '../../machines/facts.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import { failure } from '../../src/core/recovery.ts';
import {
  away,
  closed,
  closedWith,
  connect,
  demanded,
  disconnect,
  granted,
  elapsed,
  LEAVES,
  loss,
  offered,
  opened,
  manual,
  refused,
  restore,
  shared,
  stepped,
  unreachable,
  WAYS,
  WIRE_LEAVES,
  type Leaf,
} from '../models/connection-cases.ts';
import { leafOf } from '../support/machine-graph.ts';
import { begin, close, end, giveUp, hold, holdToTable, retry, type Row } from './connection-table.ts';

const terminal = closedWith(1008);
const badUrl = failure('INVALID_URL');
const forbidden = manual(failure('CREDENTIALS_FAILED'));

const resting: Row[] = [
  ['idle', connect, 'queued', begin],
  ['idle', restore, 'waiting', retry],
  ['idle', { ...restore, wasOpen: true }, 'waiting', ['emit closed', ...retry]],
  ['idle', disconnect, 'closed', close],
  ['closed', connect, 'queued', begin],
  ['failed', connect, 'queued', begin],
  ['failed', disconnect, 'closed', close],
];

const frozen = { type: 'page.frozen' } as const;
// no timer: nothing is tried
const suspend = ['emit failed', 'emit retrying'];

const connecting: Row[] = [
  ['queued', granted, 'authorizing', ['arm credentialsTimeout', 'start authorizer']],
  ['queued', disconnect, 'closed', [...end.queued, ...close]],
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
  ['dialing', offered(1), 'awaiting', ['disarm connectTimeout', 'start negotiator', 'arm wireTimeout']],
  ['dialing', shared(1), 'greeting', ['disarm connectTimeout', 'arm greetingTimeout', 'start greeter']],
  [
    'dialing',
    shared(1, loss),
    'greeting',
    ['disarm connectTimeout', 'emit discontinuity', 'arm greetingTimeout', 'start greeter'],
  ],
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
      'stop turn',
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

const unlinked: Row[] = (['queued', 'authorizing', 'locating', 'dialing', 'greeting'] as const).map((given): Row => [
  given,
  frozen,
  'suspended',
  [...end[given], ...suspend],
]);

const established: Row[] = (['open', 'degraded'] as const).flatMap((given): Row[] => [
  [given, closed(1), 'waiting', [...end.established, 'emit closed', ...retry]],
  [given, closed(1, terminal), 'failed', [...end.established, 'emit closed', ...giveUp]],
  [given, { type: 'health.dead' }, 'waiting', [...end.established, 'emit closed', ...retry]],
  [given, disconnect, 'draining', ['disarm stablePeriod', 'stop health', 'tell outbox drain', 'arm drainTimeout']],
  [given, { type: 'network.online' }, given, ['tell health probe']],
  [given, { type: 'network.offline' }, given, ['tell health probe']],
  [given, { type: 'page.visible' }, given, ['tell health pace', 'tell health probe']],
  [given, { type: 'page.hidden' }, given, ['tell health pace']],
  [given, frozen, 'suspended', [...end.established, 'emit closed', ...suspend]],
  [given, { type: 'system.woke' }, given, ['tell health probe']],
  [given, { type: 'policy.changed', policy: DEFAULT_POLICY }, given, ['tell health grading']],
  [given, away(), 'leaving', ['arm departure']],
  [given, demanded, 'renewing', ['arm credentialsTimeout', 'start renewer']],
]);

const degrading: Row[] = [
  ['open', { type: 'health.late' }, 'degraded', []],
  ['open', { type: 'health.poor' }, 'degraded', []],
  ['open', { type: 'health.graded', grade: 'critical' }, 'open', ['emit graded']],
  ['degraded', { type: 'health.graded', grade: 'healthy' }, 'degraded', ['emit graded']],
  ['degraded', { type: 'health.recovered' }, 'open', []],
];

// what leaving the drain for the closing handshake does
const shake = ['disarm drainTimeout', 'tell outbox detached', 'stop traffic', 'tell socket close', 'arm closeTimeout'];

const draining: Row[] = [
  ['draining', { type: 'outbox.emptied' }, 'closing', shake],
  ['draining', elapsed('drainTimeout', 'live.linked.draining'), 'closing', shake],
  ['draining', closed(1), 'closed', [...end.draining, 'emit closed', ...close]],
  ['draining', frozen, 'closed', [...end.draining, 'emit closed', ...close]],
  ['draining', connect, 'queued', [...end.draining, 'emit closed', ...begin]],
];

const closing: Row[] = [
  ['closing', closed(1), 'closed', [...end.closing, 'emit closed', ...close]],
  ['closing', elapsed('closeTimeout', 'live.closing'), 'closed', [...end.closing, 'emit closed', ...close]],
  ['closing', frozen, 'closed', [...end.closing, 'emit closed', ...close]],
  ['closing', connect, 'queued', [...end.closing, 'emit closed', ...begin]],
];

const backoff: Row[] = [
  ...(['waiting', 'offline', 'hidden'] as const).flatMap((given): Row[] => [
    [given, connect, 'queued', [...end.backoff, ...begin]],
    [given, disconnect, 'closed', [...end.backoff, ...close]],
    [given, elapsed('retryDelay', `backoff.${given}`), 'queued', [...end.backoff, ...begin]],
    [given, frozen, 'suspended', [...end.backoff, 'emit retrying']],
  ]),
  ['told', disconnect, 'closed', [...end.backoff, ...close]],
  ['told', elapsed('retryDelay', 'backoff.told'), 'queued', [...end.backoff, ...begin]],
  ['told', frozen, 'suspended', [...end.backoff, 'emit retrying']],
  ['waiting', { type: 'network.offline' }, 'offline', [...end.backoff, ...hold]],
  ['waiting', { type: 'page.hidden' }, 'hidden', [...end.backoff, ...hold]],
  ['waiting', { type: 'system.woke' }, 'waiting', [...end.backoff, ...hold]],
  ['offline', { type: 'network.online' }, 'waiting', [...end.backoff, ...hold]],
  ['hidden', { type: 'page.visible' }, 'waiting', [...end.backoff, ...hold]],
  ['hidden', { type: 'network.offline' }, 'offline', [...end.backoff, ...hold]],
  ['suspended', { type: 'page.visible' }, 'waiting', hold],
  ['suspended', { type: 'page.hidden' }, 'hidden', hold],
  ['suspended', connect, 'queued', begin],
  ['suspended', disconnect, 'closed', close],
];

/** The flow of messages is the outbox's: whatever the connection does, its wishes and its reports are passed on. */
const flow: Row[] = LEAVES.flatMap((given): Row[] => [
  [given, { type: 'pause' }, given, ['tell outbox pause']],
  [given, { type: 'resume' }, given, ['tell outbox resume']],
  [given, { type: 'outbox.congested' }, given, ['emit congested']],
  [given, { type: 'outbox.relieved' }, given, ['emit relieved']],
  [given, { type: 'outbox.overflowed' }, given, ['emit overflowed']],
]);

holdToTable(
  'the connection chart',
  LEAVES.filter((leaf) => !WIRE_LEAVES.includes(leaf)),
  [...resting, ...connecting, ...unlinked, ...established, ...degrading, ...draining, ...closing, ...backoff, ...flow],
);

describe('the states of the connection chart', () => {
  test.each<[Leaf, ConnectionStateName]>([
    ['idle', 'idle'],
    ['queued', 'connecting'],
    ['authorizing', 'connecting'],
    ['locating', 'connecting'],
    ['dialing', 'connecting'],
    ['awaiting', 'connecting'],
    ['introducing', 'connecting'],
    ['greeting', 'connecting'],
    ['open', 'open'],
    ['degraded', 'degraded'],
    ['renewing', 'open'],
    ['leaving', 'open'],
    ['moving', 'open'],
    ['draining', 'closing'],
    ['closing', 'closing'],
    ['waiting', 'backoff'],
    ['told', 'backoff'],
    ['offline', 'backoff'],
    ['hidden', 'backoff'],
    ['suspended', 'backoff'],
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
