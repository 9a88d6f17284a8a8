import { describe, expect, test } from 'vitest';

import { DEFAULT_POLICY, DELAYS, WIRE_CHOICES } from '../../machines/policy.ts';

const MAX_DELAY_MS = 2 ** 31 - 1;

describe('the default policy', () => {
  test('survives JSON unchanged', () => {
    expect(JSON.parse(JSON.stringify(DEFAULT_POLICY))).toEqual(DEFAULT_POLICY);
  });

  test('has only times that a timer can hold', () => {
    const {
      backoff,
      heartbeat,
      maxRetries,
      maxCredentialsRetries,
      maxRejections,
      rules,
      wire,
      isGraded,
      ...deadlines
    } = DEFAULT_POLICY;
    const times = Object.values({ ...deadlines, ...backoff, ...heartbeat });
    expect(times.filter((ms) => !(Number.isInteger(ms) && ms >= 0 && ms <= MAX_DELAY_MS))).toEqual([]);
    expect([maxRetries, maxCredentialsRetries, maxRejections, rules, wire]).toEqual([null, null, null, [], 'plain']);
    expect(isGraded).toBe(true);
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

describe('the delays of the chart', () => {
  const policy = {
    ...DEFAULT_POLICY,
    credentialsTimeoutMs: 1,
    urlTimeoutMs: 2,
    connectTimeoutMs: 4,
    wireTimeoutMs: 8,
    welcomeTimeoutMs: 16,
    greetingTimeoutMs: 32,
    drainTimeoutMs: 64,
    closeTimeoutMs: 128,
    stableMs: 256,
  };
  const context = { policy, retryDelayMs: 512, departureMs: 1_024 };

  test('are those of the policy, and those that were drawn', () => {
    const delays = Object.entries(DELAYS).map(([name, delay]) => [name, delay({ context })]);
    expect(Object.fromEntries(delays)).toEqual({
      credentialsTimeout: 1,
      urlTimeout: 2,
      connectTimeout: 4,
      wireTimeout: 8,
      welcomeTimeout: 16,
      greetingTimeout: 32,
      drainTimeout: 64,
      closeTimeout: 128,
      stablePeriod: 256,
      retryDelay: 512,
      departure: 1_024,
      attemptTimeout: 1 + 2 + 4 + 8 + 16,
    });
  });

  test('give a whole attempt no more than a timer can hold', () => {
    const patient = { ...policy, connectTimeoutMs: MAX_DELAY_MS };
    expect(DELAYS.attemptTimeout({ context: { ...context, policy: patient } })).toBe(MAX_DELAY_MS);
  });
});

describe('the wires that a service may want', () => {
  test('are these three', () => {
    expect(WIRE_CHOICES).toEqual(['required', 'prefer', 'plain']);
  });
});
