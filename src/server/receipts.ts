import type { MessageError } from '../errors.ts';
import { ByPosition } from '../core/by-position.ts';
import type { Receipt } from './receipt.ts';

/** Receipts of messages that this node has sent, that the store has, and that the client has not acknowledged. */
export class Receipts {
  // lowest position first
  readonly #open = new ByPosition<Receipt>();

  get all(): Receipt[] {
    return [...this.#open].map(([, receipt]) => receipt);
  }

  add(position: number, receipt: Receipt): void {
    receipt.position = position;
    this.#open.set(position, receipt);
  }

  /** The client has accepted everything up to a position. */
  settle(upTo: number): void {
    for (;;) {
      const position = this.#open.lowest ?? Infinity;
      if (position > upTo) return;
      const receipt = this.#open.get(position);
      this.#open.delete(position);
      receipt?.settle(null);
    }
  }

  /** The client did not act on messages, or may not have. */
  refuse(from: number, to: number, error: MessageError): void {
    for (const [position, receipt] of this.#open) {
      if (position > to) return;
      if (position >= from) receipt.settle(error);
    }
  }

  /** The same of messages that are told by their idempotency keys. */
  refuseByKey(keys: readonly string[], error: MessageError): void {
    const refused = new Set<string | undefined>(keys);
    for (const receipt of this.all) if (refused.has(receipt.key)) receipt.settle(error);
  }

  clear(): void {
    this.#open.clear();
  }
}
