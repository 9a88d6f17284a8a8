import { describe, expect, test } from 'vitest';

import {
  CONNECTION_STATES,
  discontinuity,
  drawDeparture,
  environmentAfter,
  failedBy,
  heartbeatOf,
  initialContext,
  lastFailure,
  linkedBy,
  openedBy,
  stateOf,
  type ConnectionContext,
  type ConnectionEvent,
} from '../../machines/facts.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import {
  away,
  closed,
  closedWith,
  connect,
  inputOf,
  loss,
  offered,
  opened,
  plain,
  shared,
  succeeded,
  welcomed,
} from '../models/connection-cases.ts';

const knowing = (known: Partial<ConnectionContext>): ConnectionContext => ({ ...initialContext(inputOf()), ...known });

describe('the states that the world sees', () => {
  test('are these eight', () => {
    expect(CONNECTION_STATES).toEqual([
      'idle',
      'connecting',
      'open',
      'degraded',
      'backoff',
      'closing',
      'closed',
      'failed',
    ]);
  });

  test.each(CONNECTION_STATES)('include %s, which its tag tells', (name) => {
    expect(stateOf({ tags: new Set([name]) })).toBe(name);
  });

  test('are idle for a snapshot without a tag', () => {
    expect(stateOf({ tags: new Set() })).toBe('idle');
    expect(stateOf({ tags: new Set(['assessing']) })).toBe('idle');
  });
});

describe('what an event says about the environment', () => {
  test.each([
    ['network.online', { network: 'online' }],
    ['network.offline', { network: 'offline' }],
    ['page.visible', { page: 'visible' }],
    ['page.hidden', { page: 'hidden' }],
    ['page.frozen', { page: 'frozen' }],
    ['system.woke', {}],
    ['connect', {}],
  ])('is, for %s, %o', (type, said) => {
    expect(environmentAfter({ type })).toEqual(said);
  });
});

describe('the context that a connection starts with', () => {
  test('holds its input, and nothing counted yet', () => {
    const input = inputOf({ seed: 9, network: 'offline', page: 'hidden' });
    expect(initialContext(input)).toEqual({
      ...input,
      generation: 0,
      opens: 0,
      retries: 0,
      credentialsFailures: 0,
      credentials: 'fresh',
      rejections: 0,
      tried: [],
      refused: [],
      tenure: 'new',
      retryDelayMs: 0,
      floorMs: 0,
      canPing: false,
      offer: 'made',
      wire: null,
      isResumed: false,
      serverPing: null,
      departureMs: 0,
      mayBeReplaced: false,
      failure: null,
      closeRequest: { code: 1000, reason: '' },
    });
  });

  test('stands in for an input that is missing', () => {
    expect(initialContext()).toMatchObject({ policy: DEFAULT_POLICY, seed: 0, network: 'online', page: 'visible' });
  });

  test('survives JSON unchanged', () => {
    const context = initialContext(inputOf());
    expect(JSON.parse(JSON.stringify(context))).toEqual(context);
  });
});

describe('what an event says about the link', () => {
  const nothing = { isResumed: false, serverPing: null, offer: 'made' };
  const session = { canPing: true, wire: 'holdfast.v1', mayBeReplaced: false };

  test.each<[string, ConnectionEvent, object]>([
    ['a socket that speaks plain', opened(1, false), { canPing: false, wire: 'plain', ...nothing }],
    ['a socket that was offered holdfast.v1', offered(1), { canPing: true, wire: null, ...nothing }],
    ['a part in a session', shared(1), { canPing: true, wire: 'holdfast.v1', ...nothing, isResumed: true }],
    ['a part in a new session', shared(1, loss), { canPing: true, wire: 'holdfast.v1', ...nothing }],
    ['a server that speaks plain', plain(), { canPing: true, wire: 'plain', isResumed: false }],
    ['a welcome', welcomed(), { ...session, isResumed: false, serverPing: { intervalMs: 5e8, timeoutMs: 1e9 } }],
    [
      'a welcome on a second socket',
      succeeded(7),
      { ...session, isResumed: true, generation: 7, serverPing: { intervalMs: 2.5e8, timeoutMs: 1e9 } },
    ],
    ['anything else', connect, {}],
  ])('is known for %s', (_what, event, known) => {
    expect(linkedBy(event)).toEqual(known);
  });
});

describe('a discontinuity', () => {
  test('says why the session is over, and how much it left in doubt', () => {
    expect(discontinuity(welcomed(loss))).toEqual({ type: 'discontinuity', why: 'unknown', inDoubt: 2 });
  });

  test.each([
    ['says nothing of a loss', welcomed()],
    ['has nothing to do with sessions', connect],
  ])('is of a session that was lost, with nothing in doubt, when the event %s', (_what, event) => {
    expect(discontinuity(event)).toEqual({ type: 'discontinuity', why: 'lost', inDoubt: 0 });
  });
});

