import type { ErrorCode } from './errors.ts';
import type { Fates } from './fates.ts';
import type { OutboundMessage } from './message.ts';
import type { Wire } from './wire.ts';

/** Messages that leave with the next flush or never. */
export class Volatile {
  readonly #fates: Fates;
  readonly #taken: { messages: number };
  #messages: OutboundMessage[] = [];

  /** `taken` counts what is handed over. */
  constructor(fates: Fates, taken: { messages: number }) {
    this.#fates = fates;
    this.#taken = taken;
  }

  get size(): number {
    return this.#messages.length;
  }

  push(message: OutboundMessage): void {
    this.#fates.accepted();
    this.#messages.push(message);
  }

  /** Hands them over, as long as the socket's buffer is below the mark. */
  pour(wire: Wire, highWaterBytes: number): void {
    for (const message of this.#messages.splice(0)) {
      if (wire.isOpen && wire.bufferedBytes < highWaterBytes) {
        wire.writeVolatile(message);
        this.#taken.messages += 1;
      } else this.#fates.dropped(message, 'VOLATILE_DROPPED');
    }
  }

  /** Drops one. @returns Whether it was still here. */
  withdraw(message: OutboundMessage, code: ErrorCode, cause?: unknown): boolean {
    const wasHere = this.#messages.includes(message);
    this.#messages = this.#messages.filter((other) => other !== message);
    if (wasHere) this.#fates.dropped(message, code, { cause });
    return wasHere;
  }

  /** Their moment is over. */
  drop(): void {
    for (const message of this.#messages.splice(0)) this.#fates.dropped(message, 'VOLATILE_DROPPED');
  }
}
