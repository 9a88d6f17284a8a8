import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

import { simulate } from '../../src/testing/index.ts';
import { committed, hashOf, PINNED_SEEDS } from './pins.ts';

// where it has changed on purpose: npm run simulate -- --pin
describe('a history that is pinned', () => {
  test('is that of each pinned seed, and of no other', () => {
    expect(Object.keys(committed())).toEqual(PINNED_SEEDS.map(String));
  });

  test.each(PINNED_SEEDS)('is what seed %s comes to, on every machine', { timeout: 60_000 }, async (seed) => {
    const { history, breach } = await simulate({ seed, shrinkRuns: 0 });
    expect([breach, hashOf(history)]).toEqual([null, committed()[seed]]);
  });

  test(
    'is the same in another time zone, another language and another build of XState',
    { timeout: 60_000 },
    async () => {
      const [seed = 0] = PINNED_SEEDS;
      const command = ['--import', 'tsx', 'test/simulation/main.ts', '--seed', String(seed)];
      const env = { ...process.env, TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', NODE_ENV: 'production' };
      const { stdout } = await promisify(execFile)(process.execPath, command, { env, maxBuffer: 10_000_000 });
      expect(stdout).toContain(`history ${String(committed()[seed])}\n`);
    },
  );
});
