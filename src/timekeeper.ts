import { monotonicNow, type Clock } from './transport/clock.ts';

/**
 * A clock that knows which of its timers are pending, so that the end of a service is the end of every timer it set, also of
 * one that a fault left without an owner.
 */
export class Timekeeper implements Clock {
  readonly #clock: Clock;
  readonly #pending = new Set<unknown>();
  // the last times that could be true
  #lastNow = 0;
  #lastMonotonic = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A clock that is handed in may say anything; what is no time is not passed on. */
  now(): number {
    const now = this.#clock.now();
    if (isTime(now)) this.#lastNow = now;
    return this.#lastNow;
  }

  monotonicNow(): number {
    const now = monotonicNow(this.#clock);
    if (isTime(now)) this.#lastMonotonic = now;
    return this.#lastMonotonic;
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    const handle = this.#clock.setTimeout(() => {
      this.#pending.delete(handle);
      callback();
    }, delayMs);
    this.#pending.add(handle);
    return handle;
  }

  clearTimeout(handle: unknown): void {
    this.#pending.delete(handle);
    this.#clock.clearTimeout(handle);
  }

  /** Clears every pending timer. */
  stop(): void {
    for (const handle of this.#pending) this.#clock.clearTimeout(handle);
    this.#pending.clear();
  }
}

function isTime(value: number): boolean {
  return value >= 0 && value < Infinity;
}
