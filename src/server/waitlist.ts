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

// the front of the list is given back once this much of it is empty and it is half of the list: to move all that is left each time
// would take the longer the more waits
const TRIM_AT = 64;

/** Messages that wait for the store, in order. What was taken out is not kept: it may be large. */
export class Waitlist {
  // what is before #head was taken out
  #items: (Waiting | undefined)[] = [];
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
    return this.#items.slice(this.#head) as Waiting[];
  }

  push(waiting: Waiting): void {
    this.#items.push(waiting);
    this.#bytes += frameBytesOf(waiting.message);
  }

  /** The first, up to so many and so many bytes, but at least one, left where they are. Those of channels that are held back are passed over. */
  first(most: { messages: number; bytes: number }, heldChannels: ReadonlySet<string | undefined>): Waiting[] {
    const first: Waiting[] = [];
    let bytes = 0;
    for (let index = this.#head; index < this.#items.length; index++) {
      const waiting = this.#items[index] as Waiting;
      if (heldChannels.size > 0 && heldChannels.has(waiting.receipt.channel)) continue;
      bytes += frameBytesOf(waiting.message);
      if (first.length === most.messages || (first.length > 0 && bytes > most.bytes)) break;
      first.push(waiting);
    }
    return first;
  }

  /** Takes out those of them that are here. */
  remove(gone: readonly Waiting[]): void {
    if (gone.every((waiting, index) => waiting === this.#items[this.#head + index])) {
      this.#items.fill(undefined, this.#head, this.#head + gone.length);
      this.#head += gone.length;
      this.#bytes -= bytesOf(gone);
      if (this.#head >= TRIM_AT && this.#head * 2 >= this.#items.length) this.#keep(this.all);
    } else {
      const set = new Set(gone);
      const left = this.all.filter((waiting) => !set.has(waiting));
      this.#keep(left);
      this.#bytes = bytesOf(left);
    }
  }

  #keep(items: Waiting[]): void {
    this.#items = items;
    this.#head = 0;
  }
}

function bytesOf(waiting: readonly Waiting[]): number {
  return waiting.reduce((sum, { message }) => sum + frameBytesOf(message), 0);
}
