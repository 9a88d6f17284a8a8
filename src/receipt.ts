import type { Priority } from './core/queue.ts';

/**
 * Where a message is: it waits in the queue, or in the socket's buffer (`handed`); or what became of it: it left through the
 * socket, was dropped, or the socket died with it. The last three are final.
 */
export type Fate = 'waiting' | 'handed' | 'sent' | 'dropped' | 'unknown';

/** What became of a message: it was handed to the socket, and left it. On the plain wire nobody can say more. */
export interface SendOutcome {
  outcome: 'sent';
  /** The message's id, unique within its connection. */
  id: string;
}

/** How one message is to be treated. */
export interface SendOptions {
  /**
   * Which of four lanes it waits in: a stronger lane leaves first, order holds within one. `critical` leaves at once, and takes
   * no other along. After 64 messages of stronger lanes a weaker one is served. @default 'normal'
   */
  priority?: Priority;
  /** How long it may wait, in ms, by the wall clock. Past that it is dropped as `EXPIRED`, never sent late. @default none */
  ttlMs?: number;
  /** Takes the message back while it waits. */
  signal?: AbortSignal;
  /** A newer message with the same key takes the place of a waiting one, which is told `SUPERSEDED`. */
  coalesceKey?: string;
  /**
   * Says that the peer recognises this message if it comes twice: what a dying socket may or may not have passed on is then
   * sent again instead of being told as unknown. The key is yours and travels inside your message; none is added to it.
   */
  idempotencyKey?: string;
}

/** What a sender holds of its message: its id, its fate, and the way to call it back. */
export interface Receipt {
  readonly id: string;
  /** Where the message is now. */
  readonly fate: Fate;
  /**
   * Resolves when the message has left through the socket; rejects with a {@link MessageError} when it was dropped (its `outcome` is
   * `not_sent`), or when the socket died while it held the message (`unknown`). It settles exactly once, and need not be
   * listened to. Made when it is first asked for.
   */
  readonly settled: Promise<SendOutcome>;
  /** Takes the message back. @returns Whether it was still waiting; then it is not sent. */
  cancel(): boolean;
}
