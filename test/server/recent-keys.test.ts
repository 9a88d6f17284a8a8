import { expect, test } from 'vitest';

import { RecentKeys } from '../../src/server/recent-keys.ts';

test('a key is known for its time, by its own principal', () => {
  const keys = new RecentKeys({ ttlMs: 100, mostEach: 10 });
  keys.add('ann', ['k'], 0);
  keys.add('ann', [], 0);
  expect([keys.has('ann', 'k', 99), keys.has('ann', 'k', 100), keys.has('bob', 'k', 0)]).toEqual([true, false, false]);
});

test('a key that is used again lives anew', () => {
  const keys = new RecentKeys({ ttlMs: 100, mostEach: 10 });
  keys.add('ann', ['a', 'b'], 0);
  keys.add('ann', ['a'], 50);
  keys.prune(100);
  expect([keys.size, keys.has('ann', 'a', 149)]).toEqual([1, true]);
  keys.prune(150);
  expect(keys.size).toBe(0);
});

test('nobody has more than his share, and takes none of another’s', () => {
  const keys = new RecentKeys({ ttlMs: 100, mostEach: 2 });
  keys.add('bob', ['b'], 0);
  keys.add('ann', ['1', '2', '3'], 0);
  expect(['1', '2', '3'].map((key) => keys.has('ann', key, 0))).toEqual([false, true, true]);
  expect(keys.has('bob', 'b', 0)).toBe(true);
  keys.clear();
  expect(keys.size).toBe(0);
});
