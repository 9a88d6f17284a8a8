import type { Scores } from './score.ts';

/** The scores of a connection from a time on, until the next point. */
export interface TrendPoint extends Pick<Scores, 'overall' | 'latency' | 'stability' | 'capacity'> {
  /** In ms since the epoch. */
  at: number;
}

/** Where a connection's health goes. */
export interface TrendDirection {
  /** `unknown` without anything to compare. */
  direction: 'improving' | 'degrading' | 'stable' | 'unknown';
  /** By how much overall is higher in the newer half than in the older, to a tenth; negative when it is lower. */
  change: number;
}

/** By how much overall has to differ between the halves: less is the noise of a busy network. */
const NOTABLE_CHANGE = 5;

// the last time that a Date can hold
const MAX_EPOCH_MS = 8.64e15;

// four scores are seven bits each of one number, the overall first: a smaller number is a worse point, and one that is unknown is the best
const UNKNOWN = 127;
const NOTHING = -1;

/**
 * The scores of one connection over time. A point that repeats the one before is not stored, and of those within one slot (a
 * `maxPoints`th of the window) the worst is: a short dip is seen, however small the chart.
 */
export class Trend {
  readonly #slotMs: number;
  readonly #maxPoints: number;
  // pairs of a time and packed scores, oldest first; without room to spare, for most connections stay as they are
  #pairs: number[] = [];
  // what holds now, where the last pair is a worse point of the same slot
  #latest = NOTHING;
  #known = 0;

  /** `windowMs` is how far back points are kept, and more than 0; `maxPoints` is how many there are at most, and 2 or more. */
  constructor(windowMs: number, maxPoints = 60) {
    this.#slotMs = Math.ceil(windowMs / maxPoints);
    this.#maxPoints = maxPoints;
  }

  /** Adds what holds from now on. The clock may have been set back: then points from the future are dropped. A time that is no date is ignored. */
  add(point: TrendPoint): void {
    const { at } = point;
    if (!isDate(at)) return;
    const scores = packed(point);
    if (point.overall !== null) this.#known += 1;
    this.#forgetAfter(at);
    this.#settle(at);
    const [lastAt, last] = this.#pairs.slice(-2);
    if (lastAt === undefined || last === undefined || this.#slotOf(lastAt) !== this.#slotOf(at)) {
      this.#hold(at, scores);
    } else if (scores >= last) {
      this.#latest = scores > last ? scores : NOTHING;
    } else {
      this.#latest = NOTHING;
      this.#pairs = this.#pairs.slice(0, -2);
      this.#hold(lastAt, scores);
    }
  }

  /** The points of the last `rangeMs`, oldest first; the first is what held when the range began. */
  points(at: number, rangeMs: number): TrendPoint[] {
    const from = at - (rangeMs > 0 ? rangeMs : 0);
    const pairs = this.#isDue(at) ? this.#with(this.#slotEnd(), this.#latest) : this.#pairs;
    const points: TrendPoint[] = [];
    for (let index = 0; index < pairs.length; index += 2) {
      const [start = 0, scores = 0, next = Infinity] = pairs.slice(index, index + 3);
      if (start <= at && next > from) points.push({ at: Math.max(start, from), ...unpacked(scores) });
    }
    return points;
  }

  /**
   * Compares the newer half of a range with the older, by the time-weighted means of overall, from where overall was first known.
   * More than {@link NOTABLE_CHANGE} is a direction. `unknown` before overall was known twice, or for no time in one of the halves.
   */
  directionAt(at: number, rangeMs: number): TrendDirection {
    const points = this.points(at, rangeMs);
    const first = points.find(({ overall }) => overall !== null);
    if (!first || this.#known < 2) return { direction: 'unknown', change: 0 };
    const middle = (first.at + at) / 2;
    const older = meanOf(points, first.at, middle);
    const newer = meanOf(points, middle, at);
    if (older === null || newer === null) return { direction: 'unknown', change: 0 };
    const change = Math.round((newer - older) * 10) / 10;
    if (Math.abs(change) <= NOTABLE_CHANGE) return { direction: 'stable', change };
    return { direction: change > 0 ? 'improving' : 'degrading', change };
  }

  // what held at the end of a slot holds in the next one
  #settle(at: number): void {
    if (!this.#isDue(at)) return;
    this.#hold(this.#slotEnd(), this.#latest);
    this.#latest = NOTHING;
  }

  #isDue(at: number): boolean {
    return this.#latest !== NOTHING && this.#slotEnd() <= at;
  }

  #hold(at: number, scores: number): void {
    if (scores !== this.#pairs.at(-1)) this.#pairs = this.#with(at, scores);
  }

  #with(at: number, scores: number): number[] {
    const pairs = this.#pairs.concat(at, scores);
    const from = at - this.#slotMs * this.#maxPoints;
    let first = Math.max(0, pairs.length - this.#maxPoints * 2);
    while ((pairs[first + 2] ?? Infinity) <= from) first += 2;
    return first > 0 ? pairs.slice(first) : pairs;
  }

  #forgetAfter(at: number): void {
    let end = this.#pairs.length;
    while (end > 0 && (this.#pairs[end - 2] ?? 0) > at) end -= 2;
    if (end === this.#pairs.length) return;
    this.#pairs = this.#pairs.slice(0, end);
    this.#latest = NOTHING;
  }

  #slotOf(at: number): number {
    return Math.floor(at / this.#slotMs);
  }

  #slotEnd(): number {
    return (this.#slotOf(this.#pairs.at(-2) ?? 0) + 1) * this.#slotMs;
  }
}

function meanOf(points: readonly TrendPoint[], from: number, until: number): number | null {
  let sum = 0;
  let coveredMs = 0;
  for (const [index, { at, overall }] of points.entries()) {
    const heldMs = Math.min(until, points[index + 1]?.at ?? Infinity) - Math.max(from, at);
    if (overall === null || heldMs <= 0) continue;
    sum += overall * heldMs;
    coveredMs += heldMs;
  }
  return coveredMs > 0 ? sum / coveredMs : null;
}

function packed({ overall, latency, stability, capacity }: TrendPoint): number {
  return [overall, latency, stability, capacity].reduce<number>((bits, score) => bits * 128 + clamped(score), 0);
}

function unpacked(bits: number): Omit<TrendPoint, 'at'> {
  const [overall, latency] = [bits >> 21, (bits >> 14) & 127].map((score) => (score === UNKNOWN ? null : score));
  return { overall: overall ?? null, latency: latency ?? null, stability: (bits >> 7) & 127, capacity: bits & 127 };
}

function clamped(score: number | null): number {
  if (score === null) return UNKNOWN;
  return score > 0 ? Math.min(100, Math.round(score)) : 0;
}

function isDate(at: number): boolean {
  return at >= 0 && at <= MAX_EPOCH_MS;
}
