import type { MessageError } from '../errors.ts';
import { frameBytesOf, type WeighedMessage } from '../protocol/framing.ts';
import type { Receipt } from './receipt.ts';

/** A message that the store does not have yet. */
export interface Waiting {
  readonly message: WeighedMessage;
  readonly receipt: Receipt;
  /** Why it is not to be sent after all. */
  revoked?: MessageError;
}

// the front of the list is given back once so many are gone: they may be large, and what is copied then is only the list
const TRIM_AT = 1_024;

/** Messages that wait for the store, in order. Taking the first costs the same however many wait behind them. */
export class Waitlist {
  #items: Waiting[] = [];
  #head = 0;
  #bytes = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Bytes of the frames that they need. */
  get bytes(): number {
    return this.#bytes;
  }

  get all(): Waiting[] {
    return this.#items.slice(this.#head);
  }

  push(waiting: Waiting): void {
    this.#items.push(waiting);
    this.#bytes += frameBytesOf(waiting.message);
  }

  /** The first, up to so many, left where they are. Those of channels that are held back are passed over. */
  first(most: number, heldChannels: ReadonlySet<string | undefined>): Waiting[] {
    if (heldChannels.size === 0) return this.#items.slice(this.#head, this.#head + most);
    const first: Waiting[] = [];
    for (let index = this.#head; index < this.#items.length && first.length < most; index++) {
      const waiting = this.#items[index];
      if (waiting && !heldChannels.has(waiting.receipt.channel)) first.push(waiting);
    }
    return first;
  }

  /** Takes out those of them that are here. */
  remove(gone: readonly Waiting[]): void {
    if (gone.every((waiting, index) => waiting === this.#items[this.#head + index])) {
      this.#head += gone.length;
      this.#bytes -= bytesOf(gone);
      if (this.#head < TRIM_AT && this.size > 0) return;
      this.#items = this.all;
    } else {
      const set = new Set(gone);
      this.#items = this.all.filter((waiting) => !set.has(waiting));
      this.#bytes = bytesOf(this.#items);
    }
    this.#head = 0;
  }
}

function bytesOf(waiting: readonly Waiting[]): number {
  return waiting.reduce((sum, { message }) => sum + frameBytesOf(message), 0);
}
