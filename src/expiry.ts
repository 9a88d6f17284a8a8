import { MAX_DELAY_MS } from './core/backoff.ts';
import type { Clock } from './transport/clock.ts';

/** What waits no longer than that: on the clock of its {@link Expiry}, in ms; Infinity for ever. */
export interface Expiring {
  readonly expiresAt: number;
}

export interface ExpiryOptions<Item extends Expiring> {
  clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>;
  /** In ms. Timers may be late by it, or early. */
  now: () => number;
  /** Everything that waits. */
  waiting: () => Iterable<Item>;
  /** From now on it waits no more: it is not among what {@link ExpiryOptions.waiting} gives. */
  expire: (item: Item) => void;
}

/** Ends what has waited too long, about when its time is up; one timer for all, and none while nothing can expire. */
export class Expiry<Item extends Expiring> {
  readonly #options: ExpiryOptions<Item>;
  // when the timer fires; Infinity while there is none
  #dueAt = Infinity;
  #timer: unknown;

  constructor(options: ExpiryOptions<Item>) {
    this.#options = options;
  }

  /** Something begins to wait. */
  watch({ expiresAt }: Item): void {
    if (expiresAt < this.#dueAt) this.#arm(expiresAt);
  }

  /** Whether its time is up: a timer may be late. */
  isOver({ expiresAt }: Item): boolean {
    return expiresAt !== Infinity && expiresAt <= this.#options.now();
  }

  /** Nothing waits any more. */
  stop(): void {
    if (this.#dueAt === Infinity) return;
    this.#options.clock.clearTimeout(this.#timer);
    this.#dueAt = Infinity;
  }

  #arm(at: number): void {
    const { clock, now } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#dueAt = at;
    const delayMs = Math.min(MAX_DELAY_MS, Math.max(1, at - now()));
    this.#timer = clock.setTimeout(() => {
      this.#sweep();
    }, delayMs);
  }

  #sweep(): void {
    const { waiting, expire } = this.#options;
    this.#dueAt = Infinity;
    for (const item of [...waiting()]) if (this.isOver(item)) expire(item);
    let next = Infinity;
    // not of the same list: whoever heard of the end of one may have ended others
    for (const { expiresAt } of waiting()) next = Math.min(next, expiresAt);
    if (next < this.#dueAt) this.#arm(next);
  }
}
