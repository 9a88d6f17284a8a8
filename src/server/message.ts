import type { HoldfastError } from '../errors.ts';

/** What may travel with a message. */
export interface MessageOptions {
  /** Name of its type, of 1 to 256 characters. */
  type?: string;
  /** Up to 64 texts of up to 4,096 characters. */
  headers?: Record<string, string>;
  /** Idempotency key, of 1 to 256 characters. */
  key?: string;
  /** The channel that it goes to. @default the session's own */
  channel?: string;
}

/** How a request is treated. */
export interface AskOptions extends MessageOptions {
  /** From the call to the reply; then it rejects with `REQUEST_TIMEOUT`. @default 30_000 */
  timeoutMs?: number;
  /** Gives up: it rejects with `REQUEST_ABORTED`. */
  signal?: AbortSignal;
}

/** What a sender holds of its message. */
export interface SessionReceipt {
  /** The message's position; `null` until it has one. */
  readonly position: number | null;
  /**
   * Resolves when the client has accepted the message. Rejects with a {@link HoldfastError} when it was refused, or when the session
   * ended before. Made when it is first asked for, and need not be listened to.
   */
  readonly settled: Promise<void>;
}

/** A message of a client. */
export interface InboundMessage {
  /** The value as JSON gave it, or bytes. */
  readonly data: unknown;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Its idempotency key. */
  readonly key?: string;
  /** Absent on the session's own channel. */
  readonly channel?: string;
  /** Its position among the client's messages; `null` for a volatile one, which has none. */
  readonly position: number | null;
}

/** A message that asks for a reply. */
export interface InboundRequest extends InboundMessage {
  /** Sends the reply; what is said after the first does nothing. With `error`, a code, the request has failed and `data` says why. */
  reply(data: unknown, options?: { error?: string }): SessionReceipt;
}

/**
 * When a message counts as accepted, and may be acknowledged: `received`, once the handler was called; `processed`, once the promise
 * that it returned has resolved.
 */
export type Acknowledge = 'received' | 'processed';

/** Hears what went wrong where nobody asked for an answer. */
export type Report = (error: HoldfastError) => void;
