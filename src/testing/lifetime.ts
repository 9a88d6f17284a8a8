import type { SimulatedClock } from './clock.ts';

/** Time for one life of a node. */
export class Lifetime {
  readonly #clock: SimulatedClock;
  readonly #timers = new Set<number>();
  /** Resolves at its end. */
  readonly ended: Promise<void>;
  #isOver = false;
  #tellEnd: () => void = () => undefined;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
    this.ended = new Promise((resolve) => {
      this.#tellEnd = resolve;
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many timers run. */
  get timersLeft(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#clock.now();
  }

  setTimeout(fire: () => void, ms: number): unknown {
    if (this.#isOver) return undefined;
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer);
      fire();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number);
    this.#clock.clearTimeout(timer as number | undefined);
  }

  /** Waits; for ever, once it is over. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (ms === 0 && !this.#isOver) resolve();
      else this.setTimeout(resolve, ms);
    });
  }

  end(): void {
    this.#isOver = true;
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.#tellEnd();
  }
}
