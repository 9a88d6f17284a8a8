import { PRIORITIES, type Priority } from './core/queue.ts';

/** One who waits for a turn, or has it. */
interface Turn {
  /** Who came earlier has the smaller one. */
  ticket: number;
  granted: () => void;
}

/** Those of one service. */
interface Lane {
  priority: Priority;
  waiting: Set<Turn>;
  taken: Set<Turn>;
}

export interface DialQueueOptions {
  /** How many may have a turn at once. Asked anew for each. */
  most: () => number;
  /** How many services there are. */
  services: () => number;
}

/**
 * Who may dial. After an outage every connection wants to at once: so many have a turn, the others wait for theirs, the strongest priority first and within
 * one whoever came first. Half of the turns are anybody's; of the other half each service has an equal part of its own, and at least one where there are enough, so that a server that does not
 * answer keeps only its own clients waiting.
 */
export class DialQueue {
  readonly #options: DialQueueOptions;
  readonly #lanes = new Map<string, Lane>();
  #tickets = 0;
  #isAdvanceDue = false;

  constructor(options: DialQueueOptions) {
    this.#options = options;
  }

  /** Calls back once it is its turn, at once where there is room. @returns Gives the turn back, or the place in the queue. */
  acquire({ serviceType, priority }: { serviceType: string; priority: Priority }, granted: () => void): () => void {
    const lane = this.#lanes.get(serviceType) ?? { priority, waiting: new Set(), taken: new Set() };
    this.#lanes.set(serviceType, lane);
    lane.priority = priority;
    const turn = { ticket: this.#tickets++, granted };
    lane.waiting.add(turn);
    this.advance();
    return () => {
      lane.waiting.delete(turn);
      if (lane.taken.delete(turn)) this.#advanceSoon();
    };
  }

  /** Gives a turn to whoever is next, for as long as there is room. */
  advance(): void {
    for (let lane = this.#next(); lane; lane = this.#next()) {
      const [turn] = lane.waiting;
      if (!turn) return;
      lane.waiting.delete(turn);
      lane.taken.add(turn);
      turn.granted();
    }
  }

  // what ends one may be about to end others, which are not to have turns in passing
  #advanceSoon(): void {
    if (this.#isAdvanceDue) return;
    this.#isAdvanceDue = true;
    queueMicrotask(() => {
      this.#isAdvanceDue = false;
      this.advance();
    });
  }

  #next(): Lane | undefined {
    const lanes = [...this.#lanes.values()];
    const { most, services } = this.#options;
    const own = partOf(most(), services());
    const free = most() - lanes.reduce((sum, { taken }) => sum + taken.size, 0);
    if (free <= 0) return undefined;
    const kept = services() * own - lanes.reduce((sum, { taken }) => sum + Math.min(own, taken.size), 0);
    const mayTake = ({ taken, waiting }: Lane): boolean => waiting.size > 0 && (taken.size < own || free > kept);
    return lanes.filter(mayTake).sort(byTurn)[0];
  }
}

// where half of the turns are fewer than the services, each still has one, as long as there is one for each
function partOf(most: number, services: number): number {
  return most < services ? 0 : Math.max(1, Math.floor(most / 2 / services));
}

function byTurn(one: Lane, other: Lane): number {
  const [[first], [second]] = [one.waiting, other.waiting];
  return (
    PRIORITIES.indexOf(one.priority) - PRIORITIES.indexOf(other.priority) ||
    (first?.ticket ?? 0) - (second?.ticket ?? 0)
  );
}
