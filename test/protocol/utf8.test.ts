import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { fromUtf8, toUtf8 } from '../../src/protocol/utf8.ts';

describe('text as bytes', () => {
  test('comes back as it was, a byte order mark included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(fromUtf8(toUtf8(text))).toBe(text);
      }),
    );
    expect(fromUtf8(toUtf8('\uFEFFtext'))).toBe('\uFEFFtext');
  });

  test.each([[[0xff]], [[0xc0, 0x80]], [[0xed, 0xa0, 0x80]], [[0xe2, 0x82]]])(
    'is refused where it is no UTF-8: %j',
    (bytes) => {
      expect(() => fromUtf8(new Uint8Array(bytes))).toThrow(TypeError);
    },
  );
});
