import { afterEach, describe, expect, test, vi } from 'vitest';
import { CHANNEL_MUTATIONS } from './channel-mutations.ts';
import { learnClients } from './mutation.ts';
import { REFUSAL_MUTATIONS } from './refusal-mutations.ts';
import { run } from './run.ts';
import { WIRE_MUTATIONS } from './wire-mutations.ts';

const MUTATIONS = [...WIRE_MUTATIONS, ...REFUSAL_MUTATIONS, ...CHANNEL_MUTATIONS];

// a rule whose absence is not seen within so many runs is not checked
const MOST_SEEDS = 300;

describe('the check of the wire', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test.each(MUTATIONS)('sees that $what', { timeout: 120_000 }, async ({ shows, flaws, apply, what }) => {
    learnClients();
    apply?.();
    for (let seed = 1; seed <= MOST_SEEDS; seed++) {
      const { breach } = await run(seed, flaws);
      if (breach === null) continue;
      if (process.env['HOLDFAST_MODEL_TABLE']) process.stdout.write(`| ${what} | ${seed} | ${breach} |\n`);
      expect(breach).toMatch(shows);
      return;
    }
    expect.fail(`Nothing was seen in ${MOST_SEEDS} runs.`);
  });
});
