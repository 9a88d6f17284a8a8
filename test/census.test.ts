import { expect, test } from 'vitest';

import { Census } from '../src/census.ts';

test('a census counts what is in use, by service type', () => {
  const census = new Census();
  census.note('a', 'chat', 'connecting');
  census.note('a', 'chat', 'open');
  census.note('b', 'chat', 'backoff');
  census.note('c', 'terminal', 'closing');
  census.note('d', 'chat', 'idle');
  expect([census.activeOf('chat'), census.activeOf('terminal'), census.activeOf('none')]).toEqual([2, 1, 0]);
  census.note('a', 'chat', 'closed');
  census.note('b', 'chat', 'failed');
  expect([census.activeOf('chat'), census.isActive('a', 'chat'), census.isActive('c', 'terminal')]).toEqual([
    0,
    false,
    true,
  ]);
  census.note('a', 'chat', 'connecting');
  expect(census.isActive('a', 'chat')).toBe(true);
});

test('a census forgets the longest ended first, and none that has begun anew', () => {
  const census = new Census();
  for (const id of ['a', 'b', 'c', 'd']) census.note(id, 'chat', 'closed');
  census.note('a', 'chat', 'connecting');
  expect([...census.forget(1)]).toEqual(['b', 'c']);
  expect([...census.forget(1)]).toEqual([]);
  expect([...census.forget(0)]).toEqual(['d']);
});
