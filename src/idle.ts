/** Those who wait for the moment in which there is nothing left to do. Each is told once. */
export class Idle {
  #callbacks = new Set<() => void>();
  readonly #isIdle: () => boolean;

  constructor(isIdle: () => boolean) {
    this.#isIdle = isIdle;
  }

  /** Calls back now, or at that moment. @returns Takes that back. */
  once(callback: () => void): () => void {
    this.#callbacks.add(callback);
    this.look();
    return () => {
      this.#callbacks.delete(callback);
    };
  }

  /** The moment may have come. */
  look(): void {
    if (this.#callbacks.size === 0 || !this.#isIdle()) return;
    const callbacks = this.#callbacks;
    this.#callbacks = new Set();
    for (const callback of callbacks) callback();
  }
}
