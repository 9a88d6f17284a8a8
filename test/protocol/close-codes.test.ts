import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { clampCloseReason, CloseCode, isSendableCloseCode, WireClose } from '../../src/protocol/close-codes.ts';

const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength;

describe('close codes', () => {
  test('are the ones that the registry names', () => {
    expect(Object.values(CloseCode)).toEqual([
      1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015, 3000, 3003, 3008,
    ]);
  });

  test('of our own wire are ones that a browser may send, in the band that says what follows', () => {
    const bands = Object.values(WireClose).map((code) => Math.floor(code / 100));
    expect(Object.values(WireClose).every(isSendableCloseCode)).toBe(true);
    expect([...new Set(bands)]).toEqual([40, 41, 42, 43]);
    expect(new Set(Object.values(WireClose)).size).toBe(bands.length);
  });

  test.each([1000, 3000, 3999, 4000, 4999])('may be sent as %i', (code) => {
    expect(isSendableCloseCode(code)).toBe(true);
  });

  test.each([0, 999, 1001, 1005, 1006, 1011, 2999, 5000, 65_535, -1000, 3000.5, Number.NaN, Infinity])(
    'may not be sent as %d, which a browser refuses (pain 51)',
    (code) => {
      expect(isSendableCloseCode(code)).toBe(false);
    },
  );
});

describe('a close reason', () => {
  test.each([
    ['short text', 'bye', 'bye'],
    ['no text', '', ''],
    ['123 letters', 'x'.repeat(123), 'x'.repeat(123)],
    ['124 letters', 'x'.repeat(124), 'x'.repeat(123)],
    ['two bytes that just fit', `${'x'.repeat(121)}é`, `${'x'.repeat(121)}é`],
    ['two bytes of which one fits', `${'x'.repeat(122)}é`, 'x'.repeat(122)],
    ['three bytes that just fit', '日'.repeat(41), '日'.repeat(41)],
    ['three bytes of which none fits', '日'.repeat(42), '日'.repeat(41)],
    ['three bytes of which two fit', `${'x'.repeat(121)}日`, 'x'.repeat(121)],
    ['four bytes that just fit', `${'x'.repeat(119)}👍`, `${'x'.repeat(119)}👍`],
    ['four bytes of which three fit', `${'x'.repeat(120)}👍`, 'x'.repeat(120)],
    ['a lone surrogate that just fits', `${'x'.repeat(120)}\ud83d`, `${'x'.repeat(120)}\ud83d`],
    ['a lone surrogate of which two bytes fit', `${'x'.repeat(121)}\udc4d`, 'x'.repeat(121)],
  ])('is cut at a character, for %s (pain 51)', (_what, reason, kept) => {
    expect(clampCloseReason(reason)).toBe(kept);
  });

  test('fits a close frame as the platform encodes it, begins as it was, and is as long as it can be (pain 51)', () => {
    const parts = fc.array(fc.constantFrom('x', 'é', '日', '👍', '\ud83d', '\udc4d'), {
      minLength: 20,
      maxLength: 130,
    });
    fc.assert(
      fc.property(parts, (characters) => {
        const reason = characters.join('');
        const kept = clampCloseReason(reason);
        const next = String.fromCodePoint(...[reason.codePointAt(kept.length)].filter((point) => point !== undefined));
        expect(bytesOf(kept)).toBeLessThanOrEqual(123);
        expect(reason.startsWith(kept)).toBe(true);
        expect(next === '' || bytesOf(kept) + bytesOf(next) > 123).toBe(true);
      }),
    );
  });

  test('does not take apart what the peer is to read whole: a pair of surrogates stays a pair', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('x', '👍'), { maxLength: 60 }), (parts) => {
        const kept = clampCloseReason(parts.join(''));
        expect(new TextDecoder().decode(new TextEncoder().encode(kept))).toBe(kept);
      }),
    );
  });
});
