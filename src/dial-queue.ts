import { PRIORITIES, type Priority } from './core/queue.ts';

/** One who waits for a turn, or has it. */
interface Turn {
  granted: () => void;
}

/**
 * Who may dial. After an outage every connection wants to at once: so many have a turn, the others wait for theirs, the strongest
 * priority first and within one whoever came first. Everything is O(1).
 */
export class DialQueue {
  readonly #most: () => number;
  readonly #taken = new Set<Turn>();
  readonly #waiting: Record<Priority, Set<Turn>> = {
    critical: new Set(),
    high: new Set(),
    normal: new Set(),
    low: new Set(),
  };

  /** `most`: how many may have a turn at once. Asked anew for each. */
  constructor(most: () => number) {
    this.#most = most;
  }

  /** Calls back once it is its turn, at once where there is room. @returns Gives the turn back, or the place in the queue. */
  acquire(priority: Priority, granted: () => void): () => void {
    const turn = { granted };
    const lane = this.#waiting[priority];
    lane.add(turn);
    this.advance();
    return () => {
      lane.delete(turn);
      if (this.#taken.delete(turn)) this.advance();
    };
  }

  /** Gives a turn to whoever is next, for as long as there is room. */
  advance(): void {
    while (this.#taken.size < this.#most()) {
      const lane = PRIORITIES.map((priority) => this.#waiting[priority]).find(({ size }) => size > 0);
      const [turn] = lane ?? [];
      if (!turn) return;
      lane?.delete(turn);
      this.#taken.add(turn);
      turn.granted();
    }
  }
}
