import { describe, expect, test, vi } from 'vitest';

import { packed, type Compression } from '../../src/protocol/compression.ts';
import { makeCompression } from '../support/compression.ts';

const MOST = 100_000;
const BYTES = 1_024;
const alone = makeCompression({ hasWindow: false });

describe('a frame on its way', () => {
  const text = 'ü'.repeat(BYTES / 2);

  test.each([
    ['nothing was agreed on', null, MOST],
    ['it is more than the other side inflates', alone, BYTES - 1],
  ])('stays as it is where %s', (_why, compression, most) => {
    expect(packed(text, compression, most)).toBe(text);
  });

  test('is not tried below the threshold', () => {
    const compression = { ...alone, compress: vi.fn<Compression['compress']>() };
    expect(packed('a'.repeat(BYTES - 1), compression, MOST)).toBeTypeOf('string');
    expect(compression.compress).not.toHaveBeenCalled();
  });

  test('gets smaller where that was agreed on, its length counted in bytes', () => {
    expect(packed(text, alone, BYTES)).toBeInstanceOf(Uint8Array);
    expect(packed('1[1]', alone, MOST)).toBe('1[1]');
    expect(packed('1["a short one, of no use"]', makeCompression({ hasWindow: true }), MOST)).toHaveLength(27);
  });
});
