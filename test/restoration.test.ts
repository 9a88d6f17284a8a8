import { describe, expect, test } from 'vitest';

import { DEFAULT_POLICY } from '../machines/policy.ts';
import { restorationOf, type Bequest } from '../src/restoration.ts';
import type { ConnectionSnapshot } from '../src/status.ts';
import { closed, closedWith, running, WAYS, type Leaf } from './models/connection-cases.ts';

const policy = { ...DEFAULT_POLICY, maxRetries: 7 };
const end = { type: 'disconnect', code: 1000, reason: '' };

/** What the next actor is told after the death of one in this state. */
function restored(leaf: Leaf, bequest: Partial<Bequest>): ReturnType<typeof restorationOf> {
  const connection = running();
  connection.tell(...WAYS[leaf]);
  const place = { state: 'open', detail: 'open' } as const;
  return restorationOf(connection.snapshot(), {
    ...{ place, isAwaited: false, isEnding: false, policy },
    ...bequest,
  });
}

describe('the actor that takes the place of one that died', () => {
  test('is given the policy of now', () => {
    expect(restored('open', {}).prepare).toEqual([{ type: 'policy.changed', policy }]);
  });

  test.each<Leaf>(['idle', 'open', 'waiting'])('holds messages back if the other did, where that was %s', (leaf) => {
    const connection = running();
    connection.tell(...WAYS[leaf], { type: 'pause' });
    const bequest = { place: { state: 'open', detail: 'paused' }, isAwaited: true, isEnding: false, policy } as const;
    expect(restorationOf(connection.snapshot(), bequest).prepare).toContainEqual({ type: 'pause' });
  });

  test('goes on with what the other had counted', () => {
    const { resume } = restored('waiting', { place: { state: 'backoff', detail: 'waiting' } });
    expect(resume).toMatchObject({
      type: 'restore',
      known: { generation: 1, retries: 1, opens: 1 },
      failure: { code: 'INTERNAL_FAULT', strategy: 'reconnect' },
      wasOpen: false,
    });
  });

  test.each(['open', 'degraded'] as const)('tells of the loss of a link that was %s', (state) => {
    expect(restored('open', { place: { state, detail: state } }).resume).toMatchObject({ wasOpen: true });
  });

  test('stays away for as long as the peer asked the other to', () => {
    const connection = running();
    connection.tell(...WAYS.open, closed(1, closedWith(1013)));
    const dead = connection.snapshot() as ConnectionSnapshot;
    const wishes = { isAwaited: false, isEnding: false, policy };
    const after = (state: 'backoff' | 'connecting'): object | undefined =>
      restorationOf(dead, { place: { state, detail: state }, ...wishes }).resume;
    expect(after('backoff')).toMatchObject({ failure: { retryAfterMs: 5_000 } });
    expect(after('connecting')).toMatchObject({ failure: { retryAfterMs: 0 } });
  });

  test('owes no time that has been served, while it still waits for something else', () => {
    const connection = running();
    connection.tell(...WAYS.told, { type: 'network.offline' });
    connection.clock.advance(connection.snapshot().context.retryDelayMs);
    expect(connection.leaf()).toBe('offline');
    const bequest = {
      place: { state: 'backoff', detail: 'offline' },
      isAwaited: false,
      isEnding: false,
      policy,
    } as const;
    expect(restorationOf(connection.snapshot(), bequest).resume).toMatchObject({ failure: { retryAfterMs: 0 } });
  });

  test.each(['idle', 'closing', 'closed', 'failed'] as const)('rests where the connection was %s', (state) => {
    expect(restored('closed', { place: { state, detail: state } }).resume).toEqual(end);
  });

  test('rests where somebody waits for it to close, and goes on where somebody waits for it to open', () => {
    expect(restored('open', { isEnding: true }).resume).toEqual(end);
    expect(restored('open', { isEnding: true, isAwaited: true }).resume).toMatchObject({ type: 'restore' });
    const place = { state: 'closed', detail: 'closed' } as const;
    expect(restored('closed', { place, isAwaited: true }).resume).toMatchObject({ type: 'restore', wasOpen: false });
  });
});
