/**
 * A count that forgets: what was counted one half-life ago counts half. So a trouble weighs while it is recent, and is
 * over without anything having to be reset.
 */
export class DecayingCount {
  readonly #halfLifeMs: number;
  #value = 0;
  // as of when #value holds
  #at = 0;
  #total = 0;

  /** `halfLifeMs` is more than 0. */
  constructor(halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs;
  }

  /** How many were ever counted. */
  get total(): number {
    return this.#total;
  }

  /** Counts one. `at` in ms; a time that is none is taken for the last. */
  add(at: number): void {
    this.#value = this.valueAt(at) + 1;
    if (Number.isFinite(at)) this.#at = at;
    this.#total += 1;
  }

  /** What is left of the count. A clock that was set back gives nothing, and takes nothing. */
  valueAt(at: number): number {
    const passedMs = Number.isFinite(at) ? Math.max(0, at - this.#at) : 0;
    return this.#value * 2 ** (-passedMs / this.#halfLifeMs);
  }
}
