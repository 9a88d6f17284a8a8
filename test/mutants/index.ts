import { CORE_MUTANTS } from './core.ts';
import { MACHINE_MUTANTS } from './machines.ts';
import type { Mutant } from './mutant.ts';
import { RUNTIME_MUTANTS } from './runtime.ts';

export type { Mutant } from './mutant.ts';

/** Everything that is broken to see that it is seen. */
export const MUTANTS: readonly Mutant[] = [...MACHINE_MUTANTS, ...CORE_MUTANTS, ...RUNTIME_MUTANTS];
