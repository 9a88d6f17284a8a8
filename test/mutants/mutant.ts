/** A change of the code that breaks one rule. */
export interface Break {
  /** What is wrong then. */
  what: string;
  /** From the root of the repository. */
  file: string;
  /** The text that is replaced; it stands there once. */
  from: string;
  to: string;
}

/** One rule of the code, broken. */
export interface Mutant extends Break {
  /** Beginnings of the paths of tests that are to see it. */
  tests: readonly string[];
}

/** A test that sees what must not be, in whatever way it came to be. */
export interface Hazard {
  /** From the root of the repository. */
  file: string;
  title: string;
}

/**
 * Rules each of which keeps the same thing out, so that the loss of one is hidden by the others: the hazard must be kept out by each of
 * them with all others broken, and seen with all of them broken.
 */
export interface Masked {
  hazard: Hazard;
  guards: readonly Break[];
}
