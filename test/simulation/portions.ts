import { afterAll, beforeAll, expect, test } from 'vitest';

import { PLAYS, type PlayName } from './plays.ts';
import { Sights } from './sights.ts';

const RUNS = Number(process.env['HOLDFAST_MODEL_RUNS'] ?? 500);
const FIRST = Number(process.env['HOLDFAST_MODEL_SEED'] ?? 1);

// how many runs a test has: one that fails is told of soon, and a runner that waits sees that something moves
const PORTION = 250;
const LONGEST_RUN_MS = 1_000;

/** Tests that run a simulation with many seeds. `part`: which of so many files of them this is; each has as many seeds as there would be in one. */
export function keepEveryPromise(of: PlayName, part = 0): void {
  // errors are made by the thousand here, and nobody reads where
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  const begins = FIRST + part * RUNS;
  for (let first = begins; first < begins + RUNS; first += PORTION) {
    const last = Math.min(first + PORTION, begins + RUNS) - 1;
    test(`keep every promise with the seeds ${first} to ${last}`, { timeout: PORTION * LONGEST_RUN_MS }, async () => {
      for (let seed = first; seed <= last; seed++) {
        const { breach } = await PLAYS[of].run(seed, new Sights());
        if (breach !== null) expect.fail(await storyOf(of, seed));
      }
    });
  }
}

async function storyOf(of: PlayName, seed: number): Promise<string> {
  const { breach, history, again } = await PLAYS[of].tell(seed, {});
  const name = of === 'everything' ? '' : `--of ${of} `;
  return `${String(breach)}\n\nAgain: npm run simulate -- ${name}${again ?? `--seed ${seed}`}\n\n${history.split('\n').slice(-90).join('\n')}`;
}
