import { describe, expect, test } from 'vitest';

import { DEFAULT_POLICY } from '../../machines/policy.ts';
import {
  attempt,
  closed,
  closedWith,
  opened,
  running,
  stepped,
  WAYS,
  type Leaf,
  type Running,
} from '../models/connection-cases.ts';
import { leafOf } from '../support/machine-graph.ts';

const { promptMs, offlineMs, hiddenMs, baseMs } = DEFAULT_POLICY.backoff;
const heartbeat = { intervalMs: 25_000, promptMs: 1_000, lateMs: 2_500, timeoutMs: 10_000 };
const { intervalMs, promptMs: firstMs, lateMs, timeoutMs } = heartbeat;

function healthOf({ snapshot }: Running): string {
  const health = snapshot().children['health']?.getSnapshot();
  return health && 'value' in health ? leafOf(health) : 'absent';
}

describe('losing and regaining the network', () => {
  test('holds a retry back while the platform reports no network, and says so', () => {
    const connection = running();
    connection.tell(...WAYS.waiting, { type: 'network.offline' });
    const { retryDelayMs, retries } = connection.snapshot().context;
    expect(retryDelayMs).toBeGreaterThanOrEqual(offlineMs / 2);
    expect(retryDelayMs).toBeLessThanOrEqual(offlineMs);
    expect(connection.emitted.at(-1)).toEqual({
      type: 'retrying',
      delayMs: retryDelayMs,
      attempt: retries,
      hold: 'network',
    });
  });

  test('holds the retry after a loss when the network was reported absent before it', () => {
    const connection = running();
    connection.tell(...WAYS.open, { type: 'network.offline' }, closed(1));
    expect([connection.leaf(), connection.snapshot().context.retries]).toEqual(['offline', 1]);
  });

  test('still tries while it is reported absent, for the report can be wrong (pain 36)', () => {
    const connection = running({ network: 'offline' });
    connection.tell(...WAYS.dialing, closed(1));
    expect(connection.leaf()).toBe('offline');
    connection.clock.advance(offlineMs);
    connection.tell(...attempt(2));
    expect(connection.leaf()).toBe('open');
  });

  test('retries promptly once the network is back, and counts no further retry for it', () => {
    const connection = running();
    connection.tell(...WAYS.offline, { type: 'network.online' });
    expect(connection.emitted.at(-1)).toMatchObject({ type: 'retrying', attempt: 1, hold: 'delay' });
    connection.clock.advance(promptMs);
    expect(connection.leaf()).toBe('queued');
  });

  test('probes an open link when the network comes or goes, and does not close it', () => {
    const connection = running();
    connection.tell(...WAYS.open, { type: 'network.offline' });
    expect([connection.leaf(), healthOf(connection)]).toEqual(['open', 'probing']);
  });
});

describe('hiding and showing the page', () => {
  test('retries more slowly while the page is hidden, and says so', () => {
    const connection = running();
    connection.tell(...WAYS.waiting, { type: 'page.hidden' });
    const { retryDelayMs } = connection.snapshot().context;
    expect(retryDelayMs).toBeGreaterThanOrEqual(hiddenMs / 2);
    expect(retryDelayMs).toBeLessThanOrEqual(hiddenMs);
    expect(connection.emitted.at(-1)).toMatchObject({ type: 'retrying', hold: 'visibility' });
  });

  test('holds the retry after a loss when the page was hidden before it', () => {
    const connection = running();
    connection.tell(...WAYS.open, { type: 'page.hidden' }, closed(1));
    expect([connection.leaf(), connection.snapshot().context.retries]).toEqual(['hidden', 1]);
  });

  test('retries promptly once the page is visible', () => {
    const connection = running();
    connection.tell(...WAYS.hidden, { type: 'page.visible' });
    expect(connection.emitted.at(-1)).toMatchObject({ type: 'retrying', hold: 'delay' });
    connection.clock.advance(promptMs);
    expect(connection.leaf()).toBe('queued');
  });

  test('counts a page that is hidden and a network that is absent as a network that is absent', () => {
    const connection = running({ page: 'hidden', network: 'offline' });
    connection.tell(...WAYS.dialing, closed(1));
    expect(connection.leaf()).toBe('offline');
  });

  test('waits on for a page that is still hidden when the network comes back', () => {
    const connection = running();
    connection.tell(...WAYS.offline, { type: 'page.hidden' }, { type: 'network.online' });
    expect(connection.emitted.at(-1)).toMatchObject({ type: 'retrying', attempt: 1, hold: 'visibility' });
    expect(connection.snapshot().context.retryDelayMs).toBeGreaterThanOrEqual(hiddenMs / 2);
  });

  test('never waits less for a hidden page than the peer asked for', () => {
    const rules = [{ codes: 4429, strategy: 'reconnect', category: 'rate_limited', retryAfterMs: 60_000 }] as const;
    const connection = running({ page: 'hidden' });
    connection.tell(...WAYS.open, closed(1, closedWith(4429, rules)));
    expect(connection.snapshot().context.retryDelayMs).toBeGreaterThanOrEqual(60_000);
  });

  test('takes a visible page for a reason to probe, and a hidden one for none', () => {
    const connection = running();
    connection.tell(...WAYS.open, { type: 'page.hidden' });
    expect(healthOf(connection)).toBe('quiet');
    connection.tell({ type: 'page.visible' });
    expect(healthOf(connection)).toBe('probing');
  });
});

