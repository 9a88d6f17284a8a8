import { MessageError, type ErrorCode, type ErrorDetails } from './errors.ts';
import type { OutboundMessage } from './message.ts';
import type { WireMeta } from './protocol/frames.ts';
import type { ReplyMatcher } from './protocol/profile.ts';
import type { SendOptions } from './receipt.ts';
import type { Clock } from './transport/clock.ts';

/** How one request is to be treated, beside what holds for every message. */
export interface RequestOptions extends SendOptions {
  /** From the call to the reply; then it rejects with `REQUEST_TIMEOUT`. In ms, at least 1. @default 30_000 */
  timeoutMs?: number;
}

export interface RequestsOptions {
  clock: Clock;
  /** What the names of its requests begin with. @default '' */
  prefix?: string;
  /** How the wire tells replies; `undefined` when it cannot. */
  replies: () => ReplyMatcher<unknown, unknown> | undefined;
  /** Whether the wire carries the ids of requests itself, or may turn out to. */
  carriesIds: () => boolean;
  /** Sends the request, each time it is to be sent. */
  send: (message: unknown, options: SendOptions, meta: Pick<WireMeta, 'r'> | undefined) => OutboundMessage;
  /** Whether every message may be sent twice. */
  resendSafe: () => boolean;
  /** What every error carries. */
  context: Pick<ErrorDetails, 'connectionId' | 'serviceType'>;
}

type AnswerMatcher = Extract<ReplyMatcher<unknown, unknown>, { answers: unknown }>;

