import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { canonicalJson, canonicalText, canonicalTime, sortedKeys } from '../../src/audit/canonical.ts';

/** The same by another way: of plain JSON, sorted by code units, with one call for each part. */
function reference(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(reference).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const units = (key: string): number[] => Array.from({ length: key.length }, (_, at) => key.charCodeAt(at));
  const isLess = (one: number[], other: number[]): boolean => {
    const at = one.findIndex((unit, index) => unit !== other[index]);
    return at < 0 ? one.length < other.length : (one[at] ?? 0) < (other[at] ?? -1);
  };
  const entries = Object.entries(value).sort(([one], [other]) => (isLess(units(one), units(other)) ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${reference(item)}`).join()}}`;
}

// source: RFC 8785, appendix B
const NUMBERS: readonly (readonly [string, string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
];

describe('canonical JSON', () => {
  test.each(NUMBERS)('writes the number of the bits %s as %s', (bits, text) => {
    const value = Buffer.from(bits, 'hex').readDoubleBE();
    expect(canonicalJson(value)).toBe(text);
    expect(canonicalJson({ value: [value] })).toBe(`{"value":[${text}]}`);
  });

  test('writes the example of the RFC as it says', () => {
    const example = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    expect(canonicalJson(JSON.parse(example))).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test('sorts keys by UTF-16 code units, as the RFC shows', () => {
    const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    const order = Object.keys(JSON.parse(canonicalJson(keys)) as object).filter((key) => key !== '1');
    expect(order).toEqual(['\r', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']);
    expect(canonicalJson({ b: 1, a: 2, '10': 3, '9': 4, '': 5 })).toBe('{"":5,"10":3,"9":4,"a":2,"b":1}');
  });

  test('escapes what JSON says must be escaped and nothing else', () => {
    expect(canonicalText('\b\t\n\f\r\u0000\u001f\u007f"\\/\u2028é😀')).toBe(
      String.raw`"\b\t\n\f\r\u0000\u001f` + '\u007f' + String.raw`\"\\/` + '\u2028é😀"',
    );
  });

  test('is what a plain writer makes of any JSON, and the same when it is read and written again', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(text).toBe(reference(JSON.parse(JSON.stringify(value))));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  test('does not depend on the order in which an object was made', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), (fields) => {
        expect(canonicalJson(Object.fromEntries(Object.entries(fields).reverse()))).toBe(canonicalJson(fields));
      }),
    );
  });
});

describe('what JSON cannot hold', () => {
  test.each([
    [undefined, 'null'],
    [NaN, 'null'],
    [-Infinity, 'null'],
    [10n, 'null'],
    [Symbol('x'), 'null'],
    [() => 1, 'null'],
    [[undefined, NaN, 1n, () => 1], '[null,null,null,null]'],
    [{ a: undefined, b: () => 1, c: 1n, d: Symbol('x'), e: NaN }, '{"e":null}'],
    // eslint-disable-next-line no-sparse-arrays -- that is the case
    [[, 1], '[null,1]'],
    [{ toJSON: () => 'else', a: 1 }, '{"a":1}'],
    [new Date(0), '{}'],
    [new Map([[1, 2]]), '{}'],
    [Object.create({ inherited: 1 }), '{}'],
  ])('is written all the same: %o', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  test('of text are unpaired surrogates, which become U+FFFD', () => {
    expect(canonicalText('a\ud800b\udc00\ud83d\ude00')).toBe('"a\ufffdb\ufffd😀"');
    expect(canonicalJson({ '\udfff': '\\ud800' })).toBe('{"\ufffd":"\\\\ud800"}');
  });

  test('is a ring, which ends in null; what is there twice is no ring', () => {
    const ring: Record<string, unknown> = { n: 1 };
    ring['self'] = ring;
    ring['list'] = [ring];
    expect(canonicalJson(ring)).toBe('{"list":[null],"n":1,"self":null}');
    const twice = { a: 1 };
    expect(canonicalJson([twice, twice, { twice }])).toBe('[{"a":1},{"a":1},{"twice":{"a":1}}]');
  });

  test('never makes it throw, whatever it is', () => {
    const secretive = {
      fine: 1,
      get broken() {
        throw new Error('no');
      },
    };
    expect(canonicalJson(secretive)).toBe('null');
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(canonicalJson({ proxy })).toBe('null');
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(canonicalJson(deep)).toBe('null');
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withSparseArray: true, withDate: true, withMap: true }), (value) => {
        expect(() => JSON.parse(canonicalJson(value)) as unknown).not.toThrow();
      }),
    );
  });
});

describe('a time', () => {
  test('is written as any number is', () => {
    const edges = [
      0,
      -0,
      1,
      -1,
      0.001,
      0.1,
      1.25,
      1e12 + 0.001,
      1e12 + 0.5,
      1e15 + 0.125,
      1e21,
      5e-324,
      -0.5,
      0.0005,
      NaN,
      Infinity,
    ];
    for (const value of edges) expect(canonicalTime(value)).toBe(canonicalJson(value));
    fc.assert(
      fc.property(fc.double(), fc.integer({ min: 0, max: 2 ** 50 }), (any, thousandths) => {
        expect(canonicalTime(any)).toBe(canonicalJson(any));
        expect(canonicalTime(thousandths / 1_000)).toBe(canonicalJson(thousandths / 1_000));
      }),
    );
  });
});

describe('the keys of an object', () => {
  test('are sorted by code units, however many there are', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 3 }), { maxLength: 40 }), (keys) => {
        const fields = Object.fromEntries(keys.map((key) => [key, 1]));
        expect(sortedKeys(fields)).toEqual(Object.keys(fields).sort());
      }),
    );
  });
});
