import { quiet } from '../core/isolation.ts';
import { MessageError } from '../errors.ts';
import type { Arrival } from './intake.ts';
import type { StoreClock } from './clock.ts';
import type { AskOptions, SessionReceipt } from './message.ts';

interface Pending {
  resolve(data: unknown): void;
  reject(error: MessageError): void;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** Requests to a client that wait for their replies. Each settles once: by its reply, its deadline, its signal, its receipt, or the end. */
export class Replies {
  readonly #clock: StoreClock;
  readonly #prefix: string;
  readonly #pending = new Map<string, Pending>();
  #nextNumber = 1;
  #end: MessageError | undefined;

  /** `prefix` tells the ids of this node's requests from those of another that had the session before. */
  constructor(clock: StoreClock, prefix: string) {
    this.#clock = clock;
    this.#prefix = prefix;
  }

  /** How many wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** Sends a request by `send`, which is given its id. @returns The data of the reply. */
  ask(send: (id: string) => SessionReceipt, { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: AskOptions): Promise<unknown> {
    if (signal?.aborted) return quiet(Promise.reject(aborted(signal, 'not_sent')));
    if (this.#end) return quiet(Promise.reject(this.#end));
    const id = `${this.#prefix}.${this.#nextNumber++}`;
    return quiet(
      new Promise((resolve, reject) => {
        const leave = (): void => {
          this.#pending.delete(id);
          this.#clock.clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
        };
        const pending: Pending = {
          resolve: (data) => {
            leave();
            resolve(data);
          },
          reject: (error) => {
            leave();
            reject(error);
          },
        };
        const onAbort = (): void => {
          pending.reject(aborted(signal, 'unknown'));
        };
        const timer = this.#clock.setTimeout(() => {
          pending.reject(new MessageError('REQUEST_TIMEOUT', { outcome: 'unknown' }));
        }, timeoutMs);
        signal?.addEventListener('abort', onAbort);
        this.#pending.set(id, pending);
        send(id).settled.catch((error: unknown) => {
          pending.reject(error as MessageError);
        });
      }),
    );
  }

  /** A reply came. One that nobody waits for any more is dropped. */
  take(id: string, { data, meta }: Arrival): void {
    const code = meta.h?.['error'];
    const pending = this.#pending.get(id);
    if (code === undefined) pending?.resolve(data);
    else
      pending?.reject(
        new MessageError('REQUEST_REFUSED', { message: `The client answered with ${code}.`, outcome: 'rejected' }),
      );
  }

  /** No reply comes any more. */
  end(): void {
    this.#end = new MessageError('CONNECTION_ENDED', { message: 'The session has ended.' });
    for (const pending of [...this.#pending.values()])
      pending.reject(new MessageError('REPLY_LOST', { outcome: 'unknown' }));
  }
}

function aborted(signal: AbortSignal | undefined, outcome: 'not_sent' | 'unknown'): MessageError {
  return new MessageError('REQUEST_ABORTED', { outcome, cause: signal?.reason });
}
