import fc from 'fast-check';
import { expect, test } from 'vitest';

import { ByPosition } from '../../src/core/by-position.ts';

test('it is a Map whose keys are positions in ascending order, whatever is taken out when', () => {
  const step = fc.record({ gap: fc.constantFrom(1, 1, 1, 2, 7), out: fc.array(fc.nat(300), { maxLength: 4 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const own = new ByPosition<string>();
      const model = new Map<number, string>();
      let position = 0;
      for (const { gap, out } of steps) {
        position += gap;
        own.set(position, `at ${position}`);
        model.set(position, `at ${position}`);
        for (const back of out) {
          expect(own.get(position - back)).toBe(model.get(position - back));
          own.delete(position - back);
          model.delete(position - back);
        }
        expect(own.size).toBe(model.size);
        expect(own.lowest).toBe([...model.keys()][0]);
      }
      expect([...own]).toEqual([...model]);
    }),
  );
});

test('nothing is left once it is cleared, and it begins anew anywhere', () => {
  const own = new ByPosition<string>();
  own.set(5, 'five');
  own.clear();
  expect([own.size, own.get(5), own.lowest, [...own]]).toEqual([0, undefined, undefined, []]);
  own.set(3, 'three');
  expect([...own]).toEqual([[3, 'three']]);
});

test('what is taken out while it is gone through does not disturb that', () => {
  const own = new ByPosition<number>();
  for (let position = 1; position <= 200; position++) own.set(position, position);
  const seen: number[] = [];
  for (const [position] of own) {
    seen.push(position);
    own.delete(position);
  }
  expect(seen).toHaveLength(200);
  expect(own.size).toBe(0);
});