describe('how an open link is watched', () => {
  const heartbeat = { intervalMs: 20_000, promptMs: 1_000, lateMs: 2_000, timeoutMs: 8_000 };
  const policy = { ...DEFAULT_POLICY, heartbeat };
  const wanting = (intervalMs: number): ConnectionContext['serverPing'] => ({ intervalMs, timeoutMs: 1_000 });

  test.each<[string, Partial<ConnectionContext>, object | null]>([
    ['not at all without a form of ping', { canPing: false, policy }, null],
    ['not at all where the heartbeat is off', { canPing: true, policy: { ...policy, heartbeat: null } }, null],
    ['as the policy says', { canPing: true, policy }, heartbeat],
    [
      'more often where the server wants that',
      { canPing: true, policy, serverPing: wanting(5_000) },
      { ...heartbeat, intervalMs: 5_000 },
    ],
    ['no less often where the server wants that', { canPing: true, policy, serverPing: wanting(60_000) }, heartbeat],
    [
      'as the server wants where the heartbeat is off: it takes silence for death',
      { canPing: true, policy: { ...policy, heartbeat: null }, serverPing: wanting(5_000) },
      { intervalMs: 5_000, promptMs: 5_000, lateMs: 250, timeoutMs: 1_000 },
    ],
    [
      'with a pause between pings, whatever the server wants',
      { canPing: true, policy, serverPing: wanting(0) },
      { ...heartbeat, intervalMs: 100 },
    ],
    [
      'less often while the page is hidden (pain 8)',
      { canPing: true, policy, page: 'hidden' },
      { ...heartbeat, intervalMs: policy.backoff.hiddenMs },
    ],
    [
      'no more often while the page is hidden, where it is watched seldom anyway',
      { canPing: true, policy: { ...policy, heartbeat: { ...heartbeat, intervalMs: 90_000 } }, page: 'hidden' },
      { ...heartbeat, intervalMs: 90_000 },
    ],
    [
      'as often as the server wants, also while the page is hidden',
      { canPing: true, policy, page: 'hidden', serverPing: wanting(25_000) },
      { ...heartbeat, intervalMs: 25_000 },
    ],
  ])('is %s', (_how, known, watched) => {
    expect(heartbeatOf(knowing(known))).toEqual(watched);
  });
});

describe('the wait before a departure', () => {
  test.each([
    ['the spread', 30_000, 10_000, 10_000],
    ['the time there is', 4_000, 10_000, 4_000],
    ['what a timer can hold', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 2 ** 31 - 1],
    ['no time at all', 0, 10_000, 0],
  ])('is a random part of %s', (_what, inMs, spreadMs, limitMs) => {
    const waits = Array.from({ length: 100 }, (_, seed) => {
      return drawDeparture(knowing({ seed }), away(inMs, spreadMs)).departureMs ?? -1;
    });
    expect(waits.every((wait) => Number.isInteger(wait) && wait >= 0 && wait <= limitMs)).toBe(true);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThanOrEqual(limitMs * 0.9);
  });

  test('takes a draw, and only for a server that asks', () => {
    expect(drawDeparture(knowing({ seed: 1 }), away()).seed).not.toBe(1);
    expect(drawDeparture(knowing({ seed: 1 }), connect)).toEqual({});
  });
});

describe('what went wrong', () => {
  const [replaced, lost] = [closedWith(4004), closedWith(1006)];

  test.each([
    ['as the socket says', false, closed(1, lost), lost],
    ['a replacement by somebody else, which stops', false, closed(1, replaced), replaced],
    [
      'a replacement by a socket of its own, which does not',
      true,
      closed(1, replaced),
      { ...replaced, strategy: 'reconnect' },
    ],
    ['any other end after a second socket was opened', true, closed(1, closedWith(1008)), closedWith(1008)],
  ] as const)('is %s', (_what, mayBeReplaced, event, failure) => {
    expect(failedBy(knowing({ mayBeReplaced }), event)).toEqual({ failure });
  });

  test('is nothing for an event that is no failure', () => {
    expect(failedBy(knowing({}), connect)).toEqual({});
  });

  test('is its own close where nothing did', () => {
    const closeRequest = { code: 4000, reason: 'bye' };
    expect(lastFailure(knowing({ closeRequest }))).toMatchObject({ code: 'CLOSED_LOCALLY', closure: closeRequest });
    expect(lastFailure(knowing({ closeRequest, failure: lost }))).toBe(lost);
  });
});

describe('an opening', () => {
  test.each([
    { opens: 1, wire: 'holdfast.v1', said: { isReconnect: false, wire: 'holdfast.v1' } },
    { opens: 2, wire: 'plain', said: { isReconnect: true, wire: 'plain' } },
    { opens: 1, wire: null, said: { isReconnect: false, wire: 'plain' } },
  ] as const)('tells, for the opening $opens on the wire $wire, $said', ({ opens, wire, said }) => {
    const context = knowing({ opens, wire, generation: 3, retries: 1, isResumed: true });
    expect(openedBy(context)).toEqual({ type: 'opened', ...said, generation: 3, retries: 1, isResumed: true });
  });
});
