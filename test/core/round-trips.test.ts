import { describe, expect, test } from 'vitest';

import { RoundTrips } from '../../src/core/round-trips.ts';

describe('round trips', () => {
  test('are unknown before the first', () => {
    expect(new RoundTrips().summary).toBeNull();
  });
});