describe('waking', () => {
  test.each<Leaf>(['open', 'degraded'])('probes at once a link that is %s, although it looks open (pain 4)', (leaf) => {
    const connection = running();
    connection.tell(...WAYS[leaf]);
    connection.clock.sleep(3_600_000);
    connection.tell({ type: 'system.woke' });
    expect([connection.leaf(), healthOf(connection)]).toEqual([leaf, 'probing']);
  });

  test('finds a link dead that does not answer after waking (pain 4)', () => {
    const connection = running();
    connection.tell(...WAYS.open, { type: 'system.woke' });
    connection.clock.advance(timeoutMs);
    expect([connection.leaf(), connection.snapshot().context.failure?.code]).toEqual(['waiting', 'LINK_DEAD']);
  });

  test('retries promptly after waking during backoff', () => {
    const connection = running();
    connection.tell(...WAYS.waiting);
    connection.clock.sleep(1);
    connection.tell({ type: 'system.woke' });
    expect(connection.snapshot().context.retryDelayMs).toBeLessThanOrEqual(promptMs);
    expect(connection.clock.pending()).toBe(1);
  });
});

describe('the health of the link', () => {
  test('shows a late answer as degraded, and an answer as open again (pain 3)', () => {
    const connection = running();
    connection.tell(...WAYS.open);
    connection.clock.advance(firstMs + lateMs - 1);
    expect(connection.leaf()).toBe('open');
    connection.clock.advance(1);
    expect(connection.leaf()).toBe('degraded');
    connection.snapshot().children['health']?.send({ type: 'link.heard' });
    expect(connection.leaf()).toBe('open');
  });

  test('stays degraded when the stable period passes', () => {
    const connection = running();
    connection.tell(...WAYS.degraded);
    connection.clock.advance(DEFAULT_POLICY.stableMs);
    expect([connection.leaf(), connection.snapshot().context.tenure]).toEqual(['degraded', 'stable']);
  });

  test('abandons a link from which nothing is heard, without a close frame (original fault 24) (pain 3)', () => {
    const connection = running();
    connection.tell(...WAYS.open);
    connection.clock.advance(firstMs + timeoutMs - 1);
    expect(connection.leaf()).toBe('degraded');
    connection.clock.advance(1);
    expect(connection.leaf()).toBe('waiting');
    expect(connection.emitted.slice(1, 3)).toMatchObject([
      { type: 'closed', failure: { code: 'LINK_DEAD', closure: null } },
      { type: 'failed', failure: { code: 'LINK_DEAD' } },
    ]);
    expect(Object.keys(connection.snapshot().children)).toEqual(['outbox']);
  });

  test('retries a dead link promptly when it had been stable', () => {
    const connection = running();
    connection.tell(...WAYS.open);
    connection.clock.advance(intervalMs + timeoutMs);
    expect(connection.snapshot().context.retryDelayMs).toBeLessThanOrEqual(promptMs);
    expect(promptMs).toBeLessThan(baseMs);
  });

  test.each([
    ['the wire has no form of ping', { canPing: false, policy: {} }],
    ['the heartbeat is off', { canPing: true, policy: { heartbeat: null } }],
  ])('is not watched when %s', (_why, { canPing, policy }) => {
    const connection = running({ policy });
    connection.tell(...WAYS.dialing, opened(1, canPing), { type: 'greeting.completed' });
    connection.clock.advance(3_600_000);
    expect([connection.leaf(), healthOf(connection)]).toEqual(['open', 'unwatched']);
  });

  test('is watched anew on every link, and on no closed one', () => {
    const links = [stepped(WAYS.open), stepped([...WAYS.waiting, { type: 'connect' }, ...attempt(2)])];
    const monitors = links.map(({ snapshot }) => snapshot.children['health']);
    expect(monitors.every((monitor) => monitor !== undefined)).toBe(true);
    expect(monitors[0]).not.toBe(monitors[1]);
    expect(stepped(WAYS.closing).snapshot.children).not.toHaveProperty('health');
  });
});
