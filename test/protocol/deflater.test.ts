import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { pakoDeflater, pakoWindow } from '../../src/protocol/deflater.ts';

const bytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 3_000 }),
  fc.array(fc.constantFrom(1, 2, 3), { minLength: 1, maxLength: 3_000 }),
);

describe('the deflater', () => {
  test('gives back what it was given, and what zlib was given, which gives back what it was given', () => {
    fc.assert(
      fc.property(bytes, (given) => {
        const data = new Uint8Array(given);
        expect(pakoDeflater.inflate(pakoDeflater.deflate(data), data.length)).toEqual(data);
        expect(pakoDeflater.inflate(new Uint8Array(deflateRawSync(data)), data.length)).toEqual(data);
        expect(new Uint8Array(inflateRawSync(pakoDeflater.deflate(data)))).toEqual(data);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['shorter than', -1],
    ['longer than', 1],
  ])('refuses data that is %s it was said to be', (_how, difference) => {
    const data = new Uint8Array(5_000).fill(7);
    expect(() => pakoDeflater.inflate(pakoDeflater.deflate(data), data.length - difference)).toThrow(RangeError);
  });

  test('spends no more memory on a bomb than was agreed on', () => {
    const bomb = new Uint8Array(deflateRawSync(new Uint8Array(50_000_000)));
    expect(() => pakoDeflater.inflate(bomb, 1_000)).toThrow(RangeError);
  });

  test('refuses bytes after the end, and an end that is missing', () => {
    const data = new Uint8Array(5_000).fill(7);
    const deflated = pakoDeflater.deflate(data);
    expect(() => pakoDeflater.inflate(new Uint8Array([...deflated, 0]), data.length)).toThrow(RangeError);
    expect(() => pakoDeflater.inflate(deflated.slice(0, -1), data.length)).toThrow(RangeError);
  });
});

describe('a deflater with a window', () => {
  const flushing = { finishFlush: constants.Z_SYNC_FLUSH };
  const tail = Uint8Array.of(0, 0, 0xff, 0xff);

  test('gives back in order what it was given, as zlib does that reads all of it as one stream', () => {
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 20 }), (given) => {
        const frames = given.map((each) => new Uint8Array(each));
        const [here, there] = [pakoWindow(), pakoWindow()];
        const deflated = frames.map((frame) => here.deflate(frame).slice());
        expect(deflated.map((data, index) => there.inflate(data, frames[index]?.length ?? 0))).toEqual(frames);
        const stream = Buffer.concat(deflated.flatMap((data) => [data, tail]));
        expect(inflateRawSync(stream, flushing)).toEqual(Buffer.concat(frames));
      }),
      { numRuns: 50 },
    );
  });

  test('has directions that know nothing of each other', () => {
    const [here, there] = [pakoWindow(), pakoWindow()];
    const data = new Uint8Array(500).fill(7);
    expect(there.inflate(here.deflate(data), 500)).toEqual(data);
    expect(here.inflate(there.deflate(data), 500)).toEqual(data);
  });

  test('reads what zlib flushed', () => {
    const data = new Uint8Array(5_000).fill(7);
    const flushed = new Uint8Array(deflateRawSync(data, flushing));
    expect(pakoWindow().inflate(flushed.slice(0, -tail.length), data.length)).toEqual(data);
  });

  test.each([
    ['shorter than', -1],
    ['longer than', 1],
  ])('refuses data that is %s it was said to be', (_how, difference) => {
    const data = new Uint8Array(5_000).fill(7);
    expect(() => pakoWindow().inflate(pakoWindow().deflate(data), data.length - difference)).toThrow(RangeError);
  });

  test('refuses a stream that ends, broken data, and a bomb, for which it spends no more memory than was agreed on', () => {
    const data = new Uint8Array(5_000).fill(7);
    const ended = pakoWindow();
    expect(() => {
      ended.inflate(new Uint8Array(deflateRawSync(data)), data.length);
      ended.inflate(pakoWindow().deflate(data), data.length);
    }).toThrow(RangeError);
    expect(() => pakoWindow().inflate(new Uint8Array(20).fill(0xff), 100)).toThrow(RangeError);
    const bomb = new Uint8Array(deflateRawSync(new Uint8Array(50_000_000), flushing));
    expect(() => pakoWindow().inflate(bomb, 1_000)).toThrow(RangeError);
  });

  test('makes room for what cannot be made smaller', () => {
    const noise = Uint8Array.from({ length: 65_536 }, (_, n) => Math.imul(n + 1, 2_654_435_761) >>> 24);
    const [here, there] = [pakoWindow(), pakoWindow()];
    for (let round = 0; round < 3; round++)
      expect(there.inflate(here.deflate(noise.map((each) => each ^ round)), 65_536)).toEqual(
        noise.map((each) => each ^ round),
      );
  });
});
