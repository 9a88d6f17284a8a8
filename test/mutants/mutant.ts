/** One rule of the code, broken. */
export interface Mutant {
  /** What is wrong then. */
  what: string;
  /** From the root of the repository. */
  file: string;
  /** The text that is replaced; it stands there once. */
  from: string;
  to: string;
  /** Beginnings of the paths of tests that are to see it. */
  tests: readonly string[];
}
