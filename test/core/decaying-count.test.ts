import { describe, expect, test } from 'vitest';

import { DecayingCount } from '../../src/core/decaying-count.ts';

describe('a decaying count', () => {
  test('is half after a half-life, and keeps the total', () => {
    const count = new DecayingCount(1_000);
    count.add(0);
    expect([count.valueAt(0), count.valueAt(1_000), count.total]).toEqual([1, 0.5, 1]);
  });
});
