import { describe, expect, test } from 'vitest';

import { DEFAULT_POLICY } from '../../machines/policy.ts';
import type { RecoveryRule } from '../../src/protocol/recovery-rule.ts';
import {
  attempt,
  closed,
  closedWith,
  connect,
  disconnect,
  granted,
  opened,
  refused,
  running,
  unreachable,
  WAYS,
  type Leaf,
  type Running,
} from '../models/connection-cases.ts';

const { baseMs, capMs, promptMs } = DEFAULT_POLICY.backoff;
const { stableMs } = DEFAULT_POLICY;

/** Lets the pending retry begin, and the attempt succeed. */
function reopen({ tell, clock, snapshot }: Running): void {
  clock.advance(clock.untilNextMs() ?? 0);
  tell(...attempt(snapshot().context.generation + 1));
}

/** The peer accepts, and closes at once, so many times. */
function acceptThenClose(connection: Running, times: number): void {
  for (let time = 1; time <= times; time++) {
    if (time > 1) reopen(connection);
    connection.tell(closed(connection.snapshot().context.generation));
  }
}

function retriesOf({ emitted }: Running): { delayMs: number; attempt: number; hold: string }[] {
  return emitted.flatMap((event) => (event.type === 'retrying' ? [{ ...event, delayMs: event.delayMs ?? 0 }] : []));
}

describe('counting retries', () => {
  test('goes on counting when an open link is lost before the stable period (original fault 20) (pain 32)', () => {
    const connection = running({ policy: { maxRetries: 2 } });
    connection.tell(...WAYS.open);
    acceptThenClose(connection, 3);
    expect(connection.leaf()).toBe('failed');
    expect(retriesOf(connection).map((retry) => retry.attempt)).toEqual([1, 2]);
    expect(connection.emitted.at(-1)).toEqual({ type: 'gave.up', because: 'exhausted' });
  });

  test('lets the backoff grow against a peer that accepts and closes (pain 32)', () => {
    const connection = running();
    connection.tell(...WAYS.open);
    acceptThenClose(connection, 8);
    const windows = retriesOf(connection).map(({ delayMs, attempt: n }) => ({
      delayMs,
      isWithin: delayMs >= baseMs && delayMs <= Math.min(capMs, baseMs * 2 ** n),
    }));
    expect(windows.map(({ isWithin }) => isWithin)).toEqual(Array<boolean>(8).fill(true));
    expect(Math.max(...windows.map(({ delayMs }) => delayMs))).toBeGreaterThan(baseMs * 2 ** 4);
  });

  test.each([
    { openMs: stableMs - 1, retries: 2, tenure: 'new' },
    { openMs: stableMs, retries: 1, tenure: 'stable' },
  ])('has begun $retries retries when the second link is lost after $openMs ms', ({ openMs, retries, tenure }) => {
    const connection = running();
    connection.tell(...WAYS.open);
    acceptThenClose(connection, 1);
    reopen(connection);
    connection.clock.advance(openMs);
    connection.tell(closed(2));
    expect(connection.snapshot().context).toMatchObject({ retries, tenure });
  });

  test('makes the first retry after a stable connection promptly, and only the first', () => {
    const connection = running();
    connection.tell(...WAYS.open);
    connection.clock.advance(stableMs);
    acceptThenClose(connection, 2);
    const [first, second] = retriesOf(connection);
    expect(first?.delayMs).toBeLessThanOrEqual(promptMs);
    expect(second?.delayMs).toBeGreaterThanOrEqual(baseMs);
  });

  test('forgets that a connection was stable once it is open again', () => {
    const connection = running();
    connection.tell(...WAYS.open);
    connection.clock.advance(stableMs);
    acceptThenClose(connection, 1);
    expect(connection.snapshot().context.tenure).toBe('stable');
    reopen(connection);
    expect(connection.snapshot().context).toMatchObject({ tenure: 'new', retries: 1 });
  });

  test('takes the whole backoff when the first attempt of all fails', () => {
    const connection = running();
    connection.tell(...WAYS.dialing, closed(1));
    expect(retriesOf(connection)[0]?.delayMs).toBeGreaterThanOrEqual(baseMs);
  });

  test('fails at the first failure when no retry is allowed', () => {
    const connection = running({ policy: { maxRetries: 0 } });
    connection.tell(...WAYS.waiting);
    expect([connection.leaf(), retriesOf(connection)]).toEqual(['failed', []]);
  });

  test('retries without end when there is no limit', () => {
    const connection = running({ policy: { maxRetries: null } });
    connection.tell(...WAYS.open);
    acceptThenClose(connection, 200);
    expect([connection.leaf(), connection.snapshot().context.retries]).toEqual(['waiting', 200]);
  });

  test('judges by the policy that holds when the failure comes', () => {
    const connection = running({ policy: { maxRetries: null } });
    connection.tell(...WAYS.open);
    acceptThenClose(connection, 3);
    connection.tell({ type: 'policy.changed', policy: { ...DEFAULT_POLICY, maxRetries: 3 } });
    reopen(connection);
    connection.tell(closed(4));
    expect(connection.leaf()).toBe('failed');
  });

  test.each<Leaf>(['draining', 'closing', 'closed', 'failed'])(
    'counts anew when the application connects from %s',
    (leaf) => {
      const connection = running({ policy: { maxRetries: 1 } });
      connection.tell(...WAYS.open);
      acceptThenClose(connection, 1);
      reopen(connection);
      if (leaf === 'failed') connection.tell(closed(2));
      else connection.tell(disconnect);
      if (leaf === 'closing') connection.tell({ type: 'outbox.emptied' });
      if (leaf === 'closed') connection.tell(closed(2));
      expect([connection.leaf(), connection.snapshot().context.retries]).toEqual([leaf, 1]);
      connection.tell(connect);
      expect(connection.snapshot().context).toMatchObject({ retries: 0, credentialsFailures: 0, failure: null });
      connection.tell(...attempt(3), closed(3));
      expect(connection.leaf()).toBe('waiting');
    },
  );

  test('makes the next attempt at once when the application connects during backoff, and counts it', () => {
    const connection = running({ policy: { maxRetries: 1 } });
    connection.tell(...WAYS.waiting, connect);
    expect(connection.leaf()).toBe('queued');
    connection.tell(...attempt(2), closed(2));
    expect(connection.leaf()).toBe('failed');
  });
});

