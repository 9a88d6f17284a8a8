import { quiet } from './core/isolation.ts';
import { MessageError, type ErrorCode, type ErrorDetails } from './errors.ts';
import { Expiry } from './expiry.ts';
import type { OutboundMessage } from './message.ts';
import type { WireMeta } from './protocol/frames.ts';
import type { ReplyMatcher } from './protocol/profile.ts';
import type { SendOptions } from './receipt.ts';
import { monotonicNow, type Clock } from './transport/clock.ts';

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
  readonly signal: AbortSignal | undefined;
  /** Of its message, once that was sent off. */
  receipt: OutboundMessage | undefined;
  /** Whether an earlier message of it has left: then it may have been acted on, whatever becomes of this one. */
  hasLeftBefore: boolean;
  /** What the asker waits for, once that is there. */
  promise: Promise<unknown> | undefined;
  /** Settle it; the first of them counts. */
  resolve: (reply: unknown) => void;
  reject: (error: MessageError) => void;
  /** In ms on the monotonic clock. */
  readonly expiresAt: number;
  /** Present while it waits. */
  onAbort: (() => void) | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;
// so many requests go through one Map
const RENEW_AT = 1_024;

/**
 * Requests that wait for their replies. Each settles exactly once: by its reply, its deadline, its signal, by the fate of its
 * message, or by the end of the connection. Only one with an idempotency key is sent again.
 */
export class Requests {
  readonly #options: RequestsOptions;
  // in order of asking
  #pending = new Map<string, Pending>();
  // how many have been put into it
  #kept = 0;
  #nextNumber = 1;
  readonly #deadlines: Expiry<Pending>;

