import { isThenable } from '../core/isolation.ts';
import { check } from '../core/rules.ts';
import { FaultError } from '../errors.ts';
import type { Refusal } from './refusals.ts';
import { handlerRule } from './schema.ts';
import type { Acknowledge, InboundMessage, InboundRequest, Report } from './message.ts';

/** A message that is to be handed over, and how what becomes of it is told. */
export interface Letter {
  readonly message: InboundMessage | InboundRequest;
  readonly bytes: number;
  accept(): void;
  refuse(refusal: Refusal): void;
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
    const consumer = this.#consumerOf(letter);
    // nobody is before it, and somebody takes it: it need not wait at all
    if (consumer && this.#letters.length === 0 && !this.#isHandingOver) {
      this.#isHandingOver = true;
      this.#call(consumer, letter);
      this.#isHandingOver = false;
      // it may have closed the mailbox, or come by more
      this.#handOver();
      return;
    }
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
      const consumer = this.#consumerOf(letter);
      const reader = consumer ? undefined : this.#readers.shift();
      if (!consumer && !reader) break;
      taken += 1;
      this.#bytes -= letter.bytes;
      if (consumer) this.#call(consumer, letter);
      else reader?.take(letter);
    }
    if (taken > 0) this.#letters.splice(0, taken);
    this.#isHandingOver = false;
    if (this.#isClosed && this.#letters.length === 0) this.#dismiss();
    if (taken > 0 && before > 0) this.#changed();
  }

  #dismiss(): void {
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) reader.done();
  }

  #consumerOf({ message }: Letter): Consumer | undefined {
    return this.#onRequest && 'reply' in message ? this.#onRequest : this.#onMessage;
  }

  #call({ handle, acknowledge }: Consumer, letter: Letter): void {
    let returned: unknown;
    let isLater: boolean;
    try {
      returned = (handle as MessageHandler)(letter.message);
      // to look at it may throw as well
      isLater = isThenable(returned);
    } catch (cause) {
      this.#failed(cause, acknowledge, letter);
      if (acknowledge === 'received') letter.accept();
      return;
    }
    if (acknowledge === 'received') letter.accept();
    // who is through by now needs no promise to say so
    if (isLater) void this.#finish(returned as PromiseLike<unknown>, acknowledge, letter);
    else if (acknowledge === 'processed') letter.accept();
  }

  async #finish(returned: PromiseLike<unknown>, acknowledge: Acknowledge, letter: Letter): Promise<void> {
    try {
      await returned;
    } catch (cause) {
      this.#failed(cause, acknowledge, letter);
      return;
    }
    if (acknowledge === 'processed') letter.accept();
  }

  #failed(cause: unknown, acknowledge: Acknowledge, letter: Letter): void {
    this.#report(new FaultError('LISTENER_THREW', { cause }));
    if (acknowledge === 'processed') letter.refuse(FAILED);
  }

  #answer(handler: RequestHandler, request: InboundRequest): unknown {
    try {
      const returned = handler(request);
      if (isThenable(returned)) return this.#answerLater(returned, request);
      request.reply(returned);
    } catch (cause) {
      this.#refuse(request, cause);
    }
    return undefined;
  }

  async #answerLater(returned: PromiseLike<unknown>, request: InboundRequest): Promise<void> {
    try {
      request.reply(await returned);
    } catch (cause) {
      this.#refuse(request, cause);
    }
  }

  #refuse(request: InboundRequest, cause: unknown): void {
    // its text may say what is none of the client's business
    request.reply('the handler failed', { error: FAILED.code });
    this.#report(new FaultError('LISTENER_THREW', { cause }));
  }
}

function volatileLetter(message: InboundMessage): Letter {
  return { message, bytes: 0, accept: () => undefined, refuse: () => undefined };
}
