/** The lanes of a queue, strongest first. */
export const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const;
/** Which lane a message waits in. */
export type Priority = (typeof PRIORITIES)[number];

/** What a queue asks of its items, and what it notes on them while they wait. */
export interface Queueable<Item> {
  readonly priority: Priority;
  /** Its size as encoded. */
  readonly bytes: number;
  /** The neighbours in its lane: the queue's own, to be `null` when an item is handed in. */
  previous: Item | null;
  next: Item | null;
}

export interface QueueLimits {
  maxMessages: number;
  maxBytes: number;
}

/**
 * A waiting lane is served after at most this many messages of stronger lanes have gone before it: strict priority alone
 * would let a steady stream of strong messages starve the weak ones for ever.
 */
export const PATIENCE = 64;

interface Lane<Item> {
  first: Item | null;
  last: Item | null;
  /** Messages of stronger lanes that went first since this lane was last served, while it had something to send. */
  passedOver: number;
}

/**
 * Messages that wait, in four lanes: strict priority between lanes (but see {@link PATIENCE}), first in first out within
 * one. Everything is O(1): an item is a link of its lane.
 */
export class LaneQueue<Item extends Queueable<Item>> {
  readonly #lanes: Record<Priority, Lane<Item>> = {
    critical: emptyLane(),
    high: emptyLane(),
    normal: emptyLane(),
    low: emptyLane(),
  };
  // the same, strongest first
  readonly #ranked = PRIORITIES.map((priority) => this.#lanes[priority]);
  // the sums over all lanes; kept by #link and #unlink
  #size = 0;
  #bytes = 0;

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the limits leave room for one more item of this size. */
  fits(bytes: number, { maxMessages, maxBytes }: QueueLimits): boolean {
    return this.#size < maxMessages && this.#bytes + bytes <= maxBytes;
  }

  /** Puts an item at the end of its lane. */
  push(item: Item): void {
    this.#link(item, this.#lanes[item.priority].last);
  }

  /** Puts an item that was taken before back at the head of its lane. */
  unshift(item: Item): void {
    this.#link(item, null);
  }

  /** The next item, removed; of one lane only, when it is named. `undefined` when there is none. */
  take(only?: Priority): Item | undefined {
    const lane = only ? this.#lanes[only] : this.#turn();
    const item = lane?.first;
    if (!lane || !item) return undefined;
    this.#passOver(lane);
    this.#unlink(item);
    return item;
  }

  /** The next item, left where it is. */
  peek(): Item | undefined {
    return this.#turn()?.first ?? undefined;
  }

  /** Takes an item out that is waiting in this queue. */
  remove(item: Item): void {
    this.#unlink(item);
  }

  /** Puts an item in the place of one that is waiting in the same lane. */
  replace(waiting: Item, item: Item): void {
    const { previous } = waiting;
    this.#unlink(waiting);
    this.#link(item, previous);
  }

  /**
   * The items to take out for one of `bytes` to fit, from the weakest lane upwards: the oldest first, of lanes no stronger than
   * `priority` (`oldest`); or the newest first, of weaker lanes only (`lowest`). `null` when that would not be enough: then
   * nothing need be lost for it.
   */
  victims(wanted: Pick<Item, 'bytes' | 'priority'>, by: 'oldest' | 'lowest', limits: QueueLimits): Item[] | null {
    const victims: Item[] = [];
    let size = this.#size;
    let bytes = this.#bytes + wanted.bytes;
    const weaker = PRIORITIES.slice(PRIORITIES.indexOf(wanted.priority) + (by === 'lowest' ? 1 : 0)).reverse();
    for (const priority of weaker) {
      const lane = this.#lanes[priority];
      let item = by === 'oldest' ? lane.first : lane.last;
      for (; item; item = by === 'oldest' ? item.next : item.previous) {
        if (size < limits.maxMessages && bytes <= limits.maxBytes) return victims;
        victims.push(item);
        size -= 1;
        bytes -= item.bytes;
      }
    }
    return size < limits.maxMessages && bytes <= limits.maxBytes ? victims : null;
  }

  /** The first of each lane that has any. */
  heads(): Item[] {
    return PRIORITIES.flatMap((priority) => this.#lanes[priority].first ?? []);
  }

  /** Every item in the order of lanes, and within a lane of arrival. The queue must not change meanwhile. */
  *[Symbol.iterator](): Iterator<Item> {
    for (const priority of PRIORITIES) {
      for (let item = this.#lanes[priority].first; item; item = item.next) yield item;
    }
  }

  // the strongest lane that has something, unless a weaker one has been passed over too often
  #turn(): Lane<Item> | undefined {
    let strongest: Lane<Item> | undefined;
    for (const lane of this.#ranked) {
      if (!lane.first) continue;
      strongest ??= lane;
      if (lane.passedOver >= PATIENCE) return lane;
    }
    return strongest;
  }

  #passOver(served: Lane<Item>): void {
    let isWeaker = false;
    for (const lane of this.#ranked) {
      if (lane === served) {
        lane.passedOver = 0;
        isWeaker = true;
      } else if (isWeaker && lane.first) lane.passedOver += 1;
    }
  }

  #link(item: Item, previous: Item | null): void {
    const lane = this.#lanes[item.priority];
    const next = previous ? previous.next : lane.first;
    item.previous = previous;
    item.next = next;
    if (previous) previous.next = item;
    else lane.first = item;
    if (next) next.previous = item;
    else lane.last = item;
    this.#size += 1;
    this.#bytes += item.bytes;
  }

  #unlink(item: Item): void {
    const lane = this.#lanes[item.priority];
    const { previous, next } = item;
    if (previous) previous.next = next;
    else lane.first = next;
    if (next) next.previous = previous;
    else lane.last = previous;
    item.previous = item.next = null;
    if (!lane.first) lane.passedOver = 0;
    this.#size -= 1;
    this.#bytes -= item.bytes;
  }
}

function emptyLane<Item>(): Lane<Item> {
  return { first: null, last: null, passedOver: 0 };
}
