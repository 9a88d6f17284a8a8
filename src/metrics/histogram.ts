/** One bucket: how many measurements were no more than its bound, those of the buckets below included. */
export interface Bucket {
  /** The last one's is `Infinity`. */
  readonly bound: number;
  readonly count: number;
}

/** Counts of measurements by size. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds Upper bounds, each included, from small to large. */
  constructor(bounds: readonly number[]) {
    this.#bounds = [...bounds, Infinity];
    this.#counts = this.#bounds.map(() => 0);
  }

  add(value: number): void {
    const index = this.#bounds.findIndex((bound) => value <= bound);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
  }

  get sum(): number {
    return this.#sum;
  }

  get buckets(): Bucket[] {
    let count = 0;
    return this.#bounds.map((bound, index) => ({ bound, count: (count += this.#counts[index] ?? 0) }));
  }
}
