import { describe, expect, test } from 'vitest';

import { CONNECTION_STATES, environmentAfter, initialContext, stateOf } from '../../machines/facts.ts';
import { DEFAULT_POLICY } from '../../machines/policy.ts';
import { inputOf } from '../models/connection-cases.ts';

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
      tenure: 'new',
      retryDelayMs: 0,
      canPing: false,
      offer: 'made',
      wire: null,
      isResumed: false,
      serverPing: null,
      departureMs: 0,
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
