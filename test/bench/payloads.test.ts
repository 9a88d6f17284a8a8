import { expect, test } from 'vitest';

import { messagesOf, Roll, terminal } from '../../bench/payloads.ts';

const numbered = (...numbers: number[]) => numbers.map((n) => terminal.message(n));

function taken(roll: Roll, ...numbers: number[]): boolean[] {
  return numbered(...numbers).map((message) => roll.take(message));
}

test('a roll says when the last of those expected has come, once all have', () => {
  const roll = new Roll(terminal, 5);
  roll.expect(8, { isExact: true });
  expect(messagesOf(terminal, 5, 8).map((message) => roll.take(message))).toEqual([false, false, true]);
  expect(roll.faults).toBe(0);
  roll.expect(9, { isExact: true });
  expect(roll.faults).toBe(1);
  expect(taken(roll, 8)).toEqual([true]);
  expect(roll.faults).toBe(0);
});

test('what is missing, comes twice, too early, or is another message is a fault', () => {
  const roll = new Roll(terminal, 0);
  roll.expect(6, { isExact: true });
  // 1 and 2 are missing
  taken(roll, 0, 3);
  expect(roll.faults - 2).toBe(2);
  taken(roll, 3);
  expect(roll.faults - 2).toBe(3);
  roll.take({ type: 'input', data: 'other', n: 4 });
  expect(roll.faults - 1).toBe(4);
  roll.take('no message');
  taken(roll, 5);
  expect(roll.faults).toBe(5);
  taken(roll, 6);
  expect(roll.faults).toBe(6);
});

test('messages that are dealt out keep the order of their own connection, and no other', () => {
  const roll = new Roll(terminal, 4, 3);
  roll.expect(10, { isExact: false });
  expect(taken(roll, 6, 9, 4, 5, 8, 7)).toEqual([false, false, false, false, false, true]);
  expect(roll.faults).toBe(0);
  roll.expect(16, { isExact: false });
  // 10 is missing on its connection, where 13 comes in its place
  taken(roll, 13, 11, 14, 12, 15);
  expect(roll.faults).toBe(1);
});