  constructor(options: RequestsOptions) {
    this.#options = options;
    const { clock } = options;
    this.#deadlines = new Expiry({
      clock,
      now: () => monotonicNow(clock),
      waiting: () => this.#pending.values(),
      expire: (pending) => {
        this.#abandon(pending, 'REQUEST_TIMEOUT');
      },
    });
  }

  /** How many wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** Sends a request. @returns Its reply. Rejects with a {@link MessageError} whose `outcome` says whether it may have been acted on. */
  ask(message: unknown, { timeoutMs = DEFAULT_TIMEOUT_MS, signal, ...options }: RequestOptions = {}): Promise<unknown> {
    const replies = this.#options.replies();
    const isCarried = this.#options.carriesIds();
    if (!replies && !isCarried) return quiet(Promise.reject(this.#error('NO_CORRELATION', 'not_sent')));
    const id = `${this.#options.prefix ?? ''}r${this.#nextNumber++}`;
    let tagged: unknown;
    try {
      tagged = replies && 'tag' in replies ? replies.tag(message, id) : message;
    } catch (cause) {
      return quiet(Promise.reject(this.#error('NOT_ENCODABLE', 'not_sent', cause)));
    }
    const promise = new Promise((resolve, reject) => {
      const pending: Pending = {
        id,
        message: tagged,
        meta: isCarried ? { r: id } : undefined,
        options,
        isKeyed: options.idempotencyKey !== undefined || this.#options.resendSafe(),
        signal,
        receipt: undefined,
        hasLeftBefore: false,
        promise: undefined,
        resolve,
        reject,
        expiresAt: monotonicNow(this.#options.clock) + timeoutMs,
        onAbort: undefined,
      };
      this.#keep(pending);
      if (signal?.aborted) this.#abandon(pending, 'REQUEST_ABORTED', signal.reason);
      else this.#send(pending);
    });
    const pending = this.#pending.get(id);
    if (!pending) return quiet(promise);
    pending.promise = promise;
    return promise;
  }

  /** Whether a message is the reply to a request that waits; then the request has it, and nobody else. */
  take(message: unknown, meta?: WireMeta): boolean {
    if (meta?.re !== undefined) return this.#replied(meta.re, message, meta.h);
    const replies = this.#pending.size > 0 ? this.#options.replies() : undefined;
    if (!replies) return false;
    const pending = 'idOf' in replies ? this.#named(replies.idOf(message)) : this.#answered(replies, message);
    if (pending) this.#resolve(pending, message);
    return pending !== undefined;
  }

  /** The wire turned out to carry no ids, and the profile knows no other way: nobody will know the replies. */
  uncorrelated(): void {
    if (this.#options.replies()) return;
    for (const pending of [...this.#pending.values()]) {
      pending.receipt?.cancel();
      this.#reject(pending, this.#error('NO_CORRELATION', outcomeOf(pending)));
    }
  }

  /** The socket, or the session, is gone: replies to what has left on it will not come. What may be sent twice is sent again. */
  lost(): void {
    for (const pending of [...this.#pending.values()]) {
      if (!hasLeft(pending)) continue;
      // one that is keyed and left in doubt has no other socket to go to
      const { fate } = pending.receipt ?? {};
      if (pending.isKeyed && (fate === 'sent' || fate === 'acknowledged')) this.#sendAgain(pending);
      else this.#reject(pending, this.#error('REPLY_LOST', 'unknown'));
    }
  }

  /** The connection has ended. */
  end(): void {
    for (const pending of [...this.#pending.values()])
      this.#reject(pending, this.#error('REPLY_LOST', outcomeOf(pending)));
  }

  // a Map that is filled and emptied for ever leaves its old tables chained to the new, and the collector of V8 keeps all that was in them for long
  #keep(pending: Pending): void {
    if (this.#kept >= Math.max(RENEW_AT, this.#pending.size * 4)) {
      this.#pending = new Map(this.#pending);
      this.#kept = 0;
    }
    this.#kept += 1;
    const { signal } = pending;
    if (signal) {
      pending.onAbort = () => {
        this.#abandon(pending, 'REQUEST_ABORTED', signal.reason);
      };
      signal.addEventListener('abort', pending.onAbort);
    }
    this.#pending.set(pending.id, pending);
    this.#deadlines.watch(pending);
  }

  #leave({ id, signal, onAbort }: Pending): void {
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#deadlines.stop();
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }

  #resolve(pending: Pending, reply: unknown): void {
    this.#leave(pending);
    pending.receipt?.answered();
    pending.resolve(reply);
  }

  #reject(pending: Pending, error: MessageError): void {
    this.#leave(pending);
    // nobody has to listen. To say so costs a promise more, which a request that has its reply does without
    if (pending.promise) void quiet(pending.promise);
    pending.reject(error);
  }

  #sendAgain(pending: Pending): void {
    pending.hasLeftBefore = true;
    this.#send(pending);
  }

  #send(pending: Pending): void {
    const receipt = this.#options.send(pending.message, pending.options, pending.meta);
    pending.receipt = receipt;
    // what was handed over before it may have led to its end
    if (this.#pending.get(pending.id) !== pending) receipt.cancel();
    // once whatever ends it is through, which may have more to say of the request itself
    receipt.whenSettled(() => {
      if (receipt.error) void Promise.resolve(receipt.error).then((error) => this.#undelivered(pending, error));
    });
  }

  #undelivered(pending: Pending, error: MessageError): void {
    if (this.#pending.get(pending.id) !== pending) return;
    this.#reject(pending, pending.hasLeftBefore ? this.#error('REPLY_LOST', 'unknown', error) : error);
  }

  // a message that waits is taken back; one that has left may be acted on all the same
  #abandon(pending: Pending, code: ErrorCode, cause?: unknown): void {
    if (this.#pending.get(pending.id) !== pending) return;
    pending.receipt?.cancel();
    this.#reject(pending, this.#error(code, outcomeOf(pending), cause));
  }

  // a reply that comes after its deadline is a message like any other
  #replied(id: string, message: unknown, headers: WireMeta['h']): boolean {
    const pending = this.#pending.get(id);
    if (!pending) return false;
    const refusal = headers?.['error'];
    if (refusal === undefined) this.#resolve(pending, message);
    else {
      const text = `The peer answered the request with an error: ${refusal}`;
      const details = { ...this.#options.context, outcome: 'rejected', message: `${text}.` } as const;
      pending.receipt?.answered();
      this.#reject(pending, new MessageError('REQUEST_REFUSED', { ...details, cause: message }));
    }
    return true;
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

// of one that ends without a reply
function outcomeOf(pending: Pending): 'unknown' | 'not_sent' {
  return hasLeft(pending) || pending.hasLeftBefore ? 'unknown' : 'not_sent';
}
