import { describe, expect, test } from 'vitest';

import type { ConnectionEvent } from '../../machines/facts.ts';
import { DEFAULT_POLICY, type ConnectionPolicy } from '../../machines/policy.ts';
import { DEFAULT_RULES } from '../../src/core/recovery-table.ts';
import { classified, failure, ruleFor, type Failure, type RecoveryRule } from '../../src/core/recovery.ts';
import {
  attempt,
  closed,
  closedOnWire,
  closedWith,
  restore,
  running,
  unreachable,
  WAYS,
  type Running,
} from '../models/connection-cases.ts';

const { baseMs, promptMs } = DEFAULT_POLICY.backoff;
const { stableMs } = DEFAULT_POLICY;

const SITUATIONS = {
  'with nobody to ask': {},
  'with credentials': { maxRejections: 1 },
  'that prefers holdfast.v1': { wire: 'prefer' },
  'that requires holdfast.v1': { wire: 'required' },
} as const satisfies Record<string, Partial<ConnectionPolicy>>;
type Situation = keyof typeof SITUATIONS;

/** A failure that a rule covers, as it comes about. */
function failureUnder(rule: RecoveryRule): Failure {
  const code = [rule.failure ?? []].flat()[0];
  const status = [rule.status ?? []].flat()[0];
  const closeCode = [rule.codes ?? []].flat()[0];
  const wire = rule.wire ?? 'plain';
  const closure = { reason: '', wasClean: false, initiator: 'peer' } as const;
  if (status !== undefined)
    return classified({ code: 'HANDSHAKE_FAILED', closure: { ...closure, code: 1006, status }, wire });
  if (closeCode === undefined) return failure(code ?? 'CONNECTION_LOST');
  return classified({ code: code ?? 'CLOSED_BY_PEER', closure: { ...closure, code: closeCode }, wire });
}

/** Where a failure meets a connection, and how. */
function meeting(failed: Failure): readonly ConnectionEvent[] {
  switch (failed.code) {
    case 'CREDENTIALS_FAILED':
    case 'CREDENTIALS_TIMEOUT':
      return [...WAYS.authorizing, { type: 'credentials.failed', failure: failed }];
    case 'URL_FAILED':
    case 'URL_TIMEOUT':
    case 'INVALID_URL':
    case 'INVALID_PROTOCOLS':
      return [...WAYS.locating, { type: 'url.failed', failure: failed }];
    case 'GREETING_FAILED':
    case 'GREETING_TIMEOUT':
      return [...WAYS.greeting, { type: 'greeting.failed', failure: failed }];
    case 'INTERNAL_FAULT':
      return [{ ...restore, failure: failed }];
    case 'CLOSED_BY_PEER':
    case 'CONNECTION_LOST':
    case 'LINK_DEAD':
      return [...WAYS.open, closed(1, failed)];
    default:
      return [...WAYS.dialing, closed(1, failed)];
  }
}

function met(failed: Failure, situation: Situation): Running {
  const connection = running({ policy: SITUATIONS[situation] });
  connection.tell(...meeting(failed));
  return connection;
}

/** What became of it, in words. */
function fate(connection: Running): string {
  const { retryDelayMs, credentials, offer } = connection.snapshot().context;
  if (connection.leaf() !== 'waiting') return connection.leaf();
  const wait = retryDelayMs <= promptMs ? 'tried at once' : retryDelayMs >= baseMs ? 'tried after the backoff' : '?';
  return `${wait}, ${credentials} credentials, the offer ${offer}`;
}

// by strategy, and where that matters by situation
const PROMISES: Record<Failure['strategy'], (situation: Situation) => RegExp> = {
  reconnect: () => /^tried after the backoff/,
  wait: () => /^tried after the backoff/,
  manual: () => /^failed$/,
  reauthenticate: (situation) => (situation === 'with credentials' ? /^tried at once, fresh credentials/ : /^failed$/),
  renegotiate: (situation) =>
    situation === 'that prefers holdfast.v1' ? /^tried at once, .* the offer withheld$/ : /^failed$/,
  new_session: () => /^tried at once/,
};

