/** Something the library promised, and whether it held. */
export interface Verdict {
  promise: string;
  held: boolean;
  /** The figures behind it; what went wrong if it did not hold. */
  detail: string;
}

export function verdict(promise: string, problems: readonly string[], figures: readonly string[]): Verdict {
  const held = problems.length === 0;
  return { promise, held, detail: (held ? figures : problems).join('; ') };
}

/** The problem of a figure that should be another; `null` for none. */
export function differ(what: string, actual: number, expected: number): string | null {
  return actual === expected ? null : `${what}: ${actual} instead of ${expected}`;
}
