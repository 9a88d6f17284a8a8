import { describe, expect, test } from 'vitest';

import { shrink } from '../../src/testing/shrink.ts';

const ITEMS = Array.from({ length: 64 }, (_, index) => index);

/** Shrinks the items to what holds, and writes down what was asked. */
async function shrunk(
  holds: (candidate: readonly number[]) => boolean,
  most = 1_000,
  items: readonly number[] = ITEMS,
) {
  const asked: (readonly number[])[] = [];
  const kept = await shrink(
    items,
    (candidate) => {
      asked.push(candidate);
      return Promise.resolve(holds(candidate));
    },
    most,
  );
  return { kept, asked };
}

function all(...needed: number[]) {
  return (candidate: readonly number[]): boolean => needed.every((item) => candidate.includes(item));
}

describe('shrinking', () => {
  test.each([
    ['the first item', [0]],
    ['the last', [63]],
    ['one in the middle', [31]],
    ['a pair far apart', [0, 63]],
    ['a pair on both sides of the middle', [31, 32]],
    ['a few anywhere', [3, 17, 18, 40, 62]],
  ])('finds what is needed: %s', async (_, needed) => {
    expect((await shrunk(all(...needed))).kept).toEqual(needed);
  });

  test('finds what is needed of lists of every length', async () => {
    for (let length = 2; length < 20; length++) {
      const items = ITEMS.slice(0, length);
      const needed = [0, length - 1];
      expect((await shrunk(all(...needed), 1_000, items)).kept).toEqual(needed);
    }
  });

  test('leaves nothing where nothing is needed, and everything where all is', async () => {
    expect((await shrunk(() => true)).kept).toEqual([]);
    expect((await shrunk(() => false)).kept).toEqual(ITEMS);
  });

  test('leaves no single item that could be left out, where what is needed depends on what is there', async () => {
    // 10 is needed only while 20 is there, and one of 40 and 50 always
    const holds = (candidate: readonly number[]): boolean =>
      (candidate.includes(10) || !candidate.includes(20)) && (candidate.includes(40) || candidate.includes(50));
    const { kept } = await shrunk(holds);
    expect(holds(kept)).toBe(true);
    for (const left of kept) expect(holds(kept.filter((item) => item !== left))).toBe(false);
  });

  test('goes through single items again when one was left out, for another may be needless then', async () => {
    // the later of each pair is needed while the earlier one is there
    const holds = (candidate: readonly number[]): boolean =>
      all(1, 7)(candidate) && (!candidate.includes(5) || candidate.includes(6));
    expect((await shrunk(holds, 1_000, [1, 5, 6, 7])).kept).toEqual([1, 7]);
  });

  test('asks for parts of the list alone, in its order, and never for the whole of it', async () => {
    for (const needed of [[0], [5, 50], [1, 2, 3]]) {
      const { asked } = await shrunk(all(...needed));
      for (const candidate of asked) {
        expect(candidate.length).toBeLessThan(ITEMS.length);
        expect(candidate).toEqual(ITEMS.filter((item) => candidate.includes(item)));
      }
    }
  });

  test('asks no more often than it may, and gives the best it has', async () => {
    const { kept, asked } = await shrunk(all(20, 40), 3);
    expect(asked).toHaveLength(3);
    expect(kept.length).toBeLessThan(ITEMS.length);
    expect(all(20, 40)(kept)).toBe(true);
    expect(await shrunk(all(20), 0)).toEqual({ kept: ITEMS, asked: [] });
  });

  test('asks nothing of an empty list, and once of a single item', async () => {
    expect(await shrunk(() => true, 1_000, [])).toEqual({ kept: [], asked: [] });
    expect(await shrunk(() => false, 1_000, [1])).toEqual({ kept: [1], asked: [[]] });
  });

  test('is through soon: with a single item needed, in some dozens of questions', async () => {
    const { asked } = await shrunk(all(37));
    expect(asked.length).toBeLessThan(40);
  });
});