describe('each line of the policy table', () => {
  // a frozen page is no failure that meets the chart from outside: see connection-page.test.ts
  const rules = DEFAULT_RULES.filter(({ failure: code }) => code !== 'PAGE_FROZEN');
  const lines = rules.map((rule) => {
    const failed = failureUnder(rule);
    const { code, closure, strategy } = failed;
    return [`${code} ${closure?.status ?? closure?.code ?? ''}`.trim(), strategy, rule, failed] as const;
  });

  test.each(lines)('%s: %s is what the chart does', (_what, strategy, rule, failed) => {
    expect(failed).toMatchObject({ category: rule.category, strategy: rule.strategy });
    for (const situation of Object.keys(SITUATIONS) as Situation[]) {
      const connection = met(failed, situation);
      const promise = strategy === 'wait' && rule.retryAfterMs ? /^told$/ : PROMISES[strategy](situation);
      expect(fate(connection), situation).toMatch(promise);
      expect(connection.snapshot().context.retryDelayMs).toBeGreaterThanOrEqual(rule.retryAfterMs ?? 0);
    }
  });
});

describe('what is tried at once', () => {
  const expired = closedWith(4401);
  const forgotten = closedOnWire(4301);

  /** The wait before each retry, where the peer ends every socket with this as soon as it is open. */
  function waitsOf(failed: Failure, policy: Partial<ConnectionPolicy>, rounds = 4): number[] {
    const connection = running({ policy });
    connection.tell(...WAYS.open);
    const waits: number[] = [];
    for (let generation = 1; generation <= rounds && connection.leaf() !== 'failed'; generation++) {
      connection.tell(closed(generation, failed));
      if (connection.leaf() !== 'waiting') break;
      waits.push(connection.snapshot().context.retryDelayMs);
      connection.clock.advance(connection.clock.untilNextMs() ?? 0);
      connection.tell(...attempt(generation + 1));
    }
    return waits;
  }

  test('is tried once in an episode: then the backoff has its way', () => {
    const waits = waitsOf(forgotten, {});
    expect(waits[0]).toBeLessThanOrEqual(promptMs);
    for (const waitMs of waits.slice(1)) expect(waitMs).toBeGreaterThanOrEqual(baseMs);
    expect(waits).toHaveLength(4);
  });

  test('with fresh credentials is tried as often as the policy says, and then the connection fails for that reason (pain 30)', () => {
    expect(waitsOf(expired, { maxRejections: 2 }, 9)).toHaveLength(2);
    expect(waitsOf(expired, { maxRejections: 0 }, 9)).toHaveLength(0);
    const connection = running({ policy: { maxRejections: 0 } });
    connection.tell(...WAYS.open, closed(1, expired));
    expect(connection.emitted.at(-1)).toEqual({ type: 'gave.up', because: 'credentials' });
  });

  test('may be tried anew once a connection was stable', () => {
    const connection = running({ policy: { maxRejections: 1 } });
    connection.tell(...WAYS.open, closed(1, expired));
    expect(connection.snapshot().context).toMatchObject({ rejections: 1, tried: ['reauthenticate'] });
    connection.clock.advance(connection.clock.untilNextMs() ?? 0);
    connection.tell(...attempt(2));
    connection.clock.advance(stableMs);
    expect(connection.snapshot().context).toMatchObject({ rejections: 0, tried: [] });
  });

  test('waits for the network all the same, with the fresh credentials that it needs', () => {
    const connection = running({ policy: { maxRejections: 1 }, network: 'offline' });
    connection.tell(...WAYS.open, closed(1, expired));
    expect([connection.leaf(), connection.snapshot().context.credentials]).toEqual(['offline', 'fresh']);
  });

  test('leaves credentials alone that nobody refused, until a socket was open', () => {
    const connection = running({ policy: { maxRejections: 1 } });
    connection.tell(...WAYS.dialing, closed(1, unreachable));
    expect(connection.snapshot().context.credentials).toBe('kept');
    connection.clock.advance(connection.clock.untilNextMs() ?? 0);
    connection.tell(...attempt(2));
    expect(connection.snapshot().context.credentials).toBe('fresh');
  });
});

test('a rule of the service covers what the chart itself notices (pain 26)', () => {
  const rules = [{ failure: 'CONNECT_TIMEOUT', category: 'configuration', strategy: 'manual' }] as const;
  const connection = running({ policy: { rules } });
  connection.tell(...WAYS.dialing);
  connection.clock.advance(DEFAULT_POLICY.connectTimeoutMs);
  expect([connection.leaf(), connection.snapshot().context.failure?.category]).toEqual(['failed', 'configuration']);
  expect(ruleFor({ code: 'CONNECT_TIMEOUT' }).strategy).toBe('reconnect');
});
