import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from './run.ts';

const RUNS = Number(process.env['HOLDFAST_MODEL_RUNS'] ?? 500);
const FIRST = Number(process.env['HOLDFAST_MODEL_SEED'] ?? 1);

// how many runs a test has: one that fails is told of soon, and a runner that waits sees that something moves
const PORTION = 250;
const LONGEST_RUN_MS = 1_000;

describe('the client and the server over a network, a store and nodes that fail', () => {
  // errors are made by the thousand here, and nobody reads where
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  test.each([42, 7])('are the same again with the seed %i, to the last line', async (seed) => {
    const histories: string[] = [];
    const told = (history: string): unknown => histories.push(history);
    await run(seed, {}, { told });
    await run(seed, {}, { told });
    expect(histories[0]).toContain('from now on it is calm');
    expect(histories[1]).toBe(histories[0]);
  });

  for (let first = FIRST; first < FIRST + RUNS; first += PORTION) {
    const last = Math.min(first + PORTION, FIRST + RUNS) - 1;
    test(
      `keep every promise of the wire with the seeds ${first} to ${last}`,
      { timeout: PORTION * LONGEST_RUN_MS },
      async () => {
        for (let seed = first; seed <= last; seed++) {
          const { breach, tail } = await run(seed);
          if (breach !== null) expect.fail(`${breach}\n\n${again(seed)}\n\n${tail}`);
        }
      },
    );
  }
});

function again(seed: number): string {
  return `Again: npm run simulate -- --seed ${seed}`;
}
