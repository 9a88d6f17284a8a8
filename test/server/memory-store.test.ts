import { describe, expect, test } from 'vitest';

import { MemoryStore } from '../../src/server/memory-store.ts';
import { sessionStoreContract, STORE_LIMITS } from '../contract/session-store.ts';
import { SimulatedClock } from '../../src/testing/clock.ts';

sessionStoreContract('in memory', () => {
  const clock = new SimulatedClock();
  const store = new MemoryStore({ clock, ...STORE_LIMITS });
  return { store, pass: (ms) => clock.advanceAsync(ms), stop: () => store.close() };
});

function wishOf(number: number) {
  return {
    sid: `s${number}`,
    ep: 'e',
    tokenHash: 'h',
    principal: 'ann',
    nonce: `n${number}`,
    node: 'node',
    ttlMs: 1_000,
  };
}

describe('the memory store', () => {
  test('forgets the sessions that waited longest for an owner when there are too many, and never one that has an owner', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore({ clock, maxSessions: 3 });
    const expired: string[] = [];
    store.subscribe({ expire: ({ sid }) => expired.push(sid) });
    for (const number of [1, 2, 3]) await store.open(wishOf(number));
    await store.detach('s3', 1);
    await store.detach('s1', 1);
    for (const number of [4, 5, 6]) await store.open(wishOf(number));
    expect([expired, store.size]).toEqual([['s3', 's1'], 4]);
    await store.close();
  });

  test('has a timer only while a session waits for an owner, and none once it is closed', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore({ clock });
    await store.open(wishOf(1));
    expect(clock.pending()).toBe(0);
    await store.detach('s1', 1);
    await store.open(wishOf(2));
    await store.detach('s2', 1);
    expect(clock.pending()).toBe(1);
    clock.advance(5_000);
    expect([clock.pending(), store.size]).toEqual([0, 0]);
    await store.open(wishOf(3));
    await store.detach('s3', 1);
    await store.close();
    expect([clock.pending(), store.size]).toEqual([0, 0]);
  });

  test('knows a session by its name although one of that name overflowed before, and ended since', async () => {
    const store = new MemoryStore({ clock: new SimulatedClock(), maxMessages: 1 });
    await store.open(wishOf(1));
    await store.detach('s1', 1);
    await store.append('s1', null, [{ data: 'a' }, { data: 'b' }]);
    await store.open({ ...wishOf(2), nonce: 'n1' });
    await store.destroy('s1', null);
    expect((await store.open({ ...wishOf(3), nonce: 'n1' })).sid).toBe('s2');
    await store.close();
  });

  test('tells nobody who has unsubscribed', async () => {
    const store = new MemoryStore({ clock: new SimulatedClock() });
    const told: string[] = [];
    const end = store.subscribe({ expire: ({ sid }) => told.push(sid) });
    end();
    await store.open(wishOf(1));
    await store.destroy('s1', null);
    expect(told).toEqual([]);
  });
});
