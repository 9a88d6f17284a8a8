/** A token bucket: so many a second on the average, and twice as many at once. */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #at: number;

  /** `now` in ms. `Infinity` a second: no bound. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond * 2;
    this.#at = now;
  }

  /** Takes `count`, if there are as many, or as many as there can be: then the rest is owed. @returns Whether it did. */
  take(count: number, now: number): boolean {
    if (this.#perSecond === Infinity) return true;
    // a clock that was set back gives nothing, and takes nothing
    const passedMs = Math.max(0, now - this.#at);
    this.#tokens = Math.min(this.#perSecond * 2, this.#tokens + (passedMs * this.#perSecond) / 1_000);
    this.#at = now;
    if (this.#tokens < Math.min(count, this.#perSecond * 2)) return false;
    this.#tokens -= count;
    return true;
  }
}
