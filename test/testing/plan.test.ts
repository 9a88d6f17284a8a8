import { describe, expect, test } from 'vitest';

import { FAULTS, STRIKING } from '../../src/testing/faults.ts';
import { halfOf, planOf } from '../../src/testing/plan.ts';

const options = { seed: 7, faults: FAULTS, durationMs: 90_000 };

describe('a plan', () => {
  test('is a function of its options', () => {
    expect(planOf(options)).toEqual(planOf(options));
    expect(planOf({ ...options, seed: 8 }).steps).not.toEqual(planOf(options).steps);
  });

  test('has 3 to 25 faults, all before the last third, and talk to the end', () => {
    const counts = new Set<number>();
    let lastTalk = 0;
    for (let seed = 1; seed <= 500; seed++) {
      const { steps, calmAt } = planOf({ ...options, seed });
      const faults = steps.filter(({ what }) => STRIKING.includes(what as never));
      counts.add(faults.length);
      expect(Math.max(...faults.map(({ at }) => at))).toBeLessThan(calmAt);
      lastTalk = Math.max(lastTalk, ...steps.map(({ at }) => at));
    }
    expect([Math.min(...counts), Math.max(...counts)]).toEqual([3, 25]);
    expect(lastTalk).toBeGreaterThan(85_000);
  });

  test('lets half of the faults strike soon after somebody has sent something', () => {
    let soon = 0;
    let all = 0;
    for (let seed = 1; seed <= 200; seed++) {
      let talkedAt = -Infinity;
      for (const { at, what } of planOf({ ...options, seed }).steps) {
        if (!STRIKING.includes(what as never)) talkedAt = at;
        else {
          all += 1;
          soon += at - talkedAt <= 150 ? 1 : 0;
        }
      }
    }
    expect(soon / all).toBeGreaterThan(0.5);
    expect(soon / all).toBeLessThan(0.65);
  });

  test('numbers its steps from 1 in the order of time, and gives each a chance of its own', () => {
    const { steps } = planOf(options);
    expect(steps.map(({ number }) => number)).toEqual(steps.map((_, index) => index + 1));
    expect(steps.map(({ at }) => at)).toEqual(steps.map(({ at }) => at).sort((one, other) => one - other));
    expect(new Set(steps.map(({ seed }) => seed)).size).toBe(steps.length);
  });

  test('draws the same steps whichever of the lasting faults there are', () => {
    const lasting = FAULTS.filter((kind) => !STRIKING.includes(kind as never));
    const without = planOf({ ...options, faults: STRIKING });
    expect(without.steps).toEqual(planOf(options).steps);
    expect([[...without.traits], [...planOf(options).traits]]).toEqual([[], lasting]);
  });

  test('has only the faults that it is given, and none without any', () => {
    const { steps } = planOf({ ...options, faults: ['cuts'] });
    const isTalk = (what: string): boolean => what.endsWith('sends');
    expect(new Set(steps.map(({ what }) => what).filter((what) => !isTalk(what)))).toEqual(new Set(['cuts']));
    expect(planOf({ ...options, faults: [] }).steps.every(({ what }) => isTalk(what))).toBe(true);
  });
});

test('a seed switches off about half of the faults, another half each time', () => {
  const halves = Array.from({ length: 200 }, (_, seed) => halfOf(FAULTS, seed));
  const mean = halves.reduce((sum, { length }) => sum + length, 0) / halves.length;
  expect(mean / FAULTS.length).toBeCloseTo(0.5, 1);
  for (const kind of FAULTS) {
    const count = halves.filter((half) => half.includes(kind)).length;
    expect([kind, count > 60 && count < 140]).toEqual([kind, true]);
  }
  expect(halfOf(FAULTS, 3)).toEqual(halves[3]);
});
