import { describe, expect, test, vi } from 'vitest';

import { COMPRESSION_THRESHOLD, compressed, inflated, type Deflater } from '../../src/protocol/compression.ts';
import { pakoDeflater } from '../../src/protocol/deflater.ts';
import { toUtf8 } from '../../src/protocol/utf8.ts';

const MOST = 100_000;
const letters = toUtf8('a'.repeat(COMPRESSION_THRESHOLD));

describe('compressing', () => {
  test('makes a smaller frame, from which the first comes back', () => {
    const frame = compressed(letters, pakoDeflater);
    expect(frame?.length).toBeLessThan(100);
    expect(inflated(frame ?? letters, pakoDeflater, MOST)).toEqual(letters);
  });

  test('is not tried below the threshold', () => {
    const deflater = { ...pakoDeflater, deflate: vi.fn<Deflater['deflate']>() };
    expect(compressed(letters.slice(1), deflater)).toBeNull();
    expect(deflater.deflate).not.toHaveBeenCalled();
  });

  test('is given up where it gains nothing (original fault 3)', () => {
    // as long as before is longer, with the head
    const useless: Deflater = { ...pakoDeflater, deflate: (bytes) => bytes.slice(4) };
    expect(compressed(letters, useless)).toBeNull();
    const useful: Deflater = { ...pakoDeflater, deflate: (bytes) => bytes.slice(5) };
    expect(compressed(letters, useful)).toHaveLength(letters.length - 1);
  });
});

describe('inflating', () => {
  test('spends nothing on a frame that says it is too big', () => {
    const deflater = { ...pakoDeflater, inflate: vi.fn<Deflater['inflate']>() };
    const frame = compressed(letters, pakoDeflater) ?? letters;
    expect(() => inflated(frame, deflater, letters.length - 1)).toThrow(expect.objectContaining({ closeCode: 4006 }));
    expect(deflater.inflate).not.toHaveBeenCalled();
  });

  test('does not pass on what the deflater says of broken data', () => {
    const frame = compressed(letters, pakoDeflater) ?? letters;
    expect(() => inflated(frame.slice(0, -1), pakoDeflater, MOST)).toThrow('a compressed frame is not what it says');
  });
});
