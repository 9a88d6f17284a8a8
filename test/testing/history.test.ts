import { expect, test } from 'vitest';

import { SimulatedClock } from '../../src/testing/clock.ts';
import { History } from '../../src/testing/history.ts';

function kept() {
  const clock = new SimulatedClock();
  return { clock, history: new History(() => clock.now()) };
}

test('a history writes what happened with its time since the run began', () => {
  const { clock, history } = kept();
  history.note('begins');
  clock.advance(1_234.56);
  history.note('goes on');
  expect(history.at).toBeCloseTo(1_234.56);
  expect(history.tail(10)).toBe('      0.0  begins\n   1234.6  goes on');
});

test('a history tells no more than its last lines', () => {
  const { history } = kept();
  for (const what of ['a', 'b', 'c']) history.note(what);
  expect(history.tail(2).split('\n').map(trimmed)).toEqual(['b', 'c']);
  expect(history.tail(0)).toBe('');
  expect(history.tail(Infinity).split('\n')).toHaveLength(3);
});

test('a history writes what is dear to write only when it is read', () => {
  const { history } = kept();
  let written = 0;
  history.note(() => `written ${++written}`);
  expect(written).toBe(0);
  expect(trimmed(history.tail(1))).toBe('written 1');
});

test('a history keeps the first breach, and ends with it', () => {
  const { history } = kept();
  history.note('before');
  history.fail('first');
  history.note('between');
  history.fail('second');
  expect(history.breach).toBe('first');
  expect(history.tail(10).split('\n').map(trimmed)).toEqual(['before', 'BROKEN: first']);
});

test('a history says what was thrown, and not from where: that is kept beside it', () => {
  const { history } = kept();
  const error = new Error('no thanks');
  history.threw('it threw:', error);
  history.threw('it threw:', 'second');
  expect([history.breach, history.cause]).toEqual(['it threw: Error: no thanks', error]);
  expect(trimmed(history.tail(10))).toBe('BROKEN: it threw: Error: no thanks');
});

test('a history requires what must hold, and says only then what did not', () => {
  const { history } = kept();
  let asked = 0;
  const what = (): string => `asked ${++asked}`;
  history.require(true, what);
  expect([history.breach, asked, history.tail(5)]).toEqual([undefined, 0, '']);
  history.require(false, what);
  expect(history.breach).toBe('asked 1');
});

function trimmed(line: string): string {
  return line.replace(/^ *[\d.]+ {2}/, '');
}