describe('judging a failure', () => {
  test.each([1002, 1003, 1007, 1008, 1009, 4001, 4401])(
    'gives up on a close with %i, and says so (original fault 20)',
    (code) => {
      const connection = running();
      connection.tell(...WAYS.open, closed(1, closedWith(code)));
      expect(connection.leaf()).toBe('failed');
      expect(connection.emitted.at(-1)).toEqual({ type: 'gave.up', because: 'terminal' });
      expect(connection.clock.pending()).toBe(0);
    },
  );

  test('retries a close with 1000 from the peer (original fault 21) (pain 29)', () => {
    const connection = running();
    connection.tell(...WAYS.open, closed(1, closedWith(1000)));
    expect(connection.leaf()).toBe('waiting');
  });

  test.each([1001, 1005, 1006, 1011, 1012, 1013, 1014])('retries a close with %i (pain 29)', (code) => {
    const connection = running();
    connection.tell(...WAYS.open, closed(1, closedWith(code)));
    connection.clock.advance(connection.snapshot().context.retryDelayMs);
    expect([connection.leaf(), connection.snapshot().context.retries]).toEqual(['queued', 1]);
  });

  test('retries a refused connection for as long as it is allowed to (pain 28)', () => {
    const connection = running();
    connection.tell(connect);
    for (let generation = 1; generation <= 20; generation++) {
      connection.tell(...attempt(generation).slice(0, 3), closed(generation));
      connection.clock.advance(connection.clock.untilNextMs() ?? 0);
    }
    expect([connection.leaf(), connection.snapshot().context.retries]).toEqual(['queued', 20]);
  });

  test('follows the application when its rule for a close code differs (pain 26)', () => {
    const own: RecoveryRule[] = [
      { codes: 1008, strategy: 'reconnect', category: 'permission_denied' },
      { codes: 1006, strategy: 'manual', category: 'network_error' },
    ];
    const lenient = running();
    lenient.tell(...WAYS.open, closed(1, closedWith(1008, own)));
    const strict = running();
    strict.tell(...WAYS.open, closed(1, closedWith(1006, own)));
    expect([lenient.leaf(), strict.leaf()]).toEqual(['waiting', 'failed']);
  });

  test.each([
    { code: 1012, retryAfterMs: 1_000 },
    { code: 1013, retryAfterMs: 5_000 },
  ])('waits at least $retryAfterMs ms after $code, and no more than twice as long', ({ code, retryAfterMs }) => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => {
      const connection = running({ seed });
      connection.tell(...WAYS.open);
      connection.clock.advance(stableMs);
      connection.tell(closed(1, closedWith(code)));
      return retriesOf(connection)[0]?.delayMs ?? -1;
    });
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(retryAfterMs);
    expect(Math.max(...delays)).toBeLessThanOrEqual(2 * retryAfterMs);
    expect(new Set(delays).size).toBeGreaterThan(1);
  });
});

