import { quiet } from '../core/isolation.ts';
import type { MessageError } from '../errors.ts';
import type { WireMeta } from '../protocol/frames.ts';
import type { SessionReceipt } from './message.ts';

interface Waiter {
  resolve: () => void;
  reject: (error: MessageError) => void;
}

/** The fate of one message to a client. Its promise is made only for those who ask. */
export class Receipt implements SessionReceipt {
  position: number | null = null;
  /** The idempotency key of the message. */
  readonly key: string | undefined;
  /** The channel of the message; `undefined` for the session's own. */
  readonly channel: string | undefined;
  // null: settled well
  #outcome: MessageError | null | undefined;
  #promise: Promise<void> | undefined;
  #waiter: Waiter | undefined;

  constructor({ k, c }: Pick<WireMeta, 'k' | 'c'> = {}) {
    this.key = k;
    this.channel = c;
  }

  /** The receipt of a message that was refused before it went anywhere. */
  static refused(error: MessageError): Receipt {
    const receipt = new Receipt();
    receipt.settle(error);
    return receipt;
  }

  get settled(): Promise<void> {
    this.#promise ??= quiet(
      new Promise((resolve, reject) => {
        if (this.#outcome === undefined) this.#waiter = { resolve, reject };
        else conclude({ resolve, reject }, this.#outcome);
      }),
    );
    return this.#promise;
  }

  /** Settles it, once: with an error, or with `null` when the client has accepted the message. */
  settle(outcome: MessageError | null): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    if (this.#waiter) conclude(this.#waiter, outcome);
    this.#waiter = undefined;
  }
}

function conclude({ resolve, reject }: Waiter, outcome: MessageError | null): void {
  if (outcome) reject(outcome);
  else resolve();
}
