import { expect, test } from 'vitest';

import { interleaved, quantile } from '../../bench/rounds.ts';

/** What was run, in this order, and each with the number of the run for a figure. */
function runs() {
  const ran: string[] = [];
  const run = (name: string) => () => Promise.resolve({ at: ran.push(name) });
  return { ran, raw: run('raw'), others: ['a', 'b', 'c'].map((name) => ({ name, run: run(name) })) };
}

test('candidates run in turn, with raw before, after, and after every so many', async () => {
  const { ran, raw, others } = runs();
  await interleaved(raw, others, { rounds: 2, every: 2 });
  const round = ['a', 'b', 'raw', 'c', 'raw'];
  expect(ran).toEqual(['raw', 'a', 'b', 'c', 'raw', ...round, ...round]);
});

test('as many rounds as are asked for are thrown away', async () => {
  const { ran, raw, others } = runs();
  const [one] = await interleaved(raw, others, { rounds: 1, leading: 3 });
  expect(ran).toHaveLength(4 * 4 + 1);
  // what is kept begins with the thirteenth run
  expect(one?.values['at']?.least).toBe(13);
});

test('half of an even count of numbers lies between the two in the middle', () => {
  expect(quantile([4, 1, 3, 8], 0.5)).toBe(3.5);
  expect(quantile([4, 1, 3], 0.5)).toBe(3);
  expect(quantile([1, Infinity], 0.5)).toBe(Infinity);
  expect(quantile([], 0.5)).toBeNaN();
});

test('each is held against the raw runs just before and after it', async () => {
  const { raw, others } = runs();
  const [, a, , c] = await interleaved(raw, others, { rounds: 1, every: 2 });
  // raw is the fifth run, a the sixth, b the seventh, raw the eighth, c the ninth, raw the tenth
  expect(a?.ratios['at']?.median).toBeCloseTo(6 / ((5 + 8) / 2));
  expect(c?.ratios['at']?.median).toBeCloseTo(9 / ((8 + 10) / 2));
});