describe('providers that fail', () => {
  test('retries after the URL provider failed (original fault 26) (pain 2)', () => {
    const connection = running();
    connection.tell(...WAYS.locating, { type: 'url.failed', failure: unreachable });
    expect(connection.leaf()).toBe('waiting');
    reopen(connection);
    expect(connection.leaf()).toBe('open');
  });

  test.each([
    ['authorizing', DEFAULT_POLICY.credentialsTimeoutMs, 'CREDENTIALS_TIMEOUT'],
    ['locating', DEFAULT_POLICY.urlTimeoutMs, 'URL_TIMEOUT'],
    ['dialing', DEFAULT_POLICY.connectTimeoutMs, 'CONNECT_TIMEOUT'],
    ['greeting', DEFAULT_POLICY.greetingTimeoutMs, 'GREETING_TIMEOUT'],
  ] as const)('gives a step that is %s %i ms, then retries with %s (pain 2)', (way, limitMs, code) => {
    const connection = running();
    connection.tell(...WAYS[way]);
    connection.clock.advance(limitMs - 1);
    expect(connection.leaf()).toBe(way);
    connection.clock.advance(1);
    expect([connection.leaf(), connection.snapshot().context.failure]).toMatchObject(['waiting', { code }]);
  });

  test('gives up when the credentials provider fails once more than it may be retried', () => {
    const connection = running({ policy: { maxCredentialsRetries: 1 } });
    connection.tell(connect, granted, { type: 'credentials.failed', failure: refused });
    expect(connection.leaf()).toBe('waiting');
    connection.clock.advance(connection.clock.untilNextMs() ?? 0);
    connection.tell(granted);
    connection.clock.advance(DEFAULT_POLICY.credentialsTimeoutMs);
    expect(connection.leaf()).toBe('failed');
    expect(connection.emitted.at(-1)).toEqual({ type: 'gave.up', because: 'credentials' });
  });

  test('forgets failures of the credentials provider once it has answered', () => {
    const connection = running({ policy: { maxCredentialsRetries: 1 } });
    connection.tell(connect);
    for (let round = 1; round <= 3; round++) {
      connection.tell(granted, { type: 'credentials.failed', failure: refused });
      connection.clock.advance(connection.clock.untilNextMs() ?? 0);
      connection.tell(granted, { type: 'credentials.resolved' }, { type: 'url.failed', failure: unreachable });
      connection.clock.advance(connection.clock.untilNextMs() ?? 0);
    }
    expect([connection.leaf(), connection.snapshot().context.credentialsFailures]).toEqual(['queued', 0]);
  });

  test('retries the credentials provider without end when it has no limit of its own (pain 2)', () => {
    const connection = running();
    connection.tell(connect);
    for (let round = 1; round <= 50; round++) {
      connection.tell(granted, { type: 'credentials.failed', failure: refused });
      connection.clock.advance(connection.clock.untilNextMs() ?? 0);
    }
    expect([connection.leaf(), connection.snapshot().context.credentialsFailures]).toEqual(['queued', 50]);
  });
});

const plain = { wire: 'plain', isResumed: false } as const;

