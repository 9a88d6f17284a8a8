import { check } from '../core/rules.ts';
import { FaultError } from '../errors.ts';
import type { Refusal } from './refusals.ts';
import { handlerRule } from './schema.ts';
import type { Acknowledge, InboundMessage, InboundRequest, Report } from './message.ts';

/** A message that is to be handed over, and how what becomes of it is told. */
export interface Letter {
  readonly message: InboundMessage | InboundRequest;
  readonly bytes: number;
  readonly accept: () => void;
  readonly refuse: (refusal: Refusal) => void;
}

/** How the messages of a session's own channel are handed over; those of its other channels are accepted before that. */
export interface HandlerOptions {
  /** When a message counts as accepted. @default 'received' */
  acknowledge?: Acknowledge;
}

/** Called with each message, in order. */
export type MessageHandler = (message: InboundMessage | InboundRequest) => unknown;
/** Called with each request, in order. What it returns, or what the promise resolves with, is the reply. */
export type RequestHandler = (request: InboundRequest) => unknown;

interface Consumer {
  handle: (message: never) => unknown;
  acknowledge: Acknowledge;
}

/** A loop that has asked and got nothing yet. */
interface Reader {
  take(letter: Letter): void;
  done(): void;
}

const DONE = { done: true, value: undefined } as const;
const FAILED: Refusal = {
  code: 'HANDLER_FAILED',
  message: 'the handler failed',
  temporary: false,
  outcome: 'unknown',
};

/**
 * The messages of one channel on their way to the application: they wait, in order, until somebody takes them: a handler, or a loop that
 * asks for one after the other.
 */
export class Mailbox implements AsyncIterable<InboundMessage | InboundRequest> {
  readonly #report: Report;
  readonly #changed: () => void;
  #letters: Letter[] = [];
  #bytes = 0;
  #onMessage: Consumer | undefined;
  #onRequest: Consumer | undefined;
  #readers: Reader[] = [];
  #isHandingOver = false;
  #isClosed = false;

  /** `changed` is called when there is less in it than before. */
  constructor(report: Report, changed: () => void = () => undefined) {
    this.#report = report;
    this.#changed = changed;
  }

  get size(): number {
    return this.#letters.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  put(letter: Letter): void {
    if (this.#isClosed) return;
    this.#letters.push(letter);
    this.#bytes += letter.bytes;
    this.#handOver();
  }

  /** Hands a message over now or never. */
  putVolatile(message: InboundMessage): void {
    if (this.#letters.length > 0 || this.#isClosed) return;
    if (this.#onMessage) this.#call(this.#onMessage, volatileLetter(message));
    else this.#readers.shift()?.take(volatileLetter(message));
  }

  /** Hands messages to `handler` from now on, in place of the one before. @returns Ends that. */
  onMessage(handler: MessageHandler, options: HandlerOptions = {}): () => void {
    check(handlerRule, { handler, options });
    const { acknowledge = 'received' } = options;
    const consumer: Consumer = { handle: handler, acknowledge };
    this.#onMessage = consumer;
    this.#handOver();
    return () => {
      if (this.#onMessage === consumer) this.#onMessage = undefined;
    };
  }

  /** Hands requests to `handler` from now on, in place of the one before; without one they are messages like any other. @returns Ends that. */
  onRequest(handler: RequestHandler, options: HandlerOptions = {}): () => void {
    check(handlerRule, { handler, options });
    const { acknowledge = 'received' } = options;
    const consumer: Consumer = { handle: (request: InboundRequest) => this.#answer(handler, request), acknowledge };
    this.#onRequest = consumer;
    this.#handOver();
    return () => {
      if (this.#onRequest === consumer) this.#onRequest = undefined;
    };
  }

  /** One message after the other; each counts as accepted when the next is asked for, or the loop is left. */
  [Symbol.asyncIterator](): AsyncIterableIterator<InboundMessage | InboundRequest> {
    type Result = IteratorResult<InboundMessage | InboundRequest, undefined>;
    let lent: Letter | undefined;
    let waiting: Reader | undefined;
    const giveBack = (): void => {
      lent?.accept();
      lent = undefined;
    };
    const ask = (resolve: (result: Result) => void): void => {
      waiting = {
        take: (letter) => {
          lent = letter;
          resolve({ done: false, value: letter.message });
        },
        done: () => {
          resolve(DONE);
        },
      };
      this.#readers.push(waiting);
      this.#handOver();
    };
    const iterator: AsyncIterableIterator<InboundMessage | InboundRequest> = {
      next: () => {
        giveBack();
        return new Promise(ask);
      },
      return: () => {
        giveBack();
        this.#readers = this.#readers.filter((reader) => reader !== waiting);
        waiting?.done();
        return Promise.resolve(DONE);
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Nothing more comes. What waits is handed over first, and loops end after the last of it. */
  close(): void {
    this.#isClosed = true;
    this.#handOver();
  }

  /** Nothing more comes, and what waits is forgotten. */
  end(): void {
    const had = this.#letters.length;
    this.#letters = [];
    this.#bytes = 0;
    this.close();
    if (had > 0) this.#changed();
  }

  // a handler that adds another one, or messages, must not begin this anew inside itself
  #handOver(): void {
    if (this.#isHandingOver) return;
    this.#isHandingOver = true;
    const before = this.#letters.length;
    let taken = 0;
    for (let letter = this.#letters[0]; letter; letter = this.#letters[taken]) {
      const to = this.#takerOf(letter);
      if (!to) break;
      taken += 1;
      this.#bytes -= letter.bytes;
      to(letter);
    }
    this.#letters.splice(0, taken);
    this.#isHandingOver = false;
    if (this.#isClosed && this.#letters.length === 0) this.#dismiss();
    if (taken > 0 && before > 0) this.#changed();
  }

  #dismiss(): void {
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) reader.done();
  }

  #takerOf({ message }: Letter): ((letter: Letter) => void) | undefined {
    const consumer = this.#onRequest && 'reply' in message ? this.#onRequest : this.#onMessage;
    if (consumer) {
      return (letter) => {
        this.#call(consumer, letter);
      };
    }
    const reader = this.#readers.shift();
    return reader && ((letter) => reader.take(letter));
  }

  #call({ handle, acknowledge }: Consumer, letter: Letter): void {
    const failed = (cause: unknown): void => {
      this.#report(new FaultError('LISTENER_THREW', { cause }));
      if (acknowledge === 'processed') letter.refuse(FAILED);
    };
    let returned: unknown;
    try {
      returned = (handle as MessageHandler)(letter.message);
    } catch (cause) {
      failed(cause);
      if (acknowledge === 'received') letter.accept();
      return;
    }
    const processed = Promise.resolve(returned);
    if (acknowledge === 'received') {
      letter.accept();
      processed.catch(failed);
    } else {
      processed.then(letter.accept, failed);
    }
  }

  async #answer(handler: RequestHandler, request: InboundRequest): Promise<void> {
    try {
      request.reply(await handler(request));
    } catch (cause) {
      // its text may say what is none of the client's business
      request.reply('the handler failed', { error: FAILED.code });
      this.#report(new FaultError('LISTENER_THREW', { cause }));
    }
  }
}

function volatileLetter(message: InboundMessage): Letter {
  return { message, bytes: 0, accept: () => undefined, refuse: () => undefined };
}
