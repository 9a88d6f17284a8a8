import type { MessageError } from './errors.ts';
import { quiet } from './isolation.ts';

/** What became of a message: it was handed to the socket. On the plain wire nobody can say more. */
export interface SendOutcome {
  outcome: 'sent';
  /** The message's id, unique within its connection. */
  id: string;
}

/** What a sender holds of its message: its id, its fate, and the way to call it back. */
export interface Receipt {
  readonly id: string;
  /**
   * Resolves when the message was handed to the socket; rejects with a {@link MessageError} when it will not be. It settles
   * exactly once, and need not be listened to. Made when it is first asked for.
   */
  readonly settled: Promise<SendOutcome>;
  /** Takes the message back. @returns Whether it was still waiting; then it is not sent. */
  cancel(): boolean;
}

type Fate = { kind: 'pending' } | { kind: 'sent' } | { kind: 'dropped'; error: MessageError };

/** A receipt with the side that tells it its fate. */
export class PendingReceipt implements Receipt {
  readonly id: string;
  readonly #cancel: () => boolean;
  #fate: Fate = { kind: 'pending' };
  #promise: Promise<SendOutcome> | undefined;
  // present from the moment the promise is asked for until its fate is known
  #settle: { resolve: (outcome: SendOutcome) => void; reject: (error: MessageError) => void } | undefined;

  constructor(id: string, cancel: () => boolean) {
    this.id = id;
    this.#cancel = cancel;
  }

  get settled(): Promise<SendOutcome> {
    this.#promise ??= quiet(
      new Promise((resolve, reject) => {
        this.#settle = { resolve, reject };
        this.#tell();
      }),
    );
    return this.#promise;
  }

  cancel(): boolean {
    return this.#cancel();
  }

  sent(): void {
    this.#decide({ kind: 'sent' });
  }

  dropped(error: MessageError): void {
    this.#decide({ kind: 'dropped', error });
  }

  // the first fate is the only one
  #decide(fate: Fate): void {
    if (this.#fate.kind !== 'pending') return;
    this.#fate = fate;
    this.#tell();
  }

  #tell(): void {
    if (this.#fate.kind === 'sent') this.#settle?.resolve({ outcome: 'sent', id: this.id });
    else if (this.#fate.kind === 'dropped') this.#settle?.reject(this.#fate.error);
  }
}
