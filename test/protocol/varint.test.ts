import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ByteReader, varintBytes, writeVarint } from '../../src/protocol/varint.ts';

const numbers = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(20_000),
  fc.constantFrom(0, 127, 128, 16_383, 16_384, 2 ** 32, 2 ** 53 - 1),
);

function written(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(varintBytes(value));
  expect(writeVarint(value, bytes, 0)).toBe(bytes.length);
  return bytes;
}

describe('a number', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(numbers, (value) => {
        const reader = new ByteReader(written(value));
        expect([reader.varint(), reader.remaining]).toEqual([value, 0]);
      }),
    );
  });

  test.each<[number, number[]]>([
    [0, [0]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [300, [0xac, 0x02]],
    [Number.MAX_SAFE_INTEGER, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('%d is written seven bits a byte, the lowest first', (value, bytes) => {
    expect([...written(value)]).toEqual(bytes);
  });

  test.each<[string, number[]]>([
    ['is cut off', [0x80]],
    ['is not there', []],
    ['is padded', [0x81, 0x00]],
    ['is beyond 2^53 - 1', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10]],
    ['goes on', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
  ])('that %s is refused', (_how, bytes) => {
    expect(() => new ByteReader(new Uint8Array(bytes)).varint()).toThrow(
      'number|too early'.split('|')[bytes.length < 2 ? 1 : 0],
    );
  });
});

describe('bytes', () => {
  test('are taken as views, in order, and never past their end', () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const reader = new ByteReader(bytes);
    const taken = reader.take(2);
    expect([[...taken], taken.buffer === bytes.buffer, reader.remaining]).toEqual([[1, 2], true, 1]);
    expect(() => reader.take(2)).toThrow('too early');
    expect([reader.byte(), reader.remaining]).toEqual([3, 0]);
    expect(() => reader.byte()).toThrow('too early');
  });
});
