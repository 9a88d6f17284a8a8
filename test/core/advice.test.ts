import { describe, expect, test } from 'vitest';

import { adviceOn, type AdviceFacts } from '../../src/core/advice.ts';

const fresh: AdviceFacts = {
  roundTrips: null,
  slowMs: 500,
  troubles: { losses: 0, missedPongs: 0, failedAttempts: 0, errors: 0 },
  backlog: { messages: 0, bytes: 0, maxMessages: 1_000, maxBytes: 1_000_000, oldestMs: 0 },
  isOpen: true,
  hasEvidence: false,
  dropped: 0,
  openMs: 1_000,
  downMs: 0,
  canPing: true,
  grade: 'unknown',
  uptimeRatio: null,
};

describe('advice', () => {
  test('is none on a new connection', () => {
    expect(adviceOn(fresh)).toEqual([]);
  });
});
