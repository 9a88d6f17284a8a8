/** What a connection has carried since it was made; or, of {@link Rates}, carries in a second. */
export interface Totals {
  messagesOut: number;
  messagesIn: number;
  bytesOut: number;
  bytesIn: number;
}

export interface RatesOptions {
  /** Over which time rates are taken. More than 0. @default 60_000 */
  windowMs?: number;
  /** In how many steps old traffic leaves the window. @default 12 */
  buckets?: number;
}

// a mark is the start of a bucket and the four totals as of then
const MARK = 5;

// what came in less time than this is not extrapolated to a second
const LEAST_MS = 1_000;

/**
 * The traffic of a connection per second, over a sliding window. Totals are kept elsewhere and only ever grow, whatever becomes of the
 * sockets; here is noted what they were when each bucket of the window began. So a reconnect divides nothing by the
 * short life of a new socket, and what left the window is gone.
 */
export class Rates {
  readonly #windowMs: number;
  readonly #bucketMs: number;
  // the bucket of the last note
  #from = 0;
  #until = 0;
  #since = Infinity;
  // of buckets with traffic only, oldest first, and without room to spare
  #marks: number[] = [];

  constructor({ windowMs = 60_000, buckets = 12 }: RatesOptions = {}) {
    this.#windowMs = windowMs;
    this.#bucketMs = windowMs / buckets;
  }

  /** Is called before each frame is counted, and once when counting begins: `totals` are those without the frame. `at` in ms. */
  note(at: number, totals: Readonly<Totals>): void {
    if (at >= this.#from && at < this.#until) return;
    if (isTime(at)) this.#begin(at, totals);
  }

  /** The mean over the window, or over the time since the first note while that is shorter, but no less than a second. */
  perSecond(at: number, totals: Readonly<Totals>): Totals {
    const now = isTime(at) ? Math.max(at, this.#from) : this.#from;
    const start = this.#windowStart(now);
    const seconds = Math.max(LEAST_MS, now - Math.max(start, this.#since)) / 1_000;
    const mark = this.#markFrom(start);
    // without a mark, nothing was noted in the window
    const rate = (total: number, field: number): number => {
      const carried = total - (this.#marks[mark + field] ?? total);
      return carried > 0 && carried < Infinity ? carried / seconds : 0;
    };
    return {
      messagesOut: rate(totals.messagesOut, 1),
      messagesIn: rate(totals.messagesIn, 2),
      bytesOut: rate(totals.bytesOut, 3),
      bytesIn: rate(totals.bytesIn, 4),
    };
  }

  #begin(at: number, { messagesOut, messagesIn, bytesOut, bytesIn }: Readonly<Totals>): void {
    this.#from = Math.floor(at / this.#bucketMs) * this.#bucketMs;
    this.#until = this.#from + this.#bucketMs;
    this.#since = Math.min(this.#since, at);
    const first = this.#markFrom(this.#windowStart(at));
    // a clock that was set back: what is to come has not been
    let end = this.#marks.length;
    while (end > first && (this.#marks[end - MARK] ?? 0) > this.#from) end -= MARK;
    const kept = this.#marks.slice(first, end);
    const isMarked = kept[kept.length - MARK] === this.#from;
    this.#marks = isMarked ? kept : kept.concat(this.#from, messagesOut, messagesIn, bytesOut, bytesIn);
  }

  // whole buckets only: one that is half outside would count in full, or not at all
  #windowStart(at: number): number {
    return (Math.floor((at - this.#windowMs) / this.#bucketMs) + 1) * this.#bucketMs;
  }

  /** Where the marks of the time from `start` on begin. */
  #markFrom(start: number): number {
    let mark = 0;
    while (mark < this.#marks.length && (this.#marks[mark] ?? 0) < start) mark += MARK;
    return mark;
  }
}

// beyond, one bucket cannot be told from the next
function isTime(at: number): boolean {
  return Math.abs(at) <= Number.MAX_SAFE_INTEGER;
}
