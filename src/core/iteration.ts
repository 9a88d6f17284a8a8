import { HoldfastError } from '../errors.ts';
import { quiet } from './isolation.ts';

interface Reader {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: HoldfastError): void;
}

const DONE = { done: true, value: undefined } as const;

/**
 * One reader's view of a connection's messages, over every reconnection. What has not been read yet is kept, up to a bound;
 * past it the iteration ends with `ITERATION_OVERFLOW`, after what was kept.
 */
export class MessageIteration implements AsyncIterableIterator<unknown> {
  // at most one of the two holds anything
  readonly #unread: unknown[] = [];
  readonly #readers: Reader[] = [];
  readonly #maxBuffered: number;
  readonly #onEnd: () => void;
  #ending: { error: HoldfastError | null } | undefined;

  /** `onEnd` is called once, when nothing more will be taken. */
  constructor(maxBuffered: number, onEnd: () => void) {
    this.#maxBuffered = maxBuffered;
    this.#onEnd = onEnd;
  }

  /** Takes a message, unless it is over. */
  push(message: unknown): void {
    if (this.#ending) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ done: false, value: message });
    else if (this.#unread.length < this.#maxBuffered) this.#unread.push(message);
    else this.end(new HoldfastError('ITERATION_OVERFLOW'));
  }

  /** Ends it after what is unread: normally with `null`, or by throwing the error to the reader. */
  end(error: HoldfastError | null): void {
    if (this.#ending) return;
    this.#ending = { error };
    this.#onEnd();
    for (const reader of this.#readers.splice(0)) this.#conclude(reader);
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return quiet(
      new Promise((resolve, reject) => {
        if (this.#unread.length > 0) resolve({ done: false, value: this.#unread.shift() });
        else if (this.#ending) this.#conclude({ resolve, reject });
        else this.#readers.push({ resolve, reject });
      }),
    );
  }

  /** What `break` in a `for await` calls: drops what is unread. */
  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#unread.length = 0;
    this.end(null);
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  // an error is thrown once; an iteration that has ended stays ended
  #conclude(reader: Reader): void {
    const error = this.#ending?.error;
    if (!error) return reader.resolve(DONE);
    this.#ending = { error: null };
    reader.reject(error);
  }
}
