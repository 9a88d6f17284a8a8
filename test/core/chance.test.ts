import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { drawFrom, seedFrom } from '../../src/core/chance.ts';

const anySeed = fc.nat(2 ** 32 - 1);

function draws(seed: number, count: number): number[] {
  const found: number[] = [];
  for (let state = seed; found.length < count;) {
    const next = drawFrom(state);
    state = next.seed;
    found.push(next.draw);
  }
  return found;
}

describe('drawing from a seed', () => {
  test('gives a number in [0, 1) and a seed that is a whole number of 32 bits', () => {
    fc.assert(
      fc.property(anySeed, (seed) => {
        const next = drawFrom(seed);
        expect(next.draw).toBeGreaterThanOrEqual(0);
        expect(next.draw).toBeLessThan(1);
        expect(Number.isInteger(next.seed) && next.seed >= 0 && next.seed < 2 ** 32).toBe(true);
      }),
    );
  });

  test('gives the same for the same seed, and goes on from the seed it gives', () => {
    fc.assert(
      fc.property(anySeed, (seed) => {
        expect(drawFrom(seed)).toEqual(drawFrom(seed));
        expect(draws(seed, 3).slice(1)).toEqual(draws(drawFrom(seed).seed, 2));
      }),
    );
  });

  test('draws what the published generator draws', () => {
    expect(draws(1, 4).map((draw) => draw * 2 ** 32)).toEqual([
      2_693_262_067, 11_749_833, 2_265_367_787, 4_213_581_821,
    ]);
  });

  test.each([0, 1, 12_345, 2 ** 32 - 1])('spreads 100,000 draws from the seed %i evenly over 20 parts', (seed) => {
    const parts = Array<number>(20).fill(0);
    for (const draw of draws(seed, 100_000)) {
      const part = Math.floor(draw * 20);
      parts[part] = (parts[part] ?? 0) + 1;
    }
    const chiSquared = parts.reduce((sum, found) => sum + (found - 5_000) ** 2 / 5_000, 0);
    // 19 degrees of freedom: above 43.8 one time in a thousand
    expect(chiSquared).toBeLessThan(43.8);
  });

  test('spreads the first draws of neighbouring seeds, too', () => {
    const first = Array.from({ length: 10_000 }, (_, seed) => drawFrom(seed).draw);
    const mean = first.reduce((sum, draw) => sum + draw, 0) / first.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.015);
    expect(new Set(first).size).toBeGreaterThan(9_800);
  });

  test('does not return to a seed within a million draws', () => {
    let seed = 1;
    for (let drawn = 0; drawn < 1_000_000; drawn++) {
      seed = drawFrom(seed).seed;
      if (seed === 1) break;
    }
    expect(seed).not.toBe(1);
  });
});

describe('a seed from a random number', () => {
  test.each([
    [0, 0],
    [0.5, 2 ** 31],
    [1 - 2 ** -53, 2 ** 32 - 1],
  ])('is, for %d, %i', (random, seed) => {
    expect(seedFrom(random)).toBe(seed);
  });

  test.each([1, -1, -Number.MIN_VALUE, 1.5, Number.NaN, Infinity, -Infinity])(
    'is 0 for %d, which is none',
    (random) => {
      expect(seedFrom(random)).toBe(0);
    },
  );

  test('is a whole number of 32 bits for every number in [0, 1)', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
        const seed = seedFrom(random);
        expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32).toBe(true);
      }),
    );
  });
});
