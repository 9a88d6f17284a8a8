import { describe, expect, test } from 'vitest';

import { holdOf, isUp, WorldStates } from '../../src/audit/states.ts';
import { STATES } from '../support/audit-story.ts';

describe('the state that the world sees', () => {
  test('follows from the state of the chart', () => {
    const states = new WorldStates();
    expect(Object.values(STATES).map((value) => states.of(value))).toEqual([
      ...['idle', 'connecting', 'open', 'degraded', 'closing', 'backoff', 'backoff', 'backoff', 'backoff'],
      ...['closed', 'failed'],
    ]);
    expect(states.of(STATES.open)).toBe('open');
    expect((['open', 'degraded', 'closing', null] as const).map(isUp)).toEqual([true, true, false, false]);
  });

  test('is not known of a state that the chart does not have', () => {
    const states = new WorldStates();
    for (const value of [null, 7, 'nowhere', { live: 'nowhere' }, [], undefined]) expect(states.of(value)).toBeNull();
    for (let index = 0; index < 1_000; index++) expect(states.of(`nowhere ${index}`)).toBeNull();
  });

  test('waits for what its part says', () => {
    expect(Object.values(STATES).map(holdOf).filter(Boolean)).toEqual(['delay', 'server', 'network', 'page']);
    expect(holdOf({ backoff: { told: 1 } })).toBeNull();
  });
});
