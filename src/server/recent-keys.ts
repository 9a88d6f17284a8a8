/** Idempotency keys that were accepted lately, by principal. */
export class RecentKeys {
  readonly #ttlMs: number;
  readonly #mostEach: number;
  // when each key is forgotten, oldest first: all live equally long
  readonly #until = new Map<string, Map<string, number>>();

  /** Each key is known for `ttlMs`; of one principal at most `mostEach`, so that nobody pushes out the keys of another. */
  constructor({ ttlMs, mostEach }: { ttlMs: number; mostEach: number }) {
    this.#ttlMs = ttlMs;
    this.#mostEach = mostEach;
  }

  /** Keys of all principals. */
  get size(): number {
    return [...this.#until.values()].reduce((sum, { size }) => sum + size, 0);
  }

  add(principal: string, keys: readonly string[], now: number): void {
    if (keys.length === 0) return;
    const own = this.#until.get(principal) ?? new Map<string, number>();
    this.#until.set(principal, own);
    for (const key of keys) {
      // at the end, where the youngest are
      own.delete(key);
      own.set(key, now + this.#ttlMs);
    }
    this.#forget(own, (_until, size) => size > this.#mostEach);
  }

  has(principal: string, key: string, now: number): boolean {
    return (this.#until.get(principal)?.get(key) ?? 0) > now;
  }

  /** Gives back the memory of what is forgotten. */
  prune(now: number): void {
    for (const [principal, own] of this.#until) {
      this.#forget(own, (until) => until <= now);
      if (own.size === 0) this.#until.delete(principal);
    }
  }

  clear(): void {
    this.#until.clear();
  }

  #forget(own: Map<string, number>, isOver: (until: number, size: number) => boolean): void {
    for (const [key, until] of own) {
      if (!isOver(until, own.size)) return;
      own.delete(key);
    }
  }
}
