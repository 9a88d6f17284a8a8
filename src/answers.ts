import type { WireMeta } from './protocol/frames.ts';
import type { Receipt, SendOptions } from './receipt.ts';

/** Answers a request of the peer: what it returns is the reply, what it throws is told to the peer as a refusal. */
export type RequestHandler = (message: unknown) => unknown;

export interface AnswersOptions {
  /** Sends the reply to the request with this id. */
  send: (reply: unknown, options: SendOptions, meta: Pick<WireMeta, 're'>) => Receipt;
  /** Hears what the handler throws. */
  report: (cause: unknown) => void;
}

/** Requests of the peer, each of which gets one reply. Only `holdfast.v1` has them. */
export class Answers {
  readonly #options: AnswersOptions;
  #handler: RequestHandler | undefined;
  // replies that have no fate yet
  readonly #replies = new Set<Receipt>();
  // how many sessions there were before: ids of requests begin anew in each
  #sessions = 0;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** From now on this handler answers, in place of any other. @returns Ends that. */
  use(handler: RequestHandler): () => void {
    this.#handler = handler;
    return () => {
      if (this.#handler === handler) this.#handler = undefined;
    };
  }

  /** Whether a message was a request; then it is answered here. */
  take(message: unknown, meta: WireMeta | undefined): boolean {
    const id = meta?.r;
    if (id === undefined) return false;
    const handler = this.#handler;
    if (!handler) this.#refuse(id, 'NO_HANDLER', 'Nobody answers requests here.');
    else void this.#answer(id, () => handler(message));
    return true;
  }

  /** The session is over: whoever asked in it waits for no reply, and another may ask by the same id. */
  lost(): void {
    this.#sessions += 1;
    for (const reply of this.#replies) reply.cancel();
  }

  async #answer(id: string, ask: () => unknown): Promise<void> {
    const session = this.#sessions;
    try {
      const reply = await ask();
      // JSON has no undefined, and whoever asked waits for something
      if (session === this.#sessions) this.#reply(id, reply ?? null);
    } catch (cause) {
      this.#options.report(cause);
      if (session === this.#sessions) this.#refuse(id, 'HANDLER_FAILED', 'The handler failed.');
    }
  }

  #refuse(id: string, error: string, text: string): void {
    this.#reply(id, text, { headers: { error } });
  }

  #reply(id: string, reply: unknown, options: SendOptions = {}): void {
    const receipt = this.#options.send(reply, options, { re: id });
    this.#replies.add(receipt);
    const forget = (): void => {
      this.#replies.delete(receipt);
    };
    receipt.settled.then(forget, forget);
  }
}
