/** Where copies of bytes go. */
export interface Memory {
  /** So many bytes of it, to write to. */
  take(bytes: number): Uint8Array<ArrayBuffer>;
}

const NONE = new Uint8Array(0);

/** Memory that no other copy shares, for what is kept for long or handed to others. */
export const ownMemory: Memory = { take: (bytes) => new Uint8Array(bytes) };

// of a slab
const MOST_BYTES = 65_536;
// so many times its own length a copy may keep from the collector, and no more
const MOST_TIMES = 16;

/**
 * Memory for the copies of what one connection sends in one turn: an allocation for each costs more than the copy, and leaves more to the collector. They leave together, so they lie beside
 * each other. A slab is never larger than all that was copied before it in the turn, so that no more than half is ever empty.
 */
export class Slab implements Memory {
  readonly #alone: Memory;
  #bytes = NONE;
  #taken = 0;
  #copied = 0;

  /** `alone`: where a copy goes that nothing else lies beside. */
  constructor(alone: Memory) {
    this.#alone = alone;
  }

  take(bytes: number): Uint8Array<ArrayBuffer> {
    // nothing to share, and nothing that its owner could take from others
    if (bytes === 0) return ownMemory.take(0);
    if (this.#taken + bytes > this.#bytes.length) this.#renew(bytes);
    this.#copied += bytes;
    const { length } = this.#bytes;
    if (this.#taken + bytes > length || bytes * MOST_TIMES < length) return this.#alone.take(bytes);
    return this.#bytes.subarray(this.#taken, (this.#taken += bytes));
  }

  /** The turn is over: what comes now has nothing in common with what came before. */
  rest(): void {
    this.#bytes = NONE;
    this.#taken = this.#copied = 0;
  }

  // for such as this one, unless it would lie there alone
  #renew(bytes: number): void {
    const length = Math.min(this.#copied, bytes * MOST_TIMES, MOST_BYTES);
    if (length < bytes * 2) return;
    this.#bytes = new Uint8Array(length);
    this.#taken = 0;
  }
}

// a slab is kept for as long as one copy in it waits, whosever it is: so it is small
const SHARED_BYTES = 4_096;
const SMALL_BYTES = 512;
let shared = NONE;
let taken = 0;

/** Memory that small copies of all connections share. What is not small has memory of its own. */
export const sharedMemory: Memory = {
  take(bytes) {
    if (bytes === 0 || bytes > SMALL_BYTES) return ownMemory.take(bytes);
    if (taken + bytes > shared.length) {
      shared = new Uint8Array(SHARED_BYTES);
      taken = 0;
    }
    return shared.subarray(taken, (taken += bytes));
  },
};
