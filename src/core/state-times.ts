/** How a connection has spent its time of late. */
export interface StateTimesSummary {
  /** The time in each state within the window, in whole ms. States that had none are left out. */
  byState: Readonly<Record<string, number>>;
  /**
   * The part of the time that the application wanted a connection in which it had one: open and degraded, of those and
   * connecting, backoff and failed. From 0 to 1; `null` while there was no such time.
   */
  uptimeRatio: number | null;
  windowMs: number;
}

/** How many stays are kept exactly. */
const KEPT_STAYS = 100;

const UP: readonly string[] = ['open', 'degraded'];
// idle, closing and closed are what the application itself wished for
const DOWN: readonly string[] = ['connecting', 'backoff', 'failed'];

interface Merged {
  from: number;
  until: number;
  times: ReadonlyMap<string, number>;
}

/**
 * The time in each state, within a sliding window.
 *
 * The last 100 stays are kept as they were. Older ones are merged into one span, which counts as if its states had
 * been spread evenly over it: the sums are exact until the window begins to leave the span, and off by no more than what is left of it then.
 */
export class StateTimes {
  readonly #windowMs: number;
  // #states[n] was entered at #starts[n] and left at #starts[n + 1]; the last has not been left
  #states: string[] = [];
  #starts: number[] = [];
  #merged: Merged | null = null;

  /** `windowMs` is more than 0. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Notes that a state was entered. `at` in ms; a time that is none is taken for the last. */
  enter(state: string, at: number): void {
    const now = Number.isFinite(at) ? at : (this.#starts.at(-1) ?? 0);
    this.#forgetAfter(now);
    if (this.#states.at(-1) === state) return;
    this.#forgetBefore(now - this.#windowMs);
    if (this.#states.length >= KEPT_STAYS) this.#mergeOldest(now);
    // a push would leave room for 16 more, and most connections stay open for hours
    this.#states = this.#states.concat(state);
    this.#starts = this.#starts.concat(now);
  }

  summary(at: number): StateTimesSummary {
    const lastAt = this.#starts.at(-1) ?? 0;
    const now = Number.isFinite(at) ? Math.max(at, lastAt) : lastAt;
    const from = now - this.#windowMs;
    const times = mergedTimes(this.#merged, from);
    let leftMs = this.#windowMs - sumOf(times, [...times.keys()]);
    for (const [index, state] of this.#states.entries()) {
      // where a clock is so far on that it no longer tells milliseconds apart, differences of its times are rounded up as well
      const stayMs = Math.min(leftMs, (this.#starts[index + 1] ?? now) - Math.max(from, this.#starts[index] ?? now));
      if (stayMs <= 0) continue;
      spend(times, state, stayMs);
      leftMs -= stayMs;
    }
    const upMs = sumOf(times, UP);
    const wantedMs = upMs + sumOf(times, DOWN);
    return {
      byState: Object.fromEntries([...times].map(([state, ms]) => [state, Math.round(ms)])),
      uptimeRatio: wantedMs > 0 ? upMs / wantedMs : null,
      windowMs: this.#windowMs,
    };
  }

  // a clock that was set back: what is to come has not been
  #forgetAfter(at: number): void {
    let kept = this.#starts.length;
    while (kept > 0 && (this.#starts[kept - 1] ?? 0) > at) kept -= 1;
    if (kept < this.#starts.length) {
      this.#states = this.#states.slice(0, kept);
      this.#starts = this.#starts.slice(0, kept);
    }
    if (this.#merged && this.#merged.until > at) this.#merged = null;
  }

  #forgetBefore(at: number): void {
    const left = this.#starts.findIndex((_, index) => (this.#starts[index + 1] ?? Infinity) > at);
    if (left > 0) {
      this.#states = this.#states.slice(left);
      this.#starts = this.#starts.slice(left);
    }
    if (this.#merged && this.#merged.until <= at) this.#merged = null;
  }

  #mergeOldest(at: number): void {
    const [state = '', ...states] = this.#states;
    const [start = at, ...starts] = this.#starts;
    const until = starts[0] ?? at;
    const from = at - this.#windowMs;
    const times = mergedTimes(this.#merged, from);
    spend(times, state, until - Math.max(start, from));
    this.#merged = { from: Math.max(this.#merged?.from ?? start, from), until, times };
    this.#states = states;
    this.#starts = starts;
  }
}

/** What is left of a merged span in a window that begins at `from`. */
function mergedTimes(merged: Merged | null, from: number): Map<string, number> {
  if (!merged || merged.until <= from) return new Map();
  const share = merged.from >= from ? 1 : (merged.until - from) / (merged.until - merged.from);
  return new Map([...merged.times].map(([state, ms]) => [state, ms * share]));
}

function spend(times: Map<string, number>, state: string, ms: number): void {
  times.set(state, (times.get(state) ?? 0) + ms);
}

function sumOf(times: ReadonlyMap<string, number>, states: readonly string[]): number {
  return states.reduce((sum, state) => sum + (times.get(state) ?? 0), 0);
}
