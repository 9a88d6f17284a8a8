import type { MessageOrigin } from './message.ts';
import type { SendOptions } from './receipt.ts';
import { monotonicNow, type Clock } from './transport/clock.ts';

export interface PostmarkOptions {
  clock: Clock;
  /** Whether anybody wants to know how long messages wait. */
  isTimed: () => boolean;
  cancel: MessageOrigin['cancel'];
}

/** What an outbox puts on each message: its number and its time. */
export class Postmark {
  readonly #options: PostmarkOptions;
  #nextNumber = 1;
  // read once for all that is sent in one turn, which is as exact as anybody needs
  #turnAt: number | undefined;

  constructor(options: PostmarkOptions) {
    this.#options = options;
  }

  /** The origin of the next message. `isLeaving`: its turn ends with a flush. */
  next({ ttlMs }: SendOptions, isLeaving: boolean, meta?: MessageOrigin['meta']): MessageOrigin {
    const { clock, cancel } = this.#options;
    // always of the same shape
    return {
      number: this.#nextNumber++,
      meta,
      // the time is read only for those who are bound by it
      now: ttlMs === undefined ? 0 : clock.now(),
      since: this.#since(isLeaving),
      cancel,
    };
  }

  /** The turn is over: what was sent in it leaves. */
  turned(): void {
    this.#turnAt = undefined;
  }

  #since(isLeaving: boolean): number {
    const { clock, isTimed } = this.#options;
    if (!isTimed()) return 0;
    if (!isLeaving) this.#turnAt = undefined;
    // a whole number takes no memory of its own
    return (this.#turnAt ??= Math.floor(monotonicNow(clock)));
  }
}
