import { expect, test } from 'vitest';

import { Ownership } from '../../src/server/ownership.ts';

test('a write carries the generation, and its answer is the store’s', async () => {
  const ownership = new Ownership(3, () => undefined);
  expect(await ownership.write((gen) => Promise.resolve(gen * 2))).toBe(6);
  expect(await ownership.write(() => Promise.resolve('overflow' as const))).toBe('overflow');
});

test.each(['fenced', 'gone'] as const)('a write that is %s ends the ownership', async (answer) => {
  const lost: string[] = [];
  const ownership = new Ownership(1, (why) => lost.push(why));
  expect([await ownership.write(() => Promise.resolve(answer)), lost]).toEqual(['lost', [answer]]);
});

test('a write that a newer generation of this node has fenced is made again', async () => {
  const lost: string[] = [];
  const ownership = new Ownership(1, (why) => lost.push(why));
  const gens: number[] = [];
  const written = await ownership.write((gen) => {
    gens.push(gen);
    if (gen === 1) ownership.adopt(2);
    return Promise.resolve(gen === 1 ? ('fenced' as const) : null);
  });
  expect([written, gens, lost]).toEqual([null, [1, 2], []]);
});

test('a write waits until a change of the owner is decided', async () => {
  const ownership = new Ownership(1, () => undefined);
  const order: string[] = [];
  const changed = ownership.during(() => {
    order.push('changing');
    ownership.adopt(2);
    return Promise.resolve('done');
  });
  expect(ownership.isChanging).toBe(true);
  await ownership.write((gen) => {
    order.push(`written by ${gen}`);
    return Promise.resolve(null);
  });
  expect([await changed, order, ownership.isChanging]).toEqual(['done', ['changing', 'written by 2'], false]);
});

test('a change that fails changes nothing, and holds nothing up', async () => {
  const ownership = new Ownership(1, () => undefined);
  await expect(ownership.during(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
  expect(await ownership.write((gen) => Promise.resolve(gen))).toBe(1);
});

test('a generation is never given up for an older one', () => {
  const ownership = new Ownership(5, () => undefined);
  ownership.adopt(4);
  expect(ownership.gen).toBe(5);
});
