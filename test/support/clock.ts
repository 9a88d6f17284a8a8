const MAX_DELAY_MS = 2 ** 31 - 1;
const MAX_FIRINGS = 100_000;
// enough turns of the microtask queue for a promise that resolves through a few others
const DRAIN_TURNS = 20;

interface Timer {
  id: number;
  dueAt: number;
  fire: () => void;
}

/**
 * A clock that moves only when it is told to. It has the shape of XState's `Clock`, and `now()` beside it.
 *
 * XState's own SimulatedClock jumps to the end first and fires then, so that a timer set by a timer starts too late. This
 * one steps from deadline to deadline: whatever is due within one advance fires within it, in order, at its own time.
 */
export class SimulatedClock {
  #nowMs: number;
  #nextId = 1;
  readonly #timers = new Map<number, Timer>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#nowMs;
  }

  /** @throws RangeError for a delay that a platform would not keep but turn into 1 ms. */
  setTimeout(fire: () => void, ms: number): number {
    if (!(ms >= 0 && ms <= MAX_DELAY_MS)) throw new RangeError(`No timer can wait ${ms} ms.`);
    const id = this.#nextId++;
    this.#timers.set(id, { id, dueAt: this.#nowMs + ms, fire });
    return id;
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
    const next = this.#next(Infinity);
    return next && Math.max(0, next.dueAt - this.#nowMs);
  }

  /** Moves time on and fires what falls due on the way, timers set meanwhile included. */
  advance(ms: number): void {
    const end = this.#nowMs + ms;
    for (let fired = 0; this.#fireNext(end); fired++) refuseEndless(fired);
    this.#nowMs = end;
  }

  /** The same, with the microtasks drained before, between and after the deadlines. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await drainMicrotasks();
    for (let fired = 0; this.#fireNext(end); fired++) {
      refuseEndless(fired);
      await drainMicrotasks();
    }
    this.#nowMs = end;
  }

  /** Time passes and nothing fires, as on a machine asleep. What fell due fires late, with the next advance. */
  sleep(ms: number): void {
    this.#nowMs += ms;
  }

  #fireNext(end: number): boolean {
    const timer = this.#next(end);
    if (!timer) return false;
    this.#timers.delete(timer.id);
    this.#nowMs = Math.max(this.#nowMs, timer.dueAt);
    timer.fire();
    return true;
  }

  #next(end: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers.values()) {
      if (timer.dueAt <= end && (!next || timer.dueAt < next.dueAt)) next = timer;
    }
    return next;
  }
}

async function drainMicrotasks(): Promise<void> {
  for (let turn = 0; turn < DRAIN_TURNS; turn++) await Promise.resolve();
}

function refuseEndless(fired: number): void {
  if (fired >= MAX_FIRINGS)
    throw new Error(`${MAX_FIRINGS} timers fired in one advance: they set each other for ever.`);
}
