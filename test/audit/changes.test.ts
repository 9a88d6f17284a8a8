import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { changesBetween } from '../../src/audit/changes.ts';

describe('what has changed', () => {
  test.each([
    ['nothing', { a: 1, b: 'x' }, { a: 1, b: 'x' }, {}],
    ['a value', { a: 1, b: 2 }, { a: 1, b: 3 }, { b: 3 }],
    ['what is new', {}, { a: 0 }, { a: 0 }],
    ['what is gone', { a: 1, b: 2 }, { b: 2 }, { a: null }],
    ['what is gone where something undefined came', { a: 1, b: 2 }, { b: 2, c: undefined }, { a: null }],
    ['what is gone where a name came that every object has', { a: 1 }, { constructor: 5 }, { a: null, constructor: 5 }],
    ['what is gone where the very thing came that every object has', { a: 1 }, { constructor: Object }, { a: null }],
    ['what is undefined now', { a: 1 }, { a: undefined }, { a: null }],
    ['a part', { a: { b: { c: 1, d: 2 } } }, { a: { b: { c: 3, d: 2 } } }, { 'a.b.c': 3 }],
    ['a part that is gone', { a: { b: 1, c: 2 } }, { a: { b: 1 } }, { 'a.c': null }],
    ['an object in the place of a value', { a: 1 }, { a: { b: 2 } }, { a: { b: 2 } }],
    ['a value in the place of an object', { a: { b: 2 } }, { a: null }, { a: null }],
    ['a list in the place of an object', { a: {} }, { a: [] }, { a: [] }],
    ['an object in the place of a list', { a: [1] }, { a: { b: 1 } }, { a: { b: 1 } }],
    ['an item of a list', { a: [{ n: 1 }, { n: 2 }] }, { a: [{ n: 1 }, { n: 3 }] }, { 'a.1.n': 3 }],
    ['what a list has more', { a: [1] }, { a: [1, 2, 3] }, { 'a.1': 2, 'a.2': 3 }],
    ['what a list has lost', { a: [1, 2, 3, 4] }, { a: [2, 4] }, { a: { removed: [0, 2] } }],
    ['a list that is empty now', { a: [1, 2] }, { a: [] }, { a: { removed: [0, 1] } }],
    ['a list that is shorter and in another order', { a: [1, 2, 3] }, { a: [3, 1] }, { a: [3, 1] }],
    ['another list, that is shorter', { a: [1, 2, 3] }, { a: [1, 9] }, { a: [1, 9] }],
    ['a name that every object knows', { a: { constructor: 1, toString: 2 } }, { a: {} }, null],
  ])('is %s', (_, before, after, expected) => {
    expect(changesBetween(before, after)).toEqual(expected ?? { 'a.constructor': null, 'a.toString': null });
  });

  test('is by the path of a list that has lost others than were compared by value', () => {
    const [one, two] = [{ n: 1 }, { n: 2 }];
    expect(changesBetween({ a: [one, two] }, { a: [two] })).toEqual({ a: { removed: [0] } });
    expect(changesBetween({ a: [one, two] }, { a: [{ n: 2 }] })).toEqual({ a: [{ n: 2 }] });
    expect(changesBetween({ a: [one, two, one] }, { a: [one, two] })).toEqual({ a: { removed: [2] } });
  });

  test('is not looked for in what is the same object', () => {
    const same = {
      get secret(): never {
        throw new Error('looked at');
      },
    };
    expect(changesBetween({ same, n: 1 }, { same, n: 2 })).toEqual({ n: 2 });
  });

  test('is nothing between two copies of the same, and something between any two that differ', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), (a, b) => {
        expect(changesBetween(a, structuredClone(a))).toEqual({});
        if (JSON.stringify(a) !== JSON.stringify(b) && Object.keys(a).length !== Object.keys(b).length)
          expect(Object.keys(changesBetween(a, b))).not.toEqual([]);
      }),
    );
  });
});
