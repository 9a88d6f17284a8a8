import { MAX_DELAY_MS } from './core/backoff.ts';
import type { OutboundMessage } from './message.ts';
import type { Clock } from './transport/clock.ts';

export interface ExpiryOptions {
  clock: Clock;
  /** Every message that waits. */
  waiting: () => Iterable<OutboundMessage>;
  expire: (message: OutboundMessage) => void;
}

/** Drops what has waited too long, about when its time is up; one timer for all, and none while nothing can expire. */
export class Expiry {
  readonly #options: ExpiryOptions;
  // when the timer fires; Infinity while there is none
  #dueAt = Infinity;
  #timer: unknown;

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /** A message that may expire begins to wait. */
  watch({ expiresAt }: OutboundMessage): void {
    if (expiresAt < this.#dueAt) this.#arm(expiresAt);
  }

  /** Whether a message's time is up, by the wall clock: a timer may be late, a message must not be. */
  isOver({ expiresAt }: OutboundMessage): boolean {
    return expiresAt !== Infinity && expiresAt <= this.#options.clock.now();
  }

  /** Nothing waits any more. */
  stop(): void {
    if (this.#dueAt === Infinity) return;
    this.#options.clock.clearTimeout(this.#timer);
    this.#dueAt = Infinity;
  }

  #arm(at: number): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#dueAt = at;
    const delayMs = Math.min(MAX_DELAY_MS, Math.max(1, at - clock.now()));
    this.#timer = clock.setTimeout(() => {
      this.#sweep();
    }, delayMs);
  }

  #sweep(): void {
    this.#dueAt = Infinity;
    let next = Infinity;
    for (const message of [...this.#options.waiting()]) {
      if (this.isOver(message)) this.#options.expire(message);
      else next = Math.min(next, message.expiresAt);
    }
    if (next !== Infinity) this.#arm(next);
  }
}
