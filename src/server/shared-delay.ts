import type { StoreClock } from './clock.ts';

/** Many short waits behind one timer. Waits are nearly equally long, so that the first to begin is the first to end. */
export class SharedDelay {
  readonly #clock: StoreClock;
  // by whoever waits; one that waits already is not put off
  readonly #waiting = new Map<object, { dueAt: number; fire: () => void }>();
  #timer: unknown;

  constructor(clock: StoreClock) {
    this.#clock = clock;
  }

  /** Calls `fire` once, `delayMs` from now, unless `who` waits already. */
  set(who: object, delayMs: number, fire: () => void): void {
    if (this.#waiting.has(who)) return;
    this.#waiting.set(who, { dueAt: this.#clock.now() + delayMs, fire });
    this.#arm(delayMs);
  }

  clear(who: object): void {
    this.#waiting.delete(who);
    if (this.#waiting.size === 0) this.stop();
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#waiting.clear();
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(delayMs: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#fire();
    }, delayMs);
  }

  #fire(): void {
    const now = this.#clock.now();
    for (const [who, { dueAt, fire }] of [...this.#waiting]) {
      if (dueAt > now) {
        // nothing that waits is later than this by more than one wait
        this.#arm(dueAt - now);
        return;
      }
      this.#waiting.delete(who);
      fire();
    }
  }
}
