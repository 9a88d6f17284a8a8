import { expect, test } from 'vitest';

import { aheadBy } from '../../bench/browser/clock.ts';

test('a clock is set by the reading that took the least time', () => {
  const readings = [
    { asked: 0, said: 1_900, answered: 1_000 },
    { asked: 2_000, said: 3_110, answered: 2_200 },
    { asked: 3_000, said: 4_700, answered: 3_400 },
  ];
  expect(aheadBy(readings)).toEqual({ ahead: 1_010, error: 100 });
});

test('a clock that nobody read is not set', () => {
  expect(() => aheadBy([])).toThrow('The clock was not read.');
});
