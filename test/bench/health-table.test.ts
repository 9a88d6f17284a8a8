import { expect, describe, test } from 'vitest';

import type { Sighting } from '../../bench/health-course.ts';
import { figuresOf, rowOf } from '../../bench/health-table.ts';

const sighting: Sighting = {
  truthMs: 20,
  p50Ms: 21,
  maxMs: 40,
  smoothed: [25, 22],
  samples: 2,
  degradedMs: 2_500,
  givenUpMs: 10_000,
  openMs: 200,
  flaps: 0,
  grade: 'healthy',
};

describe('a table of links', () => {
  test('has how far the median is off the truth, the last smoothed round trip, and seconds', () => {
    expect(figuresOf(sighting)).toEqual({
      truthMs: 20,
      p50Ms: 21,
      offPercent: 5,
      smoothedMs: 22,
      degradedS: 2.5,
      givenUpS: 10,
      openS: 0.2,
      flaps: 0,
    });
  });

  test('has nothing for what was not measured or did not happen', () => {
    const blind = figuresOf({ ...sighting, p50Ms: null, smoothed: [], givenUpMs: null });
    expect(blind).toMatchObject({ p50Ms: null, offPercent: null, smoothedMs: null, givenUpS: null });
  });

  test('takes each figure from the runs that have it, and counts those that were given up and those that are well', () => {
    const { values } = rowOf('a link', [
      sighting,
      { ...sighting, givenUpMs: 14_000, flaps: 2 },
      { ...sighting, givenUpMs: null, openMs: null, grade: 'critical' },
    ]);
    expect(values['givenUpS']).toEqual({ median: 12, least: 10, most: 14 });
    expect(values['flaps']).toEqual({ median: 0, least: 0, most: 2 });
    expect(values['givenUp']?.median).toBe(2);
    expect(values['healthy']?.median).toBe(2);
  });

  test('has no cell where no run has the figure', () => {
    const { name, values } = rowOf('a link', [{ ...sighting, degradedMs: null }]);
    expect(name).toBe('a link');
    expect(values).not.toHaveProperty('degradedS');
  });
});
