import { expect, test } from 'vitest';

import { hashOf, nameFrom, platformRandom, tokenFrom } from '../../src/server/tokens.ts';

test('a token has 256 random bits, a name 128', () => {
  const asked: number[] = [];
  const random = (bytes: Uint8Array): void => {
    asked.push(bytes.length);
    bytes.fill(255);
  };
  expect([tokenFrom(random), nameFrom(random)]).toEqual(['_'.repeat(42) + '8', '_'.repeat(21) + 'w']);
  expect(asked).toEqual([32, 16]);
});

test('no two draws of the platform are the same', () => {
  expect(new Set(Array.from({ length: 100 }, () => tokenFrom(platformRandom))).size).toBe(100);
});

test('a hash tells tokens apart, and nothing else of them', () => {
  expect(hashOf('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
  expect(hashOf('abd')).not.toBe(hashOf('abc'));
});
