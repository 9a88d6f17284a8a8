import { expect, test } from 'vitest';

import { Chance } from '../../src/testing/chance.ts';
import { payloadOf, PLANTED, tagOf, textOf } from '../../src/testing/payload.ts';

test('a payload can be told by its tag, as text and as bytes', () => {
  const payload = payloadOf('c17', new Chance(1));
  const bytes = new TextEncoder().encode(payload);
  expect([payload, bytes, bytes.buffer].map(tagOf)).toEqual(['c17', 'c17', 'c17']);
  expect([bytes, bytes.buffer].map(textOf)).toEqual([payload, payload]);
  expect(payload).toContain(PLANTED.payload);
});

test.each(['', 'c', 'c1', 'hello', ' c1 x', 'x1 y', { id: 1 }, null, undefined, 7])('%j has no tag', (foreign) => {
  expect(tagOf(foreign)).toBe('');
});

test('a payload is short, and now and then long', () => {
  const chance = new Chance(1);
  const lengths = Array.from({ length: 1_000 }, () => payloadOf('c1', chance).length);
  expect(lengths.filter((length) => length > 100).length).toBeGreaterThan(20);
  expect(lengths.filter((length) => length > 100).length).toBeLessThan(100);
  expect(Math.max(...lengths)).toBeLessThan(8_100);
});
