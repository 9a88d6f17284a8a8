/** What a queue asks of its items: their size in bytes. */
export interface Sized {
  readonly bytes: number;
}

export interface QueueLimits {
  maxMessages: number;
  maxBytes: number;
}

/**
 * Messages that wait, first in first out, bounded by count and by bytes. Push and take are O(1) amortised; removal keeps the
 * order of the rest.
 */
export class BoundedQueue<Item extends Sized> {
  // a Set keeps insertion order, and gives both ends of what is needed: the oldest first, and removal of any
  readonly #items = new Set<Item>();
  // where take() goes on: a fresh iterator would pass again over every place that was left before
  #oldest = this.#items.values();
  // the sum of `bytes` over #items; kept by push and remove
  #bytes = 0;

  get size(): number {
    return this.#items.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the limits leave room for one more item of this size. */
  fits(bytes: number, { maxMessages, maxBytes }: QueueLimits): boolean {
    return this.#items.size < maxMessages && this.#bytes + bytes <= maxBytes;
  }

  push(item: Item): void {
    this.#items.add(item);
    this.#bytes += item.bytes;
  }

  /** The oldest item, removed; `undefined` when there is none. */
  take(): Item | undefined {
    if (this.#items.size === 0) return undefined;
    let next = this.#oldest.next();
    if (next.done) {
      // it had come to the end before the last push
      this.#oldest = this.#items.values();
      next = this.#oldest.next();
    }
    if (next.done) return undefined;
    this.remove(next.value);
    return next.value;
  }

  /** Whether the item was still waiting; then it no longer is. */
  remove(item: Item): boolean {
    const wasWaiting = this.#items.delete(item);
    if (wasWaiting) this.#bytes -= item.bytes;
    return wasWaiting;
  }
}
