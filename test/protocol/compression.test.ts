import { describe, expect, test, vi } from 'vitest';

import {
  COMPRESSION_THRESHOLD,
  compressed,
  inflated,
  packed,
  WINDOW_THRESHOLD,
  type Compression,
  type Deflater,
} from '../../src/protocol/compression.ts';
import { pakoDeflater, pakoWindow } from '../../src/protocol/deflater.ts';
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

describe('compressing with a window', () => {
  const both = (): Compression => ({ ...pakoDeflater, window: pakoWindow() });
  const keystroke = (n: number): Uint8Array<ArrayBuffer> => toUtf8(`${n}[{"type":"input","data":"ls -la","n":${n}}]`);

  test('is worth it from the second frame on, however short, and the frames come back in their order', () => {
    const [here, there] = [both(), both()];
    const frames = [1, 2, 3].map((n) => compressed(keystroke(n), here) ?? keystroke(n));
    expect(frames.slice(1).map(({ length }) => length)).toEqual([expect.toSatisfy(isFew), expect.toSatisfy(isFew)]);
    expect(frames.map((frame) => inflated(frame, there, MOST))).toEqual([1, 2, 3].map(keystroke));
  });

  test('leaves alone what is shorter than a head is worth, and what is longer than a window', () => {
    const window = { ...pakoWindow(), deflate: vi.fn<Deflater['deflate']>() };
    const compression = { ...pakoDeflater, window };
    expect(compressed(letters.subarray(0, WINDOW_THRESHOLD - 1), compression)).toBeNull();
    const long = new Uint8Array(65_537).fill(97);
    expect(inflated(compressed(long, compression) ?? letters, pakoDeflater, MOST)).toEqual(long);
    expect(window.deflate).not.toHaveBeenCalled();
  });

  test('sends what does not get smaller all the same, for it is in the window', () => {
    const [here, there] = [both(), both()];
    const noise = Uint8Array.from({ length: 200 }, (_, n) => (n * 7_919) % 251);
    const frame = compressed(noise, here);
    expect(frame?.length).toBeGreaterThan(noise.length);
    expect(inflated(frame ?? letters, there, MOST)).toEqual(noise);
  });

  test('is not read where it was not agreed on', () => {
    const frame = compressed(keystroke(1), both()) ?? letters;
    expect(() => inflated(frame, pakoDeflater, MOST)).toThrow('was not agreed on');
  });
});

function isFew(bytes: number): boolean {
  return bytes < 16;
}

describe('a frame on its way', () => {
  const text = 'ü'.repeat(COMPRESSION_THRESHOLD / 2);

  test.each([
    ['nothing was agreed on', null, MOST],
    ['it is more than the other side inflates', pakoDeflater, COMPRESSION_THRESHOLD - 1],
  ])('stays as it is where %s', (_why, compression, most) => {
    expect(packed(text, compression, most)).toBe(text);
  });

  test('gets smaller where that was agreed on, its length counted in bytes', () => {
    expect(packed(text, pakoDeflater, COMPRESSION_THRESHOLD)).toBeInstanceOf(Uint8Array);
    expect(packed('1[1]', pakoDeflater, MOST)).toBe('1[1]');
    expect(packed('1["a short one, of no use"]', { ...pakoDeflater, window: pakoWindow() }, MOST)).toHaveLength(27);
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
