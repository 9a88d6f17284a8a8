import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { canDigest, hexOf, sha256, webDigest } from '../../src/audit/digest.ts';
import { withWebDigest } from '../support/web-digest.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

// source: FIPS 180-4, and its examples by NIST
const EXAMPLES = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
] as const;

describe('a digest', () => {
  test.each(EXAMPLES)('of %j is the one of the standard, at once and later', async (text, hash) => {
    expect(sha256(text)).toBe(hash);
    expect(await webDigest(text)).toBe(hash);
  });

  test('is of the text in UTF-8, by both ways', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        const expected = createHash('sha256').update(Buffer.from(text, 'utf8')).digest('hex');
        expect([sha256(text), await webDigest(text)]).toEqual([expected, expected]);
      }),
      { numRuns: 50 },
    );
  });

  test('is written in two digits for each byte', () => {
    expect(hexOf(new Uint8Array([0, 1, 15, 16, 255]).buffer)).toBe('00010f10ff');
  });

  test('is made at once in Node, which can', () => {
    expect(canDigest()).toBe(true);
  });

  test.each([
    ['is none of Node', undefined],
    ['is an older Node', () => undefined],
    ['is a Node that hashes otherwise', () => ({})],
  ])('is made by WebCrypto where the platform %s', async (_, getBuiltinModule) => {
    withWebDigest(getBuiltinModule);
    const digest = await import('../../src/audit/digest.ts');
    expect(digest.sha256).toBe(digest.webDigest);
    expect(digest.canDigest()).toBe(true);
    await expect(digest.sha256('abc')).resolves.toBe(EXAMPLES[1][1]);
  });

  test.each([
    ['no WebCrypto', undefined],
    ['no secure context', {}],
  ])('cannot be made where there is %s', async (_, webCrypto) => {
    withWebDigest();
    const digest = await import('../../src/audit/digest.ts');
    vi.stubGlobal('crypto', webCrypto);
    expect(digest.canDigest()).toBe(false);
  });
});
