import { expect, test } from 'vitest';

import { Lease } from '../../src/server/lease.ts';

test('credentials without an end are never asked for again', () => {
  expect(new Lease(undefined, 0).look(1e12, 1_000)).toBeNull();
});

test('fresh ones are asked for 30 s before the end, once', () => {
  const lease = new Lease(100_000, 0);
  expect([lease.look(68_999, 1_000), lease.look(69_001, 1_000), lease.look(70_000, 1_000)]).toEqual([
    null,
    'needed',
    null,
  ]);
  expect([lease.look(99_999, 1_000), lease.look(100_000, 1_000)]).toEqual([null, 'expired']);
});

test('those of a short life are asked for when half of it is over', () => {
  const lease = new Lease(20_000, 10_000);
  expect([lease.look(13_000, 1_000), lease.look(14_500, 1_000)]).toEqual([null, 'needed']);
});

test('fresh ones begin another life', () => {
  const lease = new Lease(1_000, 0);
  lease.look(900, 100);
  lease.renew(200_000, 1_000);
  expect([lease.expiresAt, lease.look(2_000, 1_000), lease.look(170_000, 1_000)]).toEqual([200_000, null, 'needed']);
});

test.each([
  [1_500.75, 1_500],
  [Infinity, undefined],
  [Number.MAX_VALUE, Number.MAX_SAFE_INTEGER],
  [-5, 0],
  [NaN, 0],
])('an end at %d travels as the whole number %s: a client takes no other', (expiresAt, told) => {
  expect(new Lease(expiresAt, 0).expiresAt).toBe(told);
});
