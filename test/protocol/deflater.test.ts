import { deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { pakoDeflater } from '../../src/protocol/deflater.ts';

const bytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 3_000 }),
  fc.array(fc.constantFrom(1, 2, 3), { minLength: 1, maxLength: 3_000 }),
);

describe('the deflater', () => {
  test('gives back what it was given, and what zlib was given, which gives back what it was given', () => {
    fc.assert(
      fc.property(bytes, (given) => {
        const data = new Uint8Array(given);
        expect(pakoDeflater.inflate(pakoDeflater.deflate(data), data.length)).toEqual(data);
        expect(pakoDeflater.inflate(new Uint8Array(deflateRawSync(data)), data.length)).toEqual(data);
        expect(new Uint8Array(inflateRawSync(pakoDeflater.deflate(data)))).toEqual(data);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['shorter than', -1],
    ['longer than', 1],
  ])('refuses data that is %s it was said to be', (_how, difference) => {
    const data = new Uint8Array(5_000).fill(7);
    expect(() => pakoDeflater.inflate(pakoDeflater.deflate(data), data.length - difference)).toThrow(RangeError);
  });

  test('spends no more memory on a bomb than was agreed on', () => {
    const bomb = new Uint8Array(deflateRawSync(new Uint8Array(50_000_000)));
    expect(() => pakoDeflater.inflate(bomb, 1_000)).toThrow(RangeError);
  });

  test('refuses bytes after the end, and an end that is missing', () => {
    const data = new Uint8Array(5_000).fill(7);
    const deflated = pakoDeflater.deflate(data);
    expect(() => pakoDeflater.inflate(new Uint8Array([...deflated, 0]), data.length)).toThrow(RangeError);
    expect(() => pakoDeflater.inflate(deflated.slice(0, -1), data.length)).toThrow(RangeError);
  });
});
