import { describe, expect, test } from 'vitest';

import { Chance } from '../../src/testing/chance.ts';

const MANY = 10_000;

function drawn<Result>(draw: () => Result, count = MANY): Result[] {
  return Array.from({ length: count }, draw);
}

describe('chance', () => {
  test('is a function of its seed', () => {
    const [one, same, other] = [7, 7, 8].map((seed) => drawn(new Chance(seed).draw, 20));
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
  });

  test('takes any number for a seed', () => {
    for (const seed of [-1, 2 ** 40, 0.5, NaN]) {
      const draw = new Chance(seed).draw();
      expect(draw >= 0 && draw < 1).toBe(true);
    }
  });

  test('draws in [0, 1), evenly', () => {
    const draws = drawn(new Chance(1).draw);
    expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true);
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = draws.filter((draw) => Math.floor(draw * 10) === tenth).length / MANY;
      expect(share).toBeCloseTo(0.1, 1);
    }
  });

  test('forks into one that does not depend on how often the first is asked afterwards', () => {
    const asked = new Chance(3);
    const silent = new Chance(3);
    const [one, other] = [asked.fork(), silent.fork()];
    drawn(asked.draw, 5);
    expect(drawn(one.draw, 20)).toEqual(drawn(other.draw, 20));
  });

  test('forks into another one each time', () => {
    const chance = new Chance(3);
    expect(chance.fork().draw()).not.toBe(chance.fork().draw());
  });

  test('gives every whole number below a bound, and no other', () => {
    const chance = new Chance(4);
    expect(new Set(drawn(() => chance.below(5), 500))).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(chance.below(1)).toBe(0);
  });

  test('gives times between two bounds, whichever they are', () => {
    const chance = new Chance(5);
    const times = drawn(() => chance.between(-20, 30));
    expect(times.every((time) => time >= -20 && time < 30)).toBe(true);
    expect([Math.round(Math.min(...times)), Math.round(Math.max(...times))]).toEqual([-20, 30]);
    expect(chance.between(7, 7)).toBe(7);
  });

  test('lets things happen as often as their probability says', () => {
    const chance = new Chance(6);
    const often = drawn(() => chance.happens(0.3)).filter(Boolean).length;
    expect(often / MANY).toBeCloseTo(0.3, 1);
    expect(drawn(() => chance.happens(0)).some(Boolean)).toBe(false);
    expect(drawn(() => chance.happens(1)).every(Boolean)).toBe(true);
  });

  test('picks each item of a list at some time', () => {
    const chance = new Chance(7);
    expect(new Set(drawn(() => chance.pick(['a', 'b', 'c']), 200))).toEqual(new Set(['a', 'b', 'c']));
  });

  test('halves a list without turning its order around', () => {
    const chance = new Chance(8);
    const list = Array.from({ length: 1_000 }, (_, index) => index);
    const half = chance.half(list);
    expect(half).toEqual([...half].sort((one, other) => one - other));
    expect(half.length / list.length).toBeCloseTo(0.5, 1);
    expect(chance.half([])).toEqual([]);
  });

  test('fills every byte of an array', () => {
    const bytes = new Uint8Array(MANY);
    new Chance(9).fill(bytes);
    expect(new Set(bytes).size).toBe(256);
  });
});
