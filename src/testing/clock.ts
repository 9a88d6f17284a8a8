const MAX_DELAY_MS = 2 ** 31 - 1;
const MAX_FIRINGS_AT_ONCE = 100_000;
// enough turns of the microtask queue for a promise that resolves through a few others
const DRAIN_TURNS = 20;

interface Timer {
  id: number;
  dueAt: number;
  fire: () => void;
}

/**
 * A clock that moves only when it is told to, for the `clock` of a service, of a server and of an audit log.
 *
 * XState's own SimulatedClock jumps to the end first and fires then, so that a timer set by a timer starts too late. This
 * one steps from deadline to deadline: whatever is due within one advance fires within it, in order, at its own time.
 */
export class SimulatedClock {
  #nowMs: number;
  #nextId = 1;
  #isAdvancing = false;
  #firedAt = -Infinity;
  #firings = 0;
  readonly #timers = new Map<number, Timer>();
  // a heap of them by time and order; those that were cleared are passed over when they come to its top
  readonly #heap: Timer[] = [];

  /**
   * @param startMs In ms since the epoch. Default: the beginning of 2026.
   * @throws {RangeError} For what is no time.
   */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    refuseNonsense(startMs);
    this.#nowMs = startMs;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#nowMs;
  }

  /** @throws RangeError for a delay that a platform would not keep but turn into 1 ms. */
  setTimeout(fire: () => void, ms: number): number {
    if (!(ms >= 0 && ms <= MAX_DELAY_MS)) throw new RangeError(`No timer can wait ${ms} ms.`);
    const timer = { id: this.#nextId++, dueAt: this.#nowMs + ms, fire };
    this.#timers.set(timer.id, timer);
    this.#rise(timer);
    return timer.id;
  }

  clearTimeout(id: number | undefined): void {
    if (id !== undefined) this.#timers.delete(id);
  }

  /** How many timers have been set and neither fired nor cleared. */
  pending(): number {
    return this.#timers.size;
  }

  /** How long until the next timer is due, 0 when it is overdue; `null` without any. */
  untilNextMs(): number | null {
    const next = this.#next();
    return next && Math.max(0, next.dueAt - this.#nowMs);
  }

  /**
   * Moves time on and fires what falls due on the way, timers set meanwhile included. Promises settle only after it: a service needs {@link SimulatedClock.advanceAsync}.
   *
   * @throws {RangeError} For what is no time that passes.
   * @throws {Error} When timers set each other for ever, at one moment.
   */
  advance(ms: number): void {
    refuseNonsense(ms);
    const end = this.#nowMs + ms;
    while (this.#fireNext(end));
    this.#reach(end);
  }

  /**
   * The same, with the microtasks drained before, between and after the deadlines.
   *
   * @throws {RangeError} Rejects for what is no time that passes.
   * @throws {Error} Rejects when timers set each other for ever at one moment, and while it is at work already, unless for 0 ms: time passes once.
   */
  async advanceAsync(ms: number): Promise<void> {
    refuseNonsense(ms);
    const isOutermost = !this.#isAdvancing;
    if (!isOutermost && ms > 0) throw new Error('The clock is advancing already: wait for that first.');
    this.#isAdvancing = true;
    try {
      const end = this.#nowMs + ms;
      await drainMicrotasks();
      while (this.#fireNext(end)) await drainMicrotasks();
      this.#reach(end);
    } finally {
      if (isOutermost) this.#isAdvancing = false;
    }
  }

  /**
   * Time passes and nothing fires, as on a machine asleep. What fell due fires late, with the next advance.
   *
   * @throws {RangeError} For what is no time that passes.
   */
  sleep(ms: number): void {
    refuseNonsense(ms);
    this.#nowMs += ms;
  }

  #fireNext(end: number): boolean {
    const timer = this.#next();
    if (!timer || timer.dueAt > end) return false;
    this.#sink();
    this.#timers.delete(timer.id);
    this.#refuseEndless(timer.dueAt);
    this.#reach(timer.dueAt);
    timer.fire();
    return true;
  }

  // what fires may have moved time on as well
  #reach(time: number): void {
    this.#nowMs = Math.max(this.#nowMs, time);
  }

  #refuseEndless(at: number): void {
    this.#firings = at > this.#firedAt ? 0 : this.#firings + 1;
    this.#firedAt = Math.max(at, this.#firedAt);
    if (this.#firings >= MAX_FIRINGS_AT_ONCE)
      throw new Error(`${MAX_FIRINGS_AT_ONCE} timers fired at one moment: they set each other for ever.`);
  }

  #next(): Timer | null {
    for (;;) {
      const [top] = this.#heap;
      if (!top || this.#timers.has(top.id)) return top ?? null;
      this.#sink();
    }
  }

  #rise(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    for (; at > 0; at = (at - 1) >> 1) {
      const parent = heap[(at - 1) >> 1] as Timer;
      if (isSooner(parent, timer)) break;
      heap[at] = parent;
    }
    heap[at] = timer;
  }

  // takes the top away
  #sink(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = right < heap.length && isSooner(heap[right] as Timer, heap[left] as Timer) ? right : left;
      if (isSooner(last, heap[child] as Timer)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
  }
}

function isSooner(one: Timer, other: Timer): boolean {
  return one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.id < other.id);
}

async function drainMicrotasks(): Promise<void> {
  for (let turn = 0; turn < DRAIN_TURNS; turn++) await Promise.resolve();
}

function refuseNonsense(ms: number): void {
  if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`No time can pass by ${String(ms)} ms.`);
}
