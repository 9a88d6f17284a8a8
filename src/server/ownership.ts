/**
 * Writes of the node that has a session. Each carries the generation; one that is refused because of it is made again when this
 * node itself has a newer one, and ends the ownership when another has.
 */
export class Ownership {
  #gen: number;
  // attachments that ask the store for a newer generation at present
  readonly #changes = new Set<Promise<unknown>>();
  readonly #lost: (why: 'fenced' | 'gone') => void;

  /** `lost` is called when the store says that the session is another's, or nobody's. */
  constructor(gen: number, lost: (why: 'fenced' | 'gone') => void) {
    this.#gen = gen;
    this.#lost = lost;
  }

  get gen(): number {
    return this.#gen;
  }

  /** Whether this node is asking for a newer generation. */
  get isChanging(): boolean {
    return this.#changes.size > 0;
  }

  /** A newer generation is this node's as well. */
  adopt(gen: number): void {
    this.#gen = Math.max(this.#gen, gen);
  }

  /** Makes a change of the owner; writes wait until it is decided. */
  async during<Value>(change: () => Promise<Value>): Promise<Value> {
    // begun in the next turn: a store may tell of the change while it makes it
    const changing = Promise.resolve().then(change);
    this.#changes.add(changing);
    try {
      return await changing;
    } finally {
      this.#changes.delete(changing);
    }
  }

  /** Writes as the owner. @returns What the store says; `lost` when the session is no longer this node's. */
  async write<Answer>(attempt: (gen: number) => Promise<Answer>): Promise<Exclude<Answer, 'fenced' | 'gone'> | 'lost'> {
    for (;;) {
      // nearly never, and each write would pay for it
      if (this.isChanging) await Promise.allSettled(this.#changes);
      const gen = this.#gen;
      const answer = await attempt(gen);
      if (!isLoss(answer)) return answer as Exclude<Answer, 'fenced' | 'gone'>;
      await Promise.allSettled(this.#changes);
      if (answer === 'gone' || gen === this.#gen) {
        this.#lost(answer);
        return 'lost';
      }
    }
  }
}

function isLoss(answer: unknown): answer is 'fenced' | 'gone' {
  return answer === 'fenced' || answer === 'gone';
}
