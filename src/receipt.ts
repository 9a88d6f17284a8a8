import type { Priority } from './core/queue.ts';

/**
 * Where a message is: it waits in the queue, or is on its way (`handed`: in the socket's buffer, or, on `holdfast.v1`, not
 * acknowledged yet); or what became of it: it left through the socket (`sent`, all that the plain wire can say), the peer's
 * application has accepted it (`acknowledged`), it was dropped, or nobody knows. The last four are final.
 */
export type Fate = 'waiting' | 'handed' | 'sent' | 'acknowledged' | 'dropped' | 'unknown';

/** What became of a message: on the plain wire it has left the socket; on `holdfast.v1` the peer's application has accepted it. */
export interface SendOutcome {
  outcome: 'sent' | 'acknowledged';
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
   * Says that the peer recognises this message if it comes twice: what a dying socket, or a session that is lost, may or may not
   * have passed on is then sent again instead of being told as unknown. On a plain wire the key is yours and travels inside your
   * message; none is added to it. On `holdfast.v1` it travels beside the message, and the server sorts out repetitions.
   */
  idempotencyKey?: string;
  /**
   * Not worth keeping: it leaves at the end of the turn if the connection is open and takes messages, or never. No acknowledgement, no
   * repetition, no place in the order of the others. @default false
   */
  volatile?: boolean;
  /** Names the kind of message, for the peer. Travels on `holdfast.v1` only; up to 256 characters. */
  type?: string;
  /** Travels beside the message, on `holdfast.v1` only: up to 64 texts of up to 4,096 characters. */
  headers?: Readonly<Record<string, string>>;
}

/** What a sender holds of its message: its id, its fate, and the way to call it back. */
export interface Receipt {
  readonly id: string;
  /** Where the message is now. */
  readonly fate: Fate;
  /**
   * Resolves when the message has left through the socket, on `holdfast.v1` when the peer has acknowledged it; rejects with a
   * {@link MessageError} when it was dropped (its `outcome` is `not_sent`), when the peer refused it (`rejected`), or when nobody knows (`unknown`). It
   * settles exactly once, and need not be listened to. Made when it is first asked for.
   */
  readonly settled: Promise<SendOutcome>;
  /** Takes the message back. @returns Whether it was still waiting; then it is not sent. */
  cancel(): boolean;
}
