import { describe, expect, test } from 'vitest';

import { checkOf, MOST, type Kind } from '../../src/protocol/fields.ts';
import { ProtocolViolation } from '../../src/protocol/violation.ts';

const long = 'x'.repeat(MOST.secret + 1);
const many = Array.from({ length: MOST.names + 1 }, (_, index) => `n${index}`);
const crowd = Object.fromEntries(many.map((name) => [name, '']));

const rows: [kind: Kind, good: unknown[], bad: unknown[]][] = [
  ['seq', [1, Number.MAX_SAFE_INTEGER], [0, -1, 1.5, 2 ** 53, '1', null, undefined, Number.NaN]],
  ['count', [0, 1, Number.MAX_SAFE_INTEGER], [-1, 0.5, 2 ** 53, '0', null, true]],
  ['time', [0, 0.25, 1e15], [-1, Infinity, Number.NaN, '0', null]],
  ['name', ['a', 'x'.repeat(MOST.name)], ['', 'x'.repeat(MOST.name + 1), 1, null]],
  ['text', ['', 'x'.repeat(MOST.text)], ['x'.repeat(MOST.text + 1), 1, null]],
  ['secret', ['', 'x'.repeat(MOST.secret)], [long, 1, null]],
  ['flag', [true, false], [0, 1, 'true', null]],
  ['json', [null, 0, '', [], {}], [undefined]],
  ['names', [[], ['a'], many.slice(1)], [many, [''], [1], 'a', {}, null]],
  ['versions', [[], [1, 2]], [[0], ['1'], 1, null]],
  ['headers', [{}, { a: '' }], [{ a: 1 }, [], null, 'a', crowd, { a: 'x'.repeat(MOST.text + 1) }]],
];

describe('a field', () => {
  test.each(rows.flatMap(([kind, good]) => good.map((value) => [kind, value] as const)))(
    'of kind %s may be %j',
    (kind, value) => {
      expect(checkOf({ f: kind })({ f: value }, 'x')).toEqual({ f: value });
    },
  );

  test.each(rows.flatMap(([kind, , bad]) => bad.map((value) => [kind, value] as const)))(
    'of kind %s may not be %j',
    (kind, value) => {
      expect(() => checkOf({ f: kind })({ f: value }, 'x')).toThrow(new ProtocolViolation(`x.f is no ${kind}`));
    },
  );

  test('that may be absent may be, but may not be null', () => {
    const check = checkOf({ 'f?': 'count' });
    expect(check({}, 'x')).toEqual({});
    expect(() => check({ f: null }, 'x')).toThrow('x.f is no count');
  });

  test('may be an object of fields, or a list of such objects that is not empty', () => {
    const check = checkOf({ one: { a: 'count' }, many: [{ a: 'count' }] });
    expect(check({ one: { a: 1 }, many: [{ a: 2 }] }, 'x')).toEqual({ one: { a: 1 }, many: [{ a: 2 }] });
    expect(() => check({ one: 1, many: [{ a: 2 }] }, 'x')).toThrow('x.one is no object');
    expect(() => check({ one: { a: 1 }, many: [] }, 'x')).toThrow('x.many is no list');
    expect(() => check({ one: { a: 1 }, many: [{ a: 2 }, { a: '' }] }, 'x')).toThrow('x.many[1].a is no count');
  });

  test('that is not known is left out, and so is one that only the prototype has', () => {
    const check = checkOf({ 'a?': 'count' });
    expect(check({ b: 1 }, 'x')).toEqual({});
    expect(check(Object.create({ a: 1 }), 'x')).toEqual({});
  });
});
