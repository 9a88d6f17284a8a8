import { describe, expect, test } from 'vitest';

import { DEFAULT_POLICY } from '../../machines/policy.ts';

const MAX_DELAY_MS = 2 ** 31 - 1;

describe('the default policy', () => {
  test('survives JSON unchanged', () => {
    expect(JSON.parse(JSON.stringify(DEFAULT_POLICY))).toEqual(DEFAULT_POLICY);
  });

  test('has only times that a timer can hold', () => {
    const { backoff, heartbeat, maxRetries, maxCredentialsRetries, wire, ...deadlines } = DEFAULT_POLICY;
    const times = Object.values({ ...deadlines, ...backoff, ...heartbeat });
    expect(times.filter((ms) => !(Number.isInteger(ms) && ms >= 0 && ms <= MAX_DELAY_MS))).toEqual([]);
    expect([maxRetries, maxCredentialsRetries, wire]).toEqual([null, null, 'plain']);
  });

  test('orders its times so that each has its turn', () => {
    const { backoff, heartbeat } = DEFAULT_POLICY;
    expect(backoff.promptMs).toBeLessThan(backoff.baseMs);
    expect(backoff.baseMs).toBeLessThan(backoff.capMs);
    expect(heartbeat?.lateMs).toBeLessThan(heartbeat?.timeoutMs ?? 0);
  });

  test('notices a dead link within 35 seconds (pain 3)', () => {
    const { intervalMs, timeoutMs } = DEFAULT_POLICY.heartbeat ?? { intervalMs: Infinity, timeoutMs: Infinity };
    expect(intervalMs + timeoutMs).toBeLessThanOrEqual(35_000);
  });
});