interface Pending {
  readonly id: string;
  readonly message: unknown;
  readonly meta: Pick<WireMeta, 'r'> | undefined;
  readonly options: SendOptions;
  /** Whether the peer takes it twice without harm. */
  readonly isKeyed: boolean;
  /** Of its message, once that was sent off. */
  receipt: OutboundMessage | undefined;
  /** Whether an earlier message of it has left: then it may have been acted on, whatever becomes of this one. */
  hasLeftBefore: boolean;
  resolve(reply: unknown): void;
  reject(error: MessageError): void;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Requests that wait for their replies. Each settles exactly once: by its reply, its deadline, its signal, by the fate of its
 * message, or by the end of the connection. Only one with an idempotency key is sent again.
 */
export class Requests {
  readonly #options: RequestsOptions;
  // in order of asking
  readonly #pending = new Map<string, Pending>();
  #nextNumber = 1;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** How many wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** Sends a request. @returns Its reply. Rejects with a {@link MessageError} whose `outcome` says whether it may have been acted on. */
  ask(message: unknown, { timeoutMs = DEFAULT_TIMEOUT_MS, signal, ...options }: RequestOptions): Promise<unknown> {
    const replies = this.#options.replies();
    const isCarried = this.#options.carriesIds();
    if (!replies && !isCarried) return Promise.reject(this.#error('NO_CORRELATION', 'not_sent'));
    return new Promise((resolve, reject) => {
      const { clock } = this.#options;
      const id = `${this.#options.prefix ?? ''}r${this.#nextNumber++}`;
      const leave = (): void => {
        this.#pending.delete(id);
        clock.clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        this.#abandon(id, 'REQUEST_ABORTED', signal?.reason);
      };
      const timer = clock.setTimeout(() => {
        this.#abandon(id, 'REQUEST_TIMEOUT');
      }, timeoutMs);
      let tagged: unknown;
      try {
        tagged = replies && 'tag' in replies ? replies.tag(message, id) : message;
      } catch (cause) {
        clock.clearTimeout(timer);
        reject(this.#error('NOT_ENCODABLE', 'not_sent', cause));
        return;
      }
      const pending: Pending = {
        id,
        message: tagged,
        meta: isCarried ? { r: id } : undefined,
        options,
        isKeyed: options.idempotencyKey !== undefined || this.#options.resendSafe(),
        receipt: undefined,
        hasLeftBefore: false,
        resolve: (reply) => {
          leave();
          pending.receipt?.answered();
          resolve(reply);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      this.#pending.set(id, pending);
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted) onAbort();
      else this.#send(pending);
    });
  }

  /** Whether a message is the reply to a request that waits; then the request has it, and nobody else. */
  take(message: unknown, meta?: WireMeta): boolean {
    if (meta?.re !== undefined) return this.#replied(meta.re, message, meta.h);
    const replies = this.#pending.size > 0 ? this.#options.replies() : undefined;
    if (!replies) return false;
    const pending = 'idOf' in replies ? this.#named(replies.idOf(message)) : this.#answered(replies, message);
    pending?.resolve(message);
    return pending !== undefined;
  }

  /** The wire turned out to carry no ids, and the profile knows no other way: nobody will know the replies. */
  uncorrelated(): void {
    if (this.#options.replies()) return;
    for (const pending of [...this.#pending.values()]) {
      pending.receipt?.cancel();
      pending.reject(this.#error('NO_CORRELATION', hasLeft(pending) ? 'unknown' : 'not_sent'));
    }
  }

  /** The socket, or the session, is gone: replies to what has left on it will not come. What may be sent twice is sent again. */
  lost(): void {
    for (const pending of [...this.#pending.values()]) {
      if (!hasLeft(pending)) continue;
      // one that is keyed and left in doubt has no other socket to go to
      const { fate } = pending.receipt ?? {};
      if (pending.isKeyed && (fate === 'sent' || fate === 'acknowledged')) this.#sendAgain(pending);
      else pending.reject(this.#error('REPLY_LOST', 'unknown'));
    }
  }

  /** The connection has ended. */
  end(): void {
    for (const pending of [...this.#pending.values()])
      pending.reject(this.#error('REPLY_LOST', hasLeft(pending) || pending.hasLeftBefore ? 'unknown' : 'not_sent'));
  }

  #sendAgain(pending: Pending): void {
    pending.hasLeftBefore = true;
    this.#send(pending);
  }

  #send(pending: Pending): void {
    pending.receipt = this.#options.send(pending.message, pending.options, pending.meta);
    pending.receipt.settled.catch((error: unknown) => {
      pending.reject(pending.hasLeftBefore ? this.#error('REPLY_LOST', 'unknown', error) : (error as MessageError));
    });
  }

  // a message that waits is taken back; one that has left may be acted on all the same
  #abandon(id: string, code: ErrorCode, cause?: unknown): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    pending.receipt?.cancel();
    pending.reject(this.#error(code, hasLeft(pending) || pending.hasLeftBefore ? 'unknown' : 'not_sent', cause));
  }

  // a reply that comes after its deadline is a message like any other
  #replied(id: string, message: unknown, headers: WireMeta['h']): boolean {
    const pending = this.#pending.get(id);
    const refusal = headers?.['error'];
    if (refusal === undefined) pending?.resolve(message);
    else {
      const text = `The peer answered the request with an error: ${refusal}`;
      const details = { ...this.#options.context, outcome: 'rejected', message: `${text}.` } as const;
      pending?.receipt?.answered();
      pending?.reject(new MessageError('REQUEST_REFUSED', { ...details, cause: message }));
    }
    return pending !== undefined;
  }

  #named(id: string | undefined): Pending | undefined {
    return id === undefined ? undefined : this.#pending.get(id);
  }

  #answered(replies: AnswerMatcher, message: unknown): Pending | undefined {
    for (const pending of this.#pending.values()) if (replies.answers(message, pending.message)) return pending;
    return undefined;
  }

  #error(code: ErrorCode, outcome: 'not_sent' | 'unknown', cause?: unknown): MessageError {
    return new MessageError(code, { ...this.#options.context, outcome, cause });
  }
}

// from then on nobody knows whether the peer acts on it
function hasLeft({ receipt }: Pending): boolean {
  return receipt !== undefined && receipt.fate !== 'waiting' && receipt.fate !== 'dropped';
}
