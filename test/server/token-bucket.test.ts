import { expect, test } from 'vitest';

import { TokenBucket } from '../../src/server/token-bucket.ts';

test('a bucket gives twice its rate at once, then its rate', () => {
  const bucket = new TokenBucket(10, 0);
  expect([bucket.take(20, 0), bucket.take(1, 0)]).toEqual([true, false]);
  expect([bucket.take(1, 99), bucket.take(1, 100), bucket.take(1, 100)]).toEqual([false, true, false]);
});

test('a bucket never holds more than twice its rate', () => {
  const bucket = new TokenBucket(10, 0);
  expect([bucket.take(20, 60_000), bucket.take(1, 60_000)]).toEqual([true, false]);
});

test('a clock that is set back neither gives nor takes', () => {
  const bucket = new TokenBucket(10, 1_000);
  expect([bucket.take(20, 500), bucket.take(1, 600)]).toEqual([true, true]);
});

test('a bucket without a bound gives everything', () => {
  expect(new TokenBucket(Infinity, 0).take(1e9, 0)).toBe(true);
});

test('a bucket gives more than it can hold when it is full, and is owed the rest: else a large frame would be refused for ever', () => {
  const bucket = new TokenBucket(10, 0);
  expect([bucket.take(50, 0), bucket.take(1, 3_000)]).toEqual([true, false]);
  expect([bucket.take(1, 3_100), bucket.take(50, 3_100)]).toEqual([true, false]);
  expect(bucket.take(50, 5_100)).toBe(true);
});
