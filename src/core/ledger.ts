/** How much may be sent and not yet acknowledged. */
export interface WindowLimits {
  messages: number;
  bytes: number;
}

// the front of the list is given back once this many are acknowledged and they are half of it
const TRIM_AT = 64;

/**
 * The outbound half of a session: messages get their positions here, 1, 2, 3 and so on, and are kept until the peer has
 * acknowledged them. Positions never change while the session lives, whatever becomes of its sockets.
 */
export class Outgoing<Item> {
  // acknowledged ones up to #head, then those that are not, and what each counts in the window
  #items: Item[] = [];
  #sizes: number[] = [];
  #head = 0;
  #acknowledged = 0;
  #bytes = 0;

  /** The position of the next message. */
  get next(): number {
    return this.#acknowledged + this.size + 1;
  }

  /** The highest position that the peer has acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** How many are not acknowledged. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether another message may be sent. The first always may, so that one larger than the window is not stuck for ever. */
  hasRoom({ messages, bytes }: WindowLimits): boolean {
    return messages > 0 && (this.size === 0 || (this.size < messages && this.#bytes < bytes));
  }

  /** Gives a message its position. `bytes`: what it counts in the window. */
  record(item: Item, bytes: number): number {
    const position = this.next;
    this.#items.push(item);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    return position;
  }

  /** Up to which position a window lets what is not acknowledged be sent again. The first always may, as in {@link Outgoing.hasRoom}. */
  reach({ messages, bytes }: WindowLimits): number {
    const most = Math.min(this.size, messages);
    let count = 0;
    for (let sum = 0; count < most && (count === 0 || sum < bytes); count++)
      sum += this.#sizes[this.#head + count] ?? 0;
    return this.#acknowledged + count;
  }

  /** The peer has everything up to a position. @returns What that settles; `null` when so much was never sent. */
  acknowledge(upTo: number): Item[] | null {
    const count = upTo - this.#acknowledged;
    if (count > this.size) return null;
    // an older acknowledgement that a newer one has overtaken
    if (count <= 0) return [];
    const settled = this.#items.slice(this.#head, this.#head + count);
    for (let index = this.#head; index < this.#head + count; index++) this.#bytes -= this.#sizes[index] ?? 0;
    this.#head += count;
    this.#acknowledged = upTo;
    if (this.#head >= TRIM_AT && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#sizes = this.#sizes.slice(this.#head);
      this.#head = 0;
    }
    return settled;
  }

  /** What has a position and is not acknowledged. */
  at(position: number): Item | undefined {
    const index = position - this.#acknowledged - 1;
    return index < 0 ? undefined : this.#items[this.#head + index];
  }

  /** What is not acknowledged, in order; the first has the position after {@link Outgoing.acknowledged}. */
  unacknowledged(): Item[] {
    return this.#items.slice(this.#head);
  }

  /** A new session: positions begin at 1. @returns What the old one left in doubt, in order. */
  restart(): Item[] {
    const inDoubt = this.unacknowledged();
    this.#items = [];
    this.#sizes = [];
    this.#head = this.#acknowledged = this.#bytes = 0;
    return inDoubt;
  }
}

/**
 * The inbound half of a session. Two cursors: what was handed to the application, so that nothing is handed over twice; and
 * what the application has accepted, which alone may be acknowledged.
 */
export class Incoming {
  #handed = 0;
  #accepted = 0;
  // accepted while one before it was not
  readonly #early = new Set<number>();

  /** The highest position handed to the application. */
  get handed(): number {
    return this.#handed;
  }

  /** The highest position up to which the application has accepted everything. */
  get accepted(): number {
    return this.#accepted;
  }

  /**
   * Messages came, `count` of them from position `first`.
   *
   * @returns How many of them were handed over before and are to be skipped, up to all; `null` for a gap: then none may be handed
   *   over.
   */
  arrived(first: number, count: number): number | null {
    if (first > this.#handed + 1) return null;
    const last = first + count - 1;
    if (last <= this.#handed) return count;
    const skip = this.#handed + 1 - first;
    this.#handed = last;
    return skip;
  }

  /** The application has accepted a message that was handed to it. In any order. */
  accept(position: number): void {
    if (position <= this.#accepted || position > this.#handed) return;
    // in order, as nearly always
    if (position === this.#accepted + 1) this.#accepted = position;
    else this.#early.add(position);
    while (this.#early.size > 0 && this.#early.delete(this.#accepted + 1)) this.#accepted += 1;
  }

  /** The application has accepted everything that was handed to it. */
  acceptAll(): void {
    this.#accepted = this.#handed;
    this.#early.clear();
  }

  /** A session begins, or is taken over from a store that has it up to `accepted`. */
  restart(accepted = 0): void {
    this.#handed = this.#accepted = accepted;
    this.#early.clear();
  }
}
