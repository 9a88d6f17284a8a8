import { expect, test } from 'vitest';

import { platformClock } from '../../src/server/clock.ts';

test('the platform’s clock tells its time, and calls once', async () => {
  expect(Math.abs(platformClock.now() - Date.now())).toBeLessThan(60_000);
  await new Promise<void>((resolve) => platformClock.setTimeout(resolve, 0));
});

test('the platform’s clock does not call what was taken back', async () => {
  const called: string[] = [];
  platformClock.clearTimeout(platformClock.setTimeout(() => called.push('taken back'), 0));
  platformClock.clearTimeout(undefined);
  await new Promise<void>((resolve) => platformClock.setTimeout(resolve, 1));
  expect(called).toEqual([]);
});
