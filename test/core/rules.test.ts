import { describe, expect, test } from 'vitest';

import { ConfigurationError } from '../../src/errors.ts';
import {
  callback,
  check,
  clock,
  count,
  duration,
  either,
  flag,
  limit,
  listening,
  must,
  object,
  oneOf,
  positive,
  record,
  required,
  text,
  type Rule,
} from '../../src/core/rules.ts';

const problems = (rule: Rule, value: unknown): string[] => rule(value, 'at');

describe('a rule', () => {
  test.each<[string, Rule, unknown[], unknown[]]>([
    ['a count', count, [0, 7], [-1, 0.5, Infinity, '1', null]],
    ['a positive', positive, [1], [0, NaN]],
    ['a limit', limit, [0, Infinity], [-1, 1.5]],
    ['a duration', duration(5), [5, 2_147_483_647], [4, 2_147_483_648, Infinity]],
    ['a flag', flag, [true, false], ['yes', 1]],
    ['a callback', callback, [() => undefined], [{}, 'f']],
    ['a text', text, ['a'], ['', 1]],
    ['one of several', oneOf(['a', 'b']), ['a', 'b'], ['c', 1]],
    [
      'a clock',
      clock,
      [{ now: () => 0, setTimeout: () => 0, clearTimeout: () => 0 }],
      [{ now: () => 0 }, Date, 5, null],
    ],
    ['a record', record(count), [{}, { a: 1 }], [{ a: -1 }, { a: undefined }, [], 1]],
  ])('lets through what is %s, and what is left out, and nothing else', (_what, rule, good, bad) => {
    for (const value of [undefined, ...good]) expect(problems(rule, value)).toEqual([]);
    for (const value of bad) expect(problems(rule, value)).toHaveLength(1);
  });

  test('names what is wrong by its path', () => {
    const rule = object({ a: required(object({ b: count })), c: must('even', (value) => Number(value) % 2 === 0) });
    expect(rule({ a: { b: -1, x: 1 }, c: 3 }, 'options')).toEqual([
      'a.b: must be a whole number of at least 0',
      'a.x: unknown option',
      'c: must be even',
    ]);
    expect(problems(rule, {})).toEqual(['at.a: is required']);
  });

  test('of what is said together is asked once each part holds', () => {
    const rule = object({ a: count, b: count }, (value, path) =>
      (value as { a: number }).a === 1 ? [`${path}: no`] : [],
    );
    expect([problems(rule, { a: 1, b: -1 }), problems(rule, { a: 1 })]).toEqual([
      ['at.b: must be a whole number of at least 0'],
      ['at: no'],
    ]);
  });

  test('that allows a name or an object says both, and looks into an object only', () => {
    const rule = either("'on'", (value) => value === 'on', object({ a: count }));
    expect(['on', {}, undefined].flatMap((value) => problems(rule, value))).toEqual([]);
    expect(problems(rule, 'onn')).toEqual(["at: must be 'on' or an object"]);
    expect(problems(rule, { a: -1 })).toEqual(['at.a: must be a whole number of at least 0']);
  });

  test('for listening wants a type that there is, and a function', () => {
    const rule = listening(['a', 'b']);
    expect(problems(rule, { type: 'a', listener: () => undefined })).toEqual([]);
    expect(problems(rule, { type: 'c' })).toEqual(['at.type: must be one of a, b', 'at.listener: is required']);
  });
});

test('a check throws every problem at once, and nothing when there is none', () => {
  const rule = object({ a: count, b: flag });
  expect(() => check(rule, { a: 1 })).not.toThrow();
  let thrown: unknown;
  try {
    check(rule, { a: -1, b: 1 });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ConfigurationError);
  expect(thrown).toMatchObject({
    code: 'INVALID_OPTIONS',
    problems: ['a: must be a whole number of at least 0', 'b: must be true or false'],
    message: 'Invalid options: a: must be a whole number of at least 0; b: must be true or false.',
  });
  expect(() => check(rule, undefined)).toThrow('options: is required');
});