describe('what a connection says', () => {
  test('says closed, then failed, then when it retries (pain 58)', () => {
    const connection = running();
    const failure = closedWith(1012);
    connection.tell(...WAYS.open, closed(1, failure));
    expect(connection.emitted).toEqual([
      { type: 'opened', isReconnect: false, generation: 1, retries: 0, ...plain },
      { type: 'closed', failure },
      { type: 'failed', failure },
      { type: 'retrying', delayMs: connection.snapshot().context.retryDelayMs, attempt: 1, hold: 'server' },
    ]);
    expect(connection.clock.untilNextMs()).toBe(connection.snapshot().context.retryDelayMs);
  });

  test('says failed, then that it gave up and why, without closed when it was never open (pain 58)', () => {
    const connection = running({ policy: { maxRetries: 0 } });
    connection.tell(...WAYS.dialing, closed(1));
    expect(connection.emitted).toEqual([
      { type: 'failed', failure: closedWith(1006) },
      { type: 'gave.up', because: 'exhausted' },
    ]);
  });

  test('says that it opened again, and after how many retries', () => {
    const connection = running();
    connection.tell(...WAYS.open);
    acceptThenClose(connection, 2);
    reopen(connection);
    expect(connection.emitted.at(-1)).toEqual({
      type: 'opened',
      isReconnect: true,
      generation: 3,
      retries: 2,
      ...plain,
    });
  });

  test.each<Leaf>(['draining', 'closing', 'closed', 'failed'])(
    'takes an opening for the first when it was %s before',
    (leaf) => {
      const connection = running();
      connection.tell(...WAYS.waiting, connect, ...attempt(2));
      expect(connection.emitted.at(-1)).toMatchObject({ type: 'opened', isReconnect: true });
      if (leaf === 'failed') connection.tell(closed(2, closedWith(1008)));
      else connection.tell(disconnect);
      if (leaf === 'closing') connection.tell({ type: 'outbox.emptied' });
      if (leaf === 'closed') connection.tell(closed(2));
      expect(connection.leaf()).toBe(leaf);
      connection.tell(connect, ...attempt(3));
      const first = { type: 'opened', isReconnect: false, generation: 3, retries: 0 };
      expect(connection.emitted.at(-1)).toEqual({ ...first, ...plain });
    },
  );

  test('speaks of a state once that state is reached', () => {
    const connection = running();
    const reached: string[] = [];
    connection.listen(({ type }) => reached.push(`${type} in ${connection.leaf()}`));
    connection.tell(...WAYS.open, closed(1));
    expect(reached).toEqual(['opened in open', 'closed in waiting', 'failed in waiting', 'retrying in waiting']);
  });
});

describe('draws', () => {
  const script = (seed: number): Running => {
    const connection = running({ seed });
    connection.tell(...WAYS.open);
    acceptThenClose(connection, 5);
    connection.tell({ type: 'network.offline' }, { type: 'network.online' }, { type: 'page.hidden' });
    return connection;
  };

  test('are the same for the same seed and events, so that a replay is exact', () => {
    const [one, two] = [script(42), script(42)];
    expect(one.snapshot().context).toEqual(two.snapshot().context);
    expect(one.emitted).toEqual(two.emitted);
  });

  test('differ between seeds, so that clients lost together come back apart (pain 33)', () => {
    const first = Array.from({ length: 100 }, (_, index) => {
      const connection = running({ seed: index * 7919 });
      connection.tell(...WAYS.open);
      connection.clock.advance(stableMs);
      connection.tell(closed(1));
      return connection.snapshot().context.retryDelayMs;
    });
    expect(Math.max(...first)).toBeLessThanOrEqual(promptMs);
    expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(promptMs * 0.9);
    expect(new Set(first).size).toBeGreaterThan(60);
  });

  test('spread every further retry over the whole window (pain 33)', () => {
    const delays = Array.from({ length: 200 }, (_, index) => {
      const connection = running({ seed: index * 104_729 });
      connection.tell(...WAYS.open);
      acceptThenClose(connection, 3);
      return connection.snapshot().context.retryDelayMs;
    });
    const [low, high] = [baseMs, baseMs * 2 ** 3];
    const quarters = [0, 1, 2, 3].map((quarter) => {
      const from = low + (quarter * (high - low)) / 4;
      return delays.filter((delay) => delay >= from && delay <= from + (high - low) / 4).length;
    });
    expect(Math.min(...quarters)).toBeGreaterThan(25);
    expect(quarters.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(200);
  });

  test('happen only when a wait is chosen', () => {
    const connection = running();
    connection.tell(...WAYS.open, { type: 'health.late' }, { type: 'system.woke' });
    expect(connection.snapshot().context.seed).toBe(1);
    connection.tell(closed(1));
    const { seed } = connection.snapshot().context;
    expect(seed).not.toBe(1);
    connection.tell(connect, ...attempt(2), opened(2));
    expect(connection.snapshot().context.seed).toBe(seed);
  });
});
