import { FAULTS as EVERYTHING, strikesIn, type FaultKind } from '../../src/testing/faults.ts';
import { simulate, type SimulateOptions } from '../../src/testing/simulate.ts';
import { run } from './run.ts';
import type { Sights } from './sights.ts';
import { FAULTS as OF_THE_WIRE } from './world.ts';

/** What came of one seed. */
export interface Result {
  seed: number;
  breach: string | null;
  /** What might go wrong. */
  faults: readonly string[];
  virtualMs: number;
  /** How often each fault struck, by name, where that is counted. */
  strikes?: Partial<Record<string, number>>;
}

/** What a run has less than its seed draws. */
export type Again = Pick<SimulateOptions, 'faults' | 'steps'>;

/** A simulation that is run with many seeds. */
export interface Play {
  /** Its faults, by name. */
  faults: readonly string[];
  /** What it is, after "the real client and the real server". */
  what: string;
  /** Where what came of it is written down, in visualizations/. */
  kept: string;
  run: (seed: number, sights: Sights) => Promise<Result>;
  /** The same, told: the history, and how to have it again. */
  tell: (seed: number, options: Again) => Promise<Result & { history: string; again: string | null }>;
}

/** The simulations: the one that users have, of everything; and one that sees every frame of `holdfast.v1`, and every call of the store. */
export const PLAYS = {
  everything: {
    faults: EVERYTHING,
    what: 'on both wires, over a network, a store and a device that fail',
    kept: 'simulation.md',
    run: async (seed, sights) => {
      const simulation = await simulate({ seed, shrinkRuns: 0 });
      sights.read(simulation.audit);
      return { ...simulation, strikes: strikesIn(simulation.history) };
    },
    tell: async (seed, options) => {
      const simulation = await simulate({ seed, ...options });
      const { again, shrunk } = simulation;
      return { ...(shrunk ?? simulation), again: again && commandOf(again) };
    },
  },
  wire: {
    faults: OF_THE_WIRE,
    what: 'on holdfast.v1, with every frame and every call of the store held to the protocol',
    kept: 'simulation-wire.md',
    run: (seed, sights) =>
      run(
        seed,
        {},
        {
          heard: (turn) => {
            sights.take(turn);
          },
        },
      ),
    tell: async (seed) => {
      let history = '';
      const result = await run(seed, {}, { told: (text) => (history = text) });
      return { ...result, history, again: null };
    },
  },
} satisfies Record<string, Play>;

export type PlayName = keyof typeof PLAYS;

function commandOf({ seed, faults = [], steps = [] }: Again & { seed: number }): string {
  const listOf = (items: readonly (FaultKind | number)[]): string => `'${items.join(',') || 'none'}'`;
  return `--seed ${seed} --faults ${listOf(faults)} --steps ${listOf(steps)}`;
}
