/** What the round trips of a connection tell. Times in ms, to a hundredth. */
export interface RoundTripSummary {
  lastMs: number;
  /** The smoothed round trip (SRTT) and its mean deviation (RTTVAR), as RFC 6298 section 2 has them. */
  smoothedMs: number;
  variationMs: number;
  /** Of all samples. */
  minMs: number;
  maxMs: number;
  /** By nearest rank, of the last 100 samples. */
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  /** The mean difference between one sample and the next, of the last 100 samples; 0 with one. */
  jitterMs: number;
  /** How many there were in all. */
  samples: number;
}

/** How many samples percentiles and jitter are taken from. */
const KEPT_SAMPLES = 100;

// no link is this slow: the clock was changed, or the computer slept
const MAX_ROUND_TRIP_MS = 3_600_000;

/**
 * The round trips of one connection. A sample that cannot be true (negative, not finite, more than an hour) is ignored.
 *
 * Source: RFC 6298, section 2.
 */
export class RoundTrips {
  // the newest samples: a ring once it is full. Grown without room to spare: most connections are idle
  #ring: number[] = [];
  #samples = 0;
  #smoothedMs = 0;
  #variationMs = 0;
  #minMs = 0;
  #maxMs = 0;

  add(ms: number): void {
    if (!(ms >= 0 && ms <= MAX_ROUND_TRIP_MS)) return;
    const sampleMs = rounded(ms);
    const isFirst = this.#samples === 0;
    // the deviation is taken from the estimate of before
    this.#variationMs = isFirst ? sampleMs / 2 : mixed(this.#variationMs, Math.abs(this.#smoothedMs - sampleMs), 1 / 4);
    this.#smoothedMs = isFirst ? sampleMs : mixed(this.#smoothedMs, sampleMs, 1 / 8);
    this.#minMs = isFirst ? sampleMs : Math.min(this.#minMs, sampleMs);
    this.#maxMs = Math.max(this.#maxMs, sampleMs);
    if (this.#ring.length < KEPT_SAMPLES) this.#ring = this.#ring.concat(sampleMs);
    else this.#ring[this.#samples % KEPT_SAMPLES] = sampleMs;
    this.#samples += 1;
  }

  /** A copy of what is known; `null` before the first sample. Sorts up to 100 numbers. */
  get summary(): RoundTripSummary | null {
    const lastMs = this.#ring[(this.#samples - 1) % KEPT_SAMPLES];
    if (lastMs === undefined) return null;
    const ascending = [...this.#ring].sort((one, other) => one - other);
    return {
      lastMs,
      smoothedMs: rounded(this.#smoothedMs),
      variationMs: rounded(this.#variationMs),
      minMs: this.#minMs,
      maxMs: this.#maxMs,
      p50Ms: percentile(ascending, 50),
      p95Ms: percentile(ascending, 95),
      p99Ms: percentile(ascending, 99),
      jitterMs: rounded(this.#jitterMs()),
      samples: this.#samples,
    };
  }

  #jitterMs(): number {
    const kept = this.#ring.length;
    const oldest = kept < KEPT_SAMPLES ? 0 : this.#samples % KEPT_SAMPLES;
    let sumMs = 0;
    for (let step = 1; step < kept; step++) {
      const [before = 0, after = 0] = [this.#ring[(oldest + step - 1) % kept], this.#ring[(oldest + step) % kept]];
      sumMs += Math.abs(after - before);
    }
    return kept > 1 ? sumMs / (kept - 1) : 0;
  }
}

function percentile(ascending: readonly number[], percent: number): number {
  return ascending[Math.ceil((percent * ascending.length) / 100) - 1] ?? 0;
}

function mixed(estimate: number, sample: number, weight: number): number {
  return estimate + (sample - estimate) * weight;
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
