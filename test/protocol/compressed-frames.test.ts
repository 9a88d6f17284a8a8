import { describe, expect, test, vi } from 'vitest';

import { compressionWith } from '../../src/protocol/compressed-frames.ts';
import type { Deflater } from '../../src/protocol/compression.ts';
import { pakoDeflater, pakoWindow } from '../../src/protocol/deflater.ts';
import { toUtf8 } from '../../src/protocol/utf8.ts';
import { makeCompression } from '../support/compression.ts';

const MOST = 100_000;
const letters = toUtf8('a'.repeat(1_024));
const alone = makeCompression({ hasWindow: false });
const windowed = () => makeCompression({ hasWindow: true });

describe('compressing', () => {
  test('makes a smaller frame, from which the first comes back', () => {
    const frame = alone.compress(letters);
    expect(frame?.length).toBeLessThan(100);
    expect(alone.inflate(frame ?? letters, MOST)).toEqual(letters);
  });

  test('is given up where it gains nothing (original fault 3)', () => {
    // as long as before is longer, with the head
    const useless: Deflater = { ...pakoDeflater, deflate: (bytes) => bytes.slice(4) };
    expect(compressionWith(useless, null).compress(letters)).toBeNull();
    const useful: Deflater = { ...pakoDeflater, deflate: (bytes) => bytes.slice(5) };
    expect(compressionWith(useful, null).compress(letters)).toHaveLength(letters.length - 1);
  });
});

describe('compressing with a window', () => {
  const keystroke = (n: number): Uint8Array<ArrayBuffer> => toUtf8(`${n}[{"type":"input","data":"ls -la","n":${n}}]`);

  test('is worth it from the second frame on, however short, and the frames come back in their order', () => {
    const [here, there] = [windowed(), windowed()];
    const frames = [1, 2, 3].map((n) => here.compress(keystroke(n)) ?? keystroke(n));
    expect(frames.slice(1).map(({ length }) => length)).toEqual([expect.toSatisfy(isFew), expect.toSatisfy(isFew)]);
    expect(frames.map((frame) => there.inflate(frame, MOST))).toEqual([1, 2, 3].map(keystroke));
  });

  test('leaves alone what is longer than a window', () => {
    const window = { ...pakoWindow(), deflate: vi.fn<Deflater['deflate']>() };
    const long = new Uint8Array(65_537).fill(97);
    const frame = compressionWith(pakoDeflater, window).compress(long);
    expect(alone.inflate(frame ?? letters, MOST)).toEqual(long);
    expect(window.deflate).not.toHaveBeenCalled();
  });

  test('sends what does not get smaller all the same, for it is in the window', () => {
    const [here, there] = [windowed(), windowed()];
    const noise = Uint8Array.from({ length: 200 }, (_, n) => (n * 7_919) % 251);
    const frame = here.compress(noise);
    expect(frame?.length).toBeGreaterThan(noise.length);
    expect(there.inflate(frame ?? letters, MOST)).toEqual(noise);
  });

  test('is not read where it was not agreed on', () => {
    const frame = windowed().compress(keystroke(1)) ?? letters;
    expect(() => alone.inflate(frame, MOST)).toThrow('was not agreed on');
  });
});

function isFew(bytes: number): boolean {
  return bytes < 16;
}

describe('inflating', () => {
  test('spends nothing on a frame that says it is too big', () => {
    const deflater = { ...pakoDeflater, inflate: vi.fn<Deflater['inflate']>() };
    const frame = alone.compress(letters) ?? letters;
    const unused = compressionWith(deflater, null);
    expect(() => unused.inflate(frame, letters.length - 1)).toThrow(expect.objectContaining({ closeCode: 4006 }));
    expect(deflater.inflate).not.toHaveBeenCalled();
  });

  test('does not pass on what the deflater says of broken data', () => {
    const frame = alone.compress(letters) ?? letters;
    expect(() => alone.inflate(frame.slice(0, -1), MOST)).toThrow('a compressed frame is not what it says');
  });
});
