import { Chance } from './chance.ts';
import { STRIKING, type FaultKind } from './faults.ts';
import { TRAITS, type Trait } from './stage.ts';

/** Something that is done at one moment of a run. */
export interface Step {
  /** In the whole plan, from 1: a step keeps it when others are left out. */
  number: number;
  /** In ms of the run. */
  at: number;
  /** A fault, or what the applications do. */
  what: (typeof STRIKING)[number] | 'the client sends' | 'the server sends';
  /** Of its own chance: what it does depends on no other step. */
  seed: number;
}

/** What happens in one run. */
export interface Plan {
  steps: readonly Step[];
  /** What may go wrong. */
  faults: readonly FaultKind[];
  /** The part of it that is so from the beginning on. */
  traits: ReadonlySet<Trait>;
  /** Of everything that is drawn beside the steps. */
  seed: number;
  /** From then on nothing goes wrong, in ms of the run. */
  calmAt: number;
  durationMs: number;
  /** When the client is destroyed in the middle of it all, in ms of the run; `null`: when everything is over. */
  abruptAt: number | null;
}

export interface PlanOptions {
  seed: number;
  /** What may go wrong. */
  faults: readonly FaultKind[];
  durationMs: number;
}

const FAULTS = { least: 3, most: 25 };
// how likely it is that the end comes at any moment
const ABRUPTLY = 0.2;
const TALKS = { least: 20, most: 60 };
// what something strikes while it is on its way is harmed most
const SOON_MS = 150;

/** Draws a plan: it is a function of its options. The last third of it is calm. */
export function planOf({ seed, faults, durationMs }: PlanOptions): Plan {
  const chance = new Chance(seed * 7_919);
  const calmAt = (durationMs * 2) / 3;
  const striking = STRIKING.filter((kind) => faults.includes(kind));
  const strikes = striking.length > 0 ? Math.floor(chance.between(FAULTS.least, FAULTS.most + 1)) : 0;
  const talks = Math.floor(chance.between(TALKS.least, TALKS.most + 1));
  const said = Array.from({ length: talks }, () => ({
    at: chance.between(0, durationMs),
    what: chance.pick(['the client sends', 'the server sends'] as const),
  }));
  const early = said.filter(({ at }) => at < calmAt - SOON_MS);
  const struck = Array.from({ length: strikes }, () => ({
    at:
      early.length > 0 && chance.happens(0.5)
        ? chance.pick(early).at + chance.between(0, SOON_MS)
        : chance.between(0, calmAt),
    what: chance.pick(striking),
  }));
  const steps = [...struck, ...said]
    .sort((one, other) => one.at - other.at)
    .map((step, index) => ({ ...step, number: index + 1, seed: Math.floor(chance.draw() * 2 ** 32) }));
  const traits = new Set(TRAITS.filter((kind) => faults.includes(kind)));
  const own = Math.floor(chance.draw() * 2 ** 32);
  const abruptAt = chance.happens(ABRUPTLY) ? chance.between(0, durationMs) : null;
  return { steps, faults, traits, seed: own, calmAt, durationMs, abruptAt };
}

/** Half of the faults, drawn by a seed: what is missing gives what is there the room to do harm. */
export function halfOf(faults: readonly FaultKind[], seed: number): FaultKind[] {
  return new Chance(seed * 104_729).half(faults);
}
