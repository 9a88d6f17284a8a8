import { expect, test } from 'vitest';

import { perTime } from '../../bench/health-cost.ts';

test('what an idle connection costs is told by the hour, by the minute and in kilobytes', () => {
  expect(perTime({ cpuMicros: 500, wireBytes: 100, heapBytes: 2_048 }, 50_000)).toEqual({
    cpuMillis: 36,
    bytesPerMinute: 120,
    heapKilobytes: 2,
  });
});
