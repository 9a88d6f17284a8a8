import type { WindowLimits } from './ledger.ts';

/** When what was accepted must be acknowledged at the latest. */
export interface AckPolicy {
  /** Once this many messages wait for it, or this many bytes of them. */
  messages: number;
  bytes: number;
  /** Or this long after the first of them, in ms. */
  delayMs: number;
}

const MOST_MESSAGES = 256;
const DELAY_MS = 50;

/** The policy of PROTOCOL.md for a window: whoever sends gets room again while three quarters of it are still to be used. */
export function ackPolicyFor({ messages, bytes }: WindowLimits): AckPolicy {
  const quarter = (of: number): number => Math.max(1, Math.floor(of / 4));
  return { messages: Math.min(MOST_MESSAGES, quarter(messages)), bytes: quarter(bytes), delayMs: DELAY_MS };
}

/**
 * When to acknowledge: with the next frame that goes out anyway, else once many messages wait for it, or some time after the
 * first. Driven by what is received: without traffic nothing ticks.
 */
export class Acknowledging {
  readonly #policy: AckPolicy;
  #told = 0;
  // accepted, and the peer was not told
  #bytes = 0;
  // when the first message was accepted that the peer was not told of
  #since: number | undefined;

  constructor(policy: AckPolicy) {
    this.#policy = policy;
  }

  /** The application has accepted everything up to a position, so many bytes more than before. @returns How long the acknowledgement may wait, in ms; 0: not at all. `null`: nothing to tell. */
  accepted(upTo: number, { now, bytes }: { now: number; bytes: number }): number | null {
    this.#bytes += bytes;
    if (upTo <= this.#told) return null;
    this.#since ??= now;
    if (upTo - this.#told >= this.#policy.messages || this.#bytes >= this.#policy.bytes) return 0;
    return Math.max(0, this.#since + this.#policy.delayMs - now);
  }

  /** How many accepted messages the peer has not been told of. */
  pendingTo(upTo: number): number {
    return Math.max(0, upTo - this.#told);
  }

  /** The peer was told, by a frame of its own or with another. */
  told(upTo: number): void {
    this.#told = upTo;
    this.#bytes = 0;
    this.#since = undefined;
  }
}
