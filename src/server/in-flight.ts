import type { WindowLimits } from '../core/ledger.ts';

/** What is on its way over one socket: which positions were sent and are not acknowledged, and how much that is. */
export class InFlight {
  #acknowledged: number;
  // sizes of what was sent, from the position after #acknowledged on, less the first #head
  #sizes: number[] = [];
  #head = 0;
  #bytes = 0;

  /** `acknowledged`: the last position that the client has; sending goes on after it. */
  constructor(acknowledged = 0) {
    this.#acknowledged = acknowledged;
  }

  /** The last position that was sent. */
  get sent(): number {
    return this.#acknowledged + this.size;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** How many are not acknowledged. */
  get size(): number {
    return this.#sizes.length - this.#head;
  }

  /** Whether another message may be sent. The first always may, so that one larger than the window is not stuck for ever. */
  hasRoom({ messages, bytes }: WindowLimits): boolean {
    return messages > 0 && (this.size === 0 || (this.size < messages && this.#bytes < bytes));
  }

  /** The next position was sent. `bytes`: what its message counts in the window. */
  record(bytes: number): void {
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  /** The client has everything up to a position. @returns Whether that is news; `null` when so much was never sent. */
  acknowledge(upTo: number): boolean | null {
    const count = upTo - this.#acknowledged;
    if (count > this.size) return null;
    if (count <= 0) return false;
    for (let index = this.#head; index < this.#head + count; index++) this.#bytes -= this.#sizes[index] ?? 0;
    this.#head += count;
    this.#acknowledged = upTo;
    if (this.#head * 2 >= this.#sizes.length) {
      this.#sizes = this.#sizes.slice(this.#head);
      this.#head = 0;
    }
    return true;
  }
}
