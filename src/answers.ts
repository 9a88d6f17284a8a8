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

  async #answer(id: string, ask: () => unknown): Promise<void> {
    try {
      const reply = await ask();
      // JSON has no undefined, and whoever asked waits for something
      this.#options.send(reply ?? null, {}, { re: id });
    } catch (cause) {
      this.#options.report(cause);
      this.#refuse(id, 'HANDLER_FAILED', 'The handler failed.');
    }
  }

  #refuse(id: string, error: string, text: string): void {
    this.#options.send(text, { headers: { error } }, { re: id });
  }
}
