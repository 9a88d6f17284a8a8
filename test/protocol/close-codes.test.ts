import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { clampCloseReason, CloseCode, isSendableCloseCode } from '../../src/protocol/close-codes.ts';

const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength;

describe('close codes', () => {
  test('are the ones that the registry names', () => {
    expect(Object.values(CloseCode)).toEqual([
      1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015,
    ]);
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
    { what: 'short text', reason: 'bye', kept: 'bye' },
    { what: 'no text', reason: '', kept: '' },
    { what: '123 letters', reason: 'x'.repeat(123), kept: 'x'.repeat(123) },
    { what: '124 letters', reason: 'x'.repeat(124), kept: 'x'.repeat(123) },
    { what: 'two bytes that just fit', reason: `${'x'.repeat(121)}é`, kept: `${'x'.repeat(121)}é` },
    { what: 'two bytes of which one fits', reason: `${'x'.repeat(122)}é`, kept: 'x'.repeat(122) },
    { what: 'three bytes that just fit', reason: '日'.repeat(41), kept: '日'.repeat(41) },
    { what: 'three bytes of which none fits', reason: '日'.repeat(42), kept: '日'.repeat(41) },
    { what: 'three bytes of which two fit', reason: `${'x'.repeat(121)}日`, kept: 'x'.repeat(121) },
    { what: 'four bytes that just fit', reason: `${'x'.repeat(119)}👍`, kept: `${'x'.repeat(119)}👍` },
    { what: 'four bytes of which three fit', reason: `${'x'.repeat(120)}👍`, kept: 'x'.repeat(120) },
    { what: 'a lone surrogate that just fits', reason: `${'x'.repeat(120)}\ud83d`, kept: `${'x'.repeat(120)}\ud83d` },
    { what: 'a lone surrogate of which two bytes fit', reason: `${'x'.repeat(121)}\udc4d`, kept: 'x'.repeat(121) },
  ])('is cut at a character, for $what (pain 51)', ({ reason, kept }) => {
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
