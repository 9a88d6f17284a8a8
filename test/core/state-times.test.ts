import { describe, expect, test } from 'vitest';

import { StateTimes } from '../../src/core/state-times.ts';

describe('the times in states', () => {
  test('are empty before the first', () => {
    expect(new StateTimes(1_000).summary(0)).toEqual({ byState: {}, uptimeRatio: null, windowMs: 1_000 });
  });
});
