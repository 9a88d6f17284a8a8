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

/** Messages that wait for the store, in order. What was taken out is not kept: it may be large. */
export class Waitlist {
  #items: Waiting[] = [];
  #bytes = 0;

  get size(): number {
    return this.#items.length;
  }

  /** Bytes of the frames that they need. */
  get bytes(): number {
    return this.#bytes;
  }

  get all(): Waiting[] {
    return [...this.#items];
  }

  push(waiting: Waiting): void {
    this.#items.push(waiting);
    this.#bytes += frameBytesOf(waiting.message);
  }

  /** The first, up to so many and so many bytes, but at least one, left where they are. Those of channels that are held back are passed over. */
  first(most: { messages: number; bytes: number }, heldChannels: ReadonlySet<string | undefined>): Waiting[] {
    const first: Waiting[] = [];
    let bytes = 0;
    for (const waiting of this.#items) {
      if (heldChannels.size > 0 && heldChannels.has(waiting.receipt.channel)) continue;
      bytes += frameBytesOf(waiting.message);
      if (first.length === most.messages || (first.length > 0 && bytes > most.bytes)) break;
      first.push(waiting);
    }
    return first;
  }

  /** Takes out those of them that are here. */
  remove(gone: readonly Waiting[]): void {
    if (gone.every((waiting, index) => waiting === this.#items[index])) {
      this.#items.splice(0, gone.length);
      this.#bytes -= bytesOf(gone);
    } else {
      const set = new Set(gone);
      this.#items = this.#items.filter((waiting) => !set.has(waiting));
      this.#bytes = bytesOf(this.#items);
    }
  }
}

function bytesOf(waiting: readonly Waiting[]): number {
  return waiting.reduce((sum, { message }) => sum + frameBytesOf(message), 0);
}
