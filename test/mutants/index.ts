import { CORE_MUTANTS } from './core.ts';
import { MACHINE_MUTANTS } from './machines.ts';
import type { Mutant } from './mutant.ts';
import { RUNTIME_MUTANTS } from './runtime.ts';
import { SERVER_MUTANTS } from './server.ts';
import { SIMULATION_MUTANTS } from './simulation.ts';

export type { Break, Masked, Mutant } from './mutant.ts';
export { MASKED } from './pairs.ts';

/** Everything that is broken to see that it is seen. */
export const MUTANTS: readonly Mutant[] = [
  ...MACHINE_MUTANTS,
  ...CORE_MUTANTS,
  ...RUNTIME_MUTANTS,
  ...SERVER_MUTANTS,
  ...SIMULATION_MUTANTS,
];
